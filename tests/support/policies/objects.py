"""Objects that the admission policies accept; each case breaks one in one way."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

Object = dict[str, Any]
IMAGE = "ghcr.io/acme/tool:1.0"


class Violation(NamedTuple):
    """An object that a policy rejects.

    Attributes:
        item: The object, without a namespace.
        policy: The policy that rejects it.
        message: Part of the policy's message.
    """

    item: Object
    policy: str
    message: str


def pod() -> Object:
    """The specification of a pod that no policy rejects."""
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
        case "Pod":
            item |= {"apiVersion": "v1", "spec": template["spec"]}
        case "ReplicationController":
            item |= {"apiVersion": "v1", "spec": {"selector": labels, "template": template}}
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


def served(match: str, target: str) -> list[Object]:
    """An IngressRoute that points to the endpoint of a cluster, and the Service that it reaches."""
    return [marked(route(match), {"annotations": {"external-dns.kubernetes.io/target": target}}), service()]


MAKERS = ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet")


def named(items: list[Object]) -> list[Object]:
    """The objects under names that differ."""
    return [item | {"metadata": item["metadata"] | {"name": f"tool-{index}"}} for index, item in enumerate(items)]


def marked(item: Object, *metadata: Object) -> Object:
    """The object with more metadata: later fields replace earlier ones, labels and annotations are added."""
    found = dict(item["metadata"])
    for fields in metadata:
        found |= {
            name: found.get(name, {}) | value if isinstance(value, dict) else value for name, value in fields.items()
        }
    return item | {"metadata": found}


def spoilt(change: Callable[[Object, Object], Any], kind: str = "Deployment") -> Object:
    spec = deepcopy(pod())
    change(spec, spec["containers"][0])
    return maker(kind, spec)
