"""Rules of pods (k8s.io/kubernetes, pkg/apis/core/validation, ValidatePodSpec)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.containers import IDS
from gitops.validation.podsettings import claims, dns, host, host_sysctls, sysctls
from gitops.validation.resources import pod_resources
from gitops.validation.selectors import annotation_map, labels
from gitops.validation.terms import (
    Problem,
    Rule,
    below,
    between,
    choice,
    each,
    optional,
    repeated,
    required,
    valid,
)

PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
RESTARTS = "RestartContainer"
# Init containers that are not restarted.
NOT_RESIZED = (("initContainers", None), ("initContainers", "OnFailure"), ("initContainers", "Never"))
GRACE_SECONDS = 30


def volumes(node: Object) -> Iterator[Problem]:
    """Check that containers mount volumes of the pod."""
    sources = {volume["name"]: volume for volume in node.get("volumes") or []}
    for field in ("initContainers", "containers"):
        for path, container in each(node, field):
            for mount_path, mount in each(container, "volumeMounts"):
                if mount["name"] not in sources:
                    known = ", ".join(sources) or "none"
                    yield f"{path}.{mount_path}", f"there is no volume {mount['name']} (there is {known}): add it"
            for device_path, device in each(container, "volumeDevices"):
                source = sources.get(device["name"], {})
                if not {"persistentVolumeClaim", "ephemeral"} & source.keys():
                    yield f"{path}.{device_path}", f"{device['name']} must be a volume of a claim"
            for env_path, variable in each(container, "env"):
                file = variable.get("valueFrom", {}).get("fileKeyRef", {})
                if file and sources.get(file["volumeName"], {}).keys() - {"name", "emptyDir"}:
                    yield f"{path}.{env_path}", f"{file['volumeName']} must be an emptyDir"
                elif file and file["volumeName"] not in sources:
                    yield f"{path}.{env_path}", f"there is no volume {file['volumeName']}: add it"


def names(node: Object) -> Iterator[Problem]:
    """Check that container names and host ports are unique."""
    if not node.get("containers"):
        yield "containers", "must not be empty"
    every = [c["name"] for field in ("initContainers", "containers") for c in node.get(field) or []]
    for name in repeated(every):
        yield "containers", f"two containers have the name {name}: rename one"
    taken: list[tuple[str, str, int]] = []
    for _, container in each(node, "containers"):
        ports = [port for port in container.get("ports") or [] if port.get("hostPort")]
        taken += [(port.get("protocol", "TCP"), port.get("hostIP", ""), port["hostPort"]) for port in ports]
    for _, _, number in repeated(taken):
        yield "containers", f"two ports have the hostPort {number}: remove one"


def sidecars(node: Object) -> Iterator[Problem]:
    """Check probes, hooks and restarts of init containers and sidecars."""
    for path, container in each(node, "initContainers"):
        if container.get("restartPolicy") != "Always":
            for field in PROBES:
                if field in container:
                    yield f"{path}.{field}", "an init container needs restartPolicy: Always for it, or remove it"
    for field in ("initContainers", "containers"):
        for path, container in each(node, field):
            yield from below(
                path, container, choice("restartPolicy", "Always", "OnFailure", "Never", even_if_empty=True)
            )
            never = node.get("restartPolicy") == "Never" or (field, container.get("restartPolicy")) in NOT_RESIZED
            restarts = [
                entry for entry in container.get("resizePolicy") or [] if entry.get("restartPolicy") == RESTARTS
            ]
            if never and restarts:
                yield f"{path}.resizePolicy", f"{RESTARTS} needs a container that restarts: use NotRequired"
            if container.get("restartPolicyRules") and "restartPolicy" not in container:
                yield f"{path}.restartPolicy", "must be set beside restartPolicyRules"


def sleeps(node: Object) -> Iterator[Problem]:
    """Check that hooks sleep no longer than the grace period."""
    seconds = node.get("terminationGracePeriodSeconds", GRACE_SECONDS)
    for field in ("initContainers", "containers"):
        for path, container in each(node, field):
            for hook, handler in (container.get("lifecycle") or {}).items():
                sleep = handler.get("sleep") if isinstance(handler, dict) else None
                if sleep and not 0 <= sleep["seconds"] <= seconds:
                    yield (
                        f"{path}.lifecycle.{hook}.sleep",
                        f"{sleep['seconds']} must be from 0 to terminationGracePeriodSeconds ({seconds}): raise that",
                    )


def template_labels(node: Object) -> Iterator[Problem]:
    """Check the labels and annotations of pods."""
    yield from optional("metadata", *labels("labels"), annotation_map)(node)


RULES: dict[str, tuple[Rule, ...]] = {
    "core.v1.PodTemplateSpec": (template_labels, required("spec")),
    "core.v1.PodSpec": (
        volumes,
        names,
        sidecars,
        sleeps,
        host,
        dns,
        claims,
        host_sysctls,
        pod_resources,
        choice("restartPolicy", "Always", "OnFailure", "Never"),
        choice("dnsPolicy", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        choice("preemptionPolicy", "Never", "PreemptLowerPriority", even_if_empty=True),
        between(1, 2**31 - 1, "activeDeadlineSeconds"),
        valid(grammar.dns_label, "hostname", "subdomain"),
        valid(
            grammar.dns_subdomain,
            "serviceAccountName",
            "serviceAccount",
            "priorityClassName",
            "runtimeClassName",
            "nodeName",
        ),
        *labels("nodeSelector"),
    ),
    "core.v1.PodSecurityContext": (
        between(*IDS, "runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"),
        sysctls,
        choice("fsGroupChangePolicy", "Always", "OnRootMismatch", even_if_empty=True),
        choice("supplementalGroupsPolicy", "Merge", "Strict", even_if_empty=True),
        choice("seLinuxChangePolicy", "Recursive", "MountOption", even_if_empty=True),
    ),
    "core.v1.PodDNSConfig": (valid(grammar.address, "nameservers"),),
    "core.v1.PodDNSConfigOption": (required("name"),),
    "core.v1.PodReadinessGate": (valid(grammar.label_key, "conditionType"),),
    "core.v1.HostAlias": (
        valid(grammar.address, "ip", even_if_empty=True),
        valid(grammar.dns_subdomain, "hostnames"),
    ),
    "core.v1.PodSchedulingGate": (valid(grammar.label_key, "name", even_if_empty=True),),
    "core.v1.ResourceClaim": (required("name"), valid(grammar.dns_label, "request")),
    "core.v1.Sysctl": (required("name"),),
    "core.v1.PodOS": (choice("name", "linux", "windows"), required("name")),
}
