"""What the admission policies refuse: one object per way, right but for one thing. Both gates are held against it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

Object = dict[str, Any]
IMAGE = "ghcr.io/acme/tool:1.0"


class Violation(NamedTuple):
    """An object that a policy refuses.

    Attributes:
        item: The object, without a namespace.
        policy: The policy that refuses it.
        message: What that policy says, in part.
    """

    item: Object
    policy: str
    message: str


def pod() -> Object:
    """The specification of a pod that no policy refuses."""
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "tool",
                "image": IMAGE,
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }


def maker(kind: str = "Deployment", spec: Object | None = None) -> Object:
    """An object that makes such pods."""
    labels = {"app": "tool"}
    template: Object = {"metadata": {"labels": labels}, "spec": spec or pod()}
    selected = {"selector": {"matchLabels": labels}, "template": template}
    job = {"template": {"spec": template["spec"] | {"restartPolicy": "Never"}}}
    item: Object = {"metadata": {"name": "tool"}, "apiVersion": "apps/v1", "kind": kind, "spec": selected}
    match kind:
        case "Job":
            item |= {"apiVersion": "batch/v1", "spec": job}
        case "CronJob":
            item |= {"apiVersion": "batch/v1", "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": job}}}
        case "StatefulSet":
            selected["serviceName"] = "tool"  # type: ignore[assignment]
    return item


def service(**spec: Any) -> Object:
    """A Service."""
    spec = {"selector": {"app": "tool"}, "ports": [{"port": 80}]} | spec
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "tool"}, "spec": spec}


def route(match: str) -> Object:
    """An IngressRoute."""
    routes = [{"kind": "Rule", "match": match, "services": [{"name": "tool", "port": 80}]}]
    spec = {"entryPoints": ["websecure"], "routes": routes}
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": {"name": "tool"}, "spec": spec}


def accepted(domain: str) -> list[Object]:
    """Objects that no policy refuses, in an environment of the domain."""
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
    mutable = maker()
    mutable["metadata"]["annotations"] = {"workload-images": "mutable-tag"}
    mutable["spec"]["template"]["spec"]["containers"][0]["image"] = "tool:latest"
    routes = [
        f"Host(`{domain}`)",
        f"Host(`a.{domain}`) && PathPrefix(`/api`) && !Path(`/api/private`)",
        f'(Host(`a.{domain}`) || Host("b.c.{domain}")) && Headers(`X-A`, `b`)',
        f"Host(`a.{domain}`)||Host(`b.{domain}`)",
    ]
    made = [maker(spec=spec) for spec in (digest, own, volumes)]
    return named([*map(maker, MAKERS), *made, mutable, service(), service(clusterIP="None"), *map(route, routes)])


def named(items: list[Object]) -> list[Object]:
    """The objects under names that differ."""
    return [item | {"metadata": item["metadata"] | {"name": f"tool-{index}"}} for index, item in enumerate(items)]


def excepted(seeded: str, policy: str, namespace: str) -> str:
    """The seeded file of exceptions with the example in it, for a policy and a namespace."""
    head, _, rest = seeded.partition("patches: []\n")
    example = rest.partition("# patches:\n")[2].partition("#   # An add-on")[0]
    text = head + "patches:\n" + "".join(line.removeprefix("# ") for line in example.splitlines(keepends=True))
    return text.replace("workload-pods", policy).replace("<workload>-<environment>", namespace)


MAKERS = ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet")


def _spoilt(change: Callable[[Object, Object], Any], kind: str = "Deployment") -> Object:
    spec = deepcopy(pod())
    change(spec, spec["containers"][0])
    return maker(kind, spec)


def violations(domain: str) -> dict[str, Violation]:
    """One violation of each kind that the policies are there for, in an environment of the domain."""
    pods: dict[str, tuple[str, str, Callable[[Object, Object], Any]]] = {
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
        what: Violation(_spoilt(change), f"workload-{policy}", message)
        for what, (policy, message, change) in pods.items()
    }
    for kind in MAKERS:
        item = _spoilt(lambda p, c: p.update(hostNetwork=True), kind)
        found[f"the network of the node by a {kind}"] = Violation(item, "workload-pods", "hostNetwork")
    services = {
        "a load balancer": service(type="LoadBalancer"),
        "a port of all nodes": service(type="NodePort"),
        "a name elsewhere": service(type="ExternalName", externalName="example.com"),
        "an address of others": service(externalIPs=["192.0.2.1"]),
    }
    found |= {what: Violation(item, "workload-services", "type ClusterIP") for what, item in services.items()}
    foreign = f"hosts are under {domain}, the domain of the environment: "
    routes = {
        "a host elsewhere": ("Host(`example.org`)", foreign + "example.org"),
        "a host that ends alike": (f"Host(`x{domain}`)", foreign + f"x{domain}"),
        "a second host elsewhere": (f"Host(`a.{domain}`) || Host(`example.org`)", "example.org"),
        "no host": ("PathPrefix(`/`)", "a route begins with its host"),
        "no host, too": (f"Host(`a.{domain}`) || PathPrefix(`/`)", "a route begins with its host"),
        "no host after a path": (f"Host(`a.{domain}`) && Path(`/`) || Path(`/b`)", "a route begins with its host"),
        "any host": ("HostRegexp(`.*`)", "a route begins with its host"),
        "any host but one": (f"!Host(`a.{domain}`)", "a route begins with its host"),
    }
    found |= {what: Violation(route(match), "workload-hosts", said) for what, (match, said) in routes.items()}
    role: Object = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {}, "rules": []}
    found["a role in the whole cluster"] = Violation(role, "workload-kinds", "whole cluster")
    names = named([violation.item for violation in found.values()])
    return {what: violation._replace(item=item) for (what, violation), item in zip(found.items(), names, strict=True)}
