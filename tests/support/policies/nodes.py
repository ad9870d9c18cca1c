"""Requests to the scheduler and the node that pods must not make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.policies.objects import Object

Change = tuple[str, str, Callable[[Object, Object], Any]]
CLOCK = {"projected": {"sources": [{"podCertificate": {"signerName": "x.io/x", "keyType": "ED25519", "keyPath": "k"}}]}}


def _with(**fields: Any) -> Callable[[Object, Object], Any]:
    """Return a change that sets fields of the pod."""
    return lambda pod, container: pod.update(fields)


def _term(kind: str, strength: str, **term: Any) -> Object:
    """Return an affinity between pods."""
    entry = {"topologyKey": "zone", "labelSelector": {}} | term
    entries = [entry if strength == "required" else {"weight": 1, "podAffinityTerm": entry}]
    return {kind: {f"{strength}DuringSchedulingIgnoredDuringExecution": entries}}


CLASSES = ("system-node-critical", "system-cluster-critical", "high")
TOLERATIONS: tuple[Object, ...] = (
    {"operator": "Exists"},
    {"operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "karpenter.sh/disrupted", "operator": "Exists"},
    {"key": "eks.amazonaws.com/compute-type", "operator": "Exists"},
)
AFFINITIES = {
    f"{kind} to pods of others, {strength}": _term(kind, strength, **term)
    for kind in ("podAffinity", "podAntiAffinity")
    for strength, term in (("required", {"namespaceSelector": {}}), ("preferred", {"namespaces": ["shop-prod"]}))
}
# Effects on other pods through the scheduler.
SCHEDULED: dict[str, Change] = {
    **{
        f"the priority class {name}": ("pods", "remove priorityClassName", _with(priorityClassName=name))
        for name in CLASSES
    },
    **{
        f"a toleration of {toleration}": ("pods", "tolerations must name the key", _with(tolerations=[toleration]))
        for toleration in TOLERATIONS
    },
    **{
        what: ("pods", "affinity must stay inside the namespace", _with(affinity=affinity))
        for what, affinity in AFFINITIES.items()
    },
    "a node of its choice": ("pods", "remove nodeName", _with(nodeName="node-a")),
    "a scheduler of its own": ("pods", "schedulerName", _with(schedulerName="mine")),
}
# Other fields that Pod Security forbids.
RESTRICTED: dict[str, Change] = {
    "an address of the node": (
        "pods",
        "hostPort",
        lambda p, c: c.update(ports=[{"containerPort": 80, "hostIP": "0.0.0.0"}]),
    ),
    "a driver of volumes": (
        "pods",
        "secrets-store.csi.k8s.io",
        lambda p, c: p.update(volumes=[{"name": "v", "csi": {"driver": "csi.example.com"}}]),
    ),
    "an image as a volume": (
        "pods",
        "volumes must not mount",
        lambda p, c: p.update(volumes=[{"name": "v", "image": {"reference": "ghcr.io/acme/data:1"}}]),
    ),
    "all of /proc": (
        "pods",
        "procMount",
        lambda p, c: (c["securityContext"].update(procMount="Unmasked"), p.update(hostUsers=False)),
    ),
    "a kernel setting": (
        "pods",
        "sysctls",
        lambda p, c: p["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
    ),
    "a type of SELinux": (
        "pods",
        "SELinux",
        lambda p, c: c["securityContext"].update(seLinuxOptions={"type": "spc_t"}),
    ),
    "a user of SELinux": ("pods", "SELinux", lambda p, c: p["securityContext"].update(seLinuxOptions={"user": "root"})),
    "no AppArmor": (
        "pods",
        "AppArmor",
        lambda p, c: c["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
    ),
    "a probe of somebody else": (
        "pods",
        "probes",
        lambda p, c: c.update(readinessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
    ),
    "a hook that asks somebody else": (
        "pods",
        "probes",
        lambda p, c: c.update(lifecycle={"postStart": {"httpGet": {"host": "169.254.169.254", "port": 80}}}),
    ),
    "a seccomp profile of the pod": (
        "pods",
        "seccompProfile",
        lambda p, c: (
            p["securityContext"].update(seccompProfile={"type": "Unconfined"}),
            c["securityContext"].update(seccompProfile={"type": "RuntimeDefault"}),
        ),
    ),
    "a certificate in a volume": (
        "tokens",
        "projected",
        lambda p, c: p.update(volumes=[{"name": "t"} | CLOCK]),
    ),
}
