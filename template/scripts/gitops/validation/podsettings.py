"""Rules of settings for all containers of a pod (k8s.io/kubernetes, pkg/apis/core/validation, ValidatePodSpec)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.terms import Problem, each, repeated

SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
# Kernel parameters that belong to the node if a pod shares it.
SHARED = {
    "hostNetwork": ("net.",),
    "hostIPC": ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."),
}
SEARCHES, SEARCH_CHARACTERS, NAME_SERVERS = 32, 2048, 3


def host(node: Object) -> Iterator[Problem]:
    """Find contradictions in the settings that a pod shares with its node."""
    if node.get("shareProcessNamespace") and node.get("hostPID"):
        yield "shareProcessNamespace", "contradicts hostPID: remove one"
    if node.get("hostUsers") is False:
        for field in ("hostPID", "hostIPC", "hostNetwork"):
            if node.get(field):
                yield field, "contradicts hostUsers: false: remove one"
    for path, container in each(node, "containers"):
        for _, port in each(container, "ports"):
            if node.get("hostNetwork") and port.get("hostPort") and port["hostPort"] != port["containerPort"]:
                yield f"{path}.ports", f"hostPort {port['hostPort']} must equal containerPort with hostNetwork"
        if container.get("securityContext", {}).get("procMount") == "Unmasked" and node.get("hostUsers") is not False:
            yield f"{path}.securityContext.procMount", "Unmasked needs hostUsers: false"


def claims(node: Object) -> Iterator[Problem]:
    """Check that containers name resource claims of the pod."""
    known = {claim["name"] for claim in node.get("resourceClaims") or []}
    for field in ("initContainers", "containers"):
        for path, container in each(node, field):
            for claim in (container.get("resources") or {}).get("claims") or []:
                if claim["name"] not in known:
                    yield f"{path}.resources.claims", f"there is no {claim['name']} in resourceClaims: add it"


def dns(node: Object) -> Iterator[Problem]:
    """Check DNS settings."""
    config = node.get("dnsConfig") or {}
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if node.get("dnsPolicy") == "None" and not servers:
        yield "dnsConfig.nameservers", "must not be empty with dnsPolicy: None"
    if len(servers) > NAME_SERVERS:
        yield "dnsConfig.nameservers", f"must be at most {NAME_SERVERS}"
    if len(searches) > SEARCHES or len(" ".join(searches)) > SEARCH_CHARACTERS:
        yield "dnsConfig.searches", f"must be at most {SEARCHES}, of {SEARCH_CHARACTERS} characters together"
    for search in searches:
        if search != "." and (message := grammar.dns_subdomain_with_underscore(search.removesuffix("."))):
            yield "dnsConfig.searches", f"{search} {message}"


def host_sysctls(node: Object) -> Iterator[Problem]:
    """Check that kernel parameters do not belong to the node."""
    names = [entry["name"].replace("/", ".") for entry in (node.get("securityContext") or {}).get("sysctls") or []]
    for field, prefixes in SHARED.items():
        for name in names:
            if node.get(field) and name.startswith(prefixes):
                yield "securityContext.sysctls", f"{name} and {field} exclude each other: remove one"


def sysctls(node: Object) -> Iterator[Problem]:
    """Check that kernel parameters are named and unique."""
    listed = node.get("sysctls") or []
    for name in [entry["name"] for entry in listed]:
        if len(name) > 253 or not SYSCTL.fullmatch(name):
            yield "sysctls", f"{name} must be the name of a kernel parameter, such as net.core.somaxconn"
    for name in repeated([entry["name"] for entry in listed]):
        yield "sysctls", f"{name} occurs twice: remove one"
