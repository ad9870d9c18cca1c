"""Pods, and objects that create them, that the admission policies accept and reject."""

from __future__ import annotations

from typing import Any

from tests.support.policies.nodes import RESTRICTED, SCHEDULED, Change
from tests.support.policies.objects import MAKERS, Object, Violation, maker, pod, spoilt


def accepted(domain: str) -> list[Object]:
    """Return objects that no policy on pods refuses."""
    digest = pod()
    digest["containers"][0]["image"] = "registry.example.com:5000/tool@sha256:" + 64 * "0"
    own = pod()
    del own["securityContext"]
    own["containers"][0]["securityContext"] |= {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    own["containers"][0]["securityContext"]["seccompProfile"]["localhostProfile"] = "tool.json"
    own["containers"][0]["securityContext"]["capabilities"]["add"] = ["NET_BIND_SERVICE"]
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    sources: list[Object] = [
        {"configMap": {"name": "tool"}},
        {"csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"emptyDir": {}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": claim}}},
        {"persistentVolumeClaim": {"claimName": "tool"}},
        {"projected": {"sources": [{"secret": {"name": "tool"}}]}},
        {"secret": {"secretName": "tool"}},
    ]
    volumes = pod()
    volumes["volumes"] = [{"name": f"volume-{index}"} | source for index, source in enumerate(sources)]
    placed = pod()
    placed["tolerations"] = [
        {"key": "team", "operator": "Exists"},
        {"key": "acme.io/gpu", "value": "a", "effect": "NoSchedule"},
    ]
    placed["schedulerName"] = "default-scheduler"
    placed["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term()]}}
    placed["securityContext"]["sysctls"] = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    placed["securityContext"]["appArmorProfile"] = {"type": "RuntimeDefault"}
    made = [maker(spec=spec) for spec in (digest, own, volumes, placed)]
    return [*map(maker, MAKERS), *made]


def term(**fields: Any) -> Object:
    """Return a term of an affinity between pods."""
    return {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "tool"}}} | fields


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule on pods."""
    pods: dict[str, Change] = {
        "the network of the node": ("pods", "hostNetwork", lambda p, c: p.update(hostNetwork=True)),
        "the processes of the node": ("pods", "hostPID", lambda p, c: p.update(hostPID=True)),
        "the memory of the node": ("pods", "hostIPC", lambda p, c: p.update(hostIPC=True)),
        "a port of the node": (
            "pods",
            "hostPort",
            lambda p, c: c.update(ports=[{"containerPort": 80, "hostPort": 80}]),
        ),
        "a folder of the node": (
            "pods",
            "hostPath",
            lambda p, c: p.update(volumes=[{"name": "node", "hostPath": {"path": "/"}}]),
        ),
        "root in a pod": ("pods", "run as root", lambda p, c: p["securityContext"].update(runAsUser=0)),
        "root in a container": ("pods", "run as root", lambda p, c: c["securityContext"].update(runAsUser=0)),
        "perhaps root": ("pods", "runAsNonRoot", lambda p, c: p["securityContext"].pop("runAsNonRoot")),
        "root again": ("pods", "runAsNonRoot", lambda p, c: c["securityContext"].update(runAsNonRoot=False)),
        "no word of root": ("pods", "runAsNonRoot", lambda p, c: p.pop("securityContext")),
        "privileges": (
            "pods",
            "no privileged",
            lambda p, c: c["securityContext"].update(privileged=True, allowPrivilegeEscalation=True),
        ),
        "rights to gain": (
            "pods",
            "allowPrivilegeEscalation",
            lambda p, c: c["securityContext"].pop("allowPrivilegeEscalation"),
        ),
        "capabilities": ("pods", "drop ALL", lambda p, c: c["securityContext"].pop("capabilities")),
        "a capability": (
            "pods",
            "NET_BIND_SERVICE",
            lambda p, c: c["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        ),
        "no seccomp": ("pods", "seccompProfile", lambda p, c: p["securityContext"].pop("seccompProfile")),
        "seccomp switched off": (
            "pods",
            "seccompProfile",
            lambda p, c: c["securityContext"].update(seccompProfile={"type": "Unconfined"}),
        ),
        "a container before it": (
            "pods",
            "allowPrivilegeEscalation",
            lambda p, c: p.update(
                initContainers=[c | {"name": "first", "securityContext": {"capabilities": {"drop": ["ALL"]}}}]
            ),
        ),
        "no request": ("resources", "requests.cpu", lambda p, c: c["resources"]["requests"].pop("cpu")),
        "no resources": ("resources", "requests.memory", lambda p, c: c.pop("resources")),
        "no limit": ("resources", "limits.memory", lambda p, c: c["resources"].pop("limits")),
        "no tag": ("images", "other than latest", lambda p, c: c.update(image="ghcr.io/acme/tool")),
        "no tag, but a port": ("images", "other than latest", lambda p, c: c.update(image="example.com:5000/tool")),
        "a tag that moves": (
            "images",
            "other than latest",
            lambda p, c: c.update(image="tool:latest", imagePullPolicy="Always"),
        ),
        "a tag and a digest that is none": ("images", "or a digest", lambda p, c: c.update(image="tool@sha256:0")),
        "a name that is none": ("images", "or a digest", lambda p, c: c.update(image="ghcr.io/acme/../tool:1")),
        **SCHEDULED,
        **RESTRICTED,
        "a token": ("tokens", "automountServiceAccountToken", lambda p, c: p.pop("automountServiceAccountToken")),
        "a token in a volume": (
            "tokens",
            "projected",
            lambda p, c: p.update(
                volumes=[{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
            ),
        ),
    }
    found = {
        what: Violation(spoilt(change), f"workload-{policy}", message)
        for what, (policy, message, change) in pods.items()
    }
    # Pod Security itself refuses most of a pod.
    pod_itself = spoilt(SCHEDULED["a node of its choice"][2], "Pod")
    found["a pod on a node of its choice"] = Violation(pod_itself, "workload-pods", "remove nodeName")
    for kind in (*MAKERS, "ReplicaSet", "ReplicationController"):
        item = spoilt(lambda p, c: p.update(hostNetwork=True), kind)
        found[f"the network of the node by a {kind}"] = Violation(item, "workload-pods", "hostNetwork")
    return found
