"""Rules of containers (k8s.io/kubernetes, pkg/apis/core/validation, validateContainerCommon)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.validation import grammar, quantities
from gitops.validation.resources import container_resources
from gitops.validation.terms import (
    Problem,
    Rule,
    at_least,
    below,
    between,
    choice,
    exactly_one,
    optional,
    removal,
    repeated,
    required,
    valid,
)
from gitops.validation.volumes import field_of

HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
IN_AN_ENVIRONMENT = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
PROTOCOLS = ("TCP", "UDP", "SCTP")
IDS = (0, 2**31 - 1)
LOCALHOST = "Localhost"


def variable(node: Object) -> Iterator[Problem]:
    """Check that a variable has a value or one source."""
    if "valueFrom" not in node:
        return
    if node.get("value"):
        yield "", f"value and valueFrom exclude each other: {removal('value')}"
    yield from below("valueFrom", node["valueFrom"], exactly_one(*SOURCES), optional("fieldRef", _FIELD))


_FIELD = field_of(IN_AN_ENVIRONMENT)
_ONCE = at_least(0, "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def success_once(node: Object) -> Iterator[Problem]:
    """Check probes that restart a container: one success is enough."""
    for probe in ("livenessProbe", "startupProbe"):
        if (threshold := node.get(probe, {}).get("successThreshold", 1)) not in (0, 1):
            yield f"{probe}.successThreshold", f"{threshold} must be 1"
    if "terminationGracePeriodSeconds" in node.get("readinessProbe", {}):
        yield "readinessProbe.terminationGracePeriodSeconds", "is for the other probes only: remove it"


def mount(node: Object) -> Iterator[Problem]:
    """Check that a mount has one sub-path."""
    if node.get("subPath") and node.get("subPathExpr"):
        yield "", f"subPath and subPathExpr exclude each other: {removal('subPath')}"
    if node.get("recursiveReadOnly") in ("Enabled", "IfPossible"):
        if not node.get("readOnly"):
            yield "recursiveReadOnly", "needs readOnly: true"
        if node.get("mountPropagation", "None") != "None":
            yield "recursiveReadOnly", "needs mountPropagation: None"


def places(node: Object) -> Iterator[Problem]:
    """Check that a path has a volume or a device, and that port names are unique."""
    mounts, devices = node.get("volumeMounts") or [], node.get("volumeDevices") or []
    for device in devices:
        if ".." in device.get("devicePath", "").split("/"):
            yield "volumeDevices", f"{device['devicePath']} must have no .."
    for path in sorted({m["mountPath"] for m in mounts} & {d["devicePath"] for d in devices}):
        yield "volumeMounts", f"{path} is the path of a device, too: change one"
    named = {device["name"] for device in devices}
    for name in sorted(named & {m["name"] for m in mounts}) + repeated([device["name"] for device in devices]):
        yield "volumeDevices", f"{name} is used twice: a volume is a device or mounted"
    for name in repeated([port["name"] for port in node.get("ports") or [] if port.get("name")]):
        yield "ports", f"two ports have the name {name}: rename one"
    propagation = any(m.get("mountPropagation") == "Bidirectional" for m in mounts)
    if propagation and not node.get("securityContext", {}).get("privileged"):
        yield "volumeMounts", "mountPropagation: Bidirectional needs a privileged container"


def escalation(node: Object) -> Iterator[Problem]:
    """Find contradictions in a security context."""
    if node.get("allowPrivilegeEscalation") is False:
        if node.get("privileged"):
            yield "", "privileged: true contradicts allowPrivilegeEscalation: false: remove one"
        if "CAP_SYS_ADMIN" in (node.get("capabilities", {}).get("add") or []):
            yield "", "capability CAP_SYS_ADMIN contradicts allowPrivilegeEscalation: false: remove one"


def profile(node: Object) -> Iterator[Problem]:
    """Check that only type Localhost names a profile."""
    given = node.get("localhostProfile")
    if node.get("type") == LOCALHOST and given is None:
        yield "localhostProfile", f"must be set for type {LOCALHOST}"
    elif node.get("type") != LOCALHOST and given is not None:
        yield "localhostProfile", f"is for type {LOCALHOST} only: {removal('localhostProfile')}"


def seccomp(node: Object) -> Iterator[Problem]:
    """Check that a seccomp profile is below the folder of profiles."""
    yield from profile(node)
    yield from valid(grammar.relative_path, "localhostProfile")(node)


def apparmor(node: Object) -> Iterator[Problem]:
    """Check the name of an AppArmor profile."""
    yield from profile(node)
    given: Any = node.get("localhostProfile")
    if isinstance(given, str) and (given != given.strip() or not given or len(given) > 4095):
        yield "localhostProfile", "must be a name without white space around it"


def quantity(value: Any) -> Iterator[Problem]:
    """Check that Kubernetes can parse a quantity."""
    if message := quantities.is_quantity(value):
        yield "", f"{value} {message}"


IDENTITY = between(*IDS, "runAsUser", "runAsGroup")
KEY = (required("name", "key"), valid(grammar.dns_subdomain, "name"), valid(grammar.config_key, "key"))
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
CONTAINER: tuple[Rule, ...] = (
    required("name", "image"),
    valid(grammar.dns_label, "name"),
    choice("imagePullPolicy", "Always", "IfNotPresent", "Never"),
    choice("terminationMessagePolicy", "File", "FallbackToLogsOnError"),
    success_once,
    places,
    container_resources,
)
RULES: dict[str, tuple[Rule, ...]] = {
    "core.v1.Container": CONTAINER,
    "core.v1.ContainerRestartRule": (
        required("action", "exitCodes"),
        choice("action", "Restart", "RestartAllContainers"),
    ),
    "core.v1.ContainerRestartRuleOnExitCodes": (required("operator"), choice("operator", "In", "NotIn")),
    "core.v1.ContainerResizePolicy": (
        required("resourceName", "restartPolicy"),
        choice("resourceName", "cpu", "memory"),
        choice("restartPolicy", "NotRequired", "RestartContainer"),
    ),
    "core.v1.ContainerPort": (
        between(1, 65535, "containerPort"),
        between(0, 65535, "hostPort"),
        valid(grammar.port_name, "name"),
        choice("protocol", *PROTOCOLS),
    ),
    "core.v1.EnvVar": (variable, required("name"), valid(grammar.env_name, "name")),
    "core.v1.EnvFromSource": (exactly_one("configMapRef", "secretRef"), valid(grammar.env_name, "prefix")),
    "core.v1.ConfigMapEnvSource": (required("name"), valid(grammar.dns_subdomain, "name")),
    "core.v1.SecretEnvSource": (required("name"), valid(grammar.dns_subdomain, "name")),
    "core.v1.ConfigMapKeySelector": KEY,
    "core.v1.SecretKeySelector": KEY,
    "core.v1.VolumeMount": (
        required("name", "mountPath"),
        mount,
        valid(grammar.relative_path, "subPath", "subPathExpr"),
        choice("mountPropagation", "None", "HostToContainer", "Bidirectional", even_if_empty=True),
        choice("recursiveReadOnly", "Disabled", "Enabled", "IfPossible", even_if_empty=True),
    ),
    "core.v1.Probe": (exactly_one(*HANDLERS), _ONCE, at_least(1, "terminationGracePeriodSeconds")),
    "core.v1.LifecycleHandler": (exactly_one(*HANDLERS[:3], "sleep"),),
    "core.v1.ExecAction": (required("command"),),
    "core.v1.HTTPGetAction": (valid(grammar.port, "port", even_if_empty=True), choice("scheme", "HTTP", "HTTPS")),
    "core.v1.HTTPHeader": (required("name"), valid(grammar.header_name, "name")),
    "core.v1.TCPSocketAction": (valid(grammar.port, "port", even_if_empty=True),),
    "core.v1.GRPCAction": (between(1, 65535, "port"),),
    "core.v1.SecurityContext": (escalation, IDENTITY, choice("procMount", "Default", "Unmasked", even_if_empty=True)),
    "core.v1.SeccompProfile": (required("type"), choice("type", *PROFILES), seccomp),
    "core.v1.AppArmorProfile": (required("type"), choice("type", *PROFILES), apparmor),
    "api.resource.Quantity": (quantity,),
}
