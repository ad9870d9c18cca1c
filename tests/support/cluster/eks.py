"""Create what EKS itself runs, with the default requests of its add-ons and of their vendors' charts.

Only what matters to the scheduler, from hooks/sizing.json. The sources, as of 2026:

- aws-node and its network policy agent: aws-vpc-cni 1.22.4 in github.com/aws/eks-charts; the add-on gives the agent the
  requests of aws-node, as `kubectl describe` of v1.21.1-eksbuild.5 shows;
- eks-pod-identity-agent: the chart in github.com/aws/eks-pod-identity-agent, which requests nothing;
- aws-load-balancer-controller: the chart in github.com/aws/eks-charts, which requests nothing either;
- kube-proxy, coredns and metrics-server have no public chart: `kubectl describe` of v1.34.3-eksbuild.5,
  v1.13.2-eksbuild.1 and v0.8.0-eksbuild.3.
"""

from __future__ import annotations

import itertools
from typing import Any

from tests.support import sizing
from tests.support.cluster import layout
from tests.support.cluster.api import Object

NODE, CLUSTER = "system-node-critical", "system-cluster-critical"
NAMESPACE = "kube-system"
# The add-ons that every rendered repository installs.
ALWAYS = (layout.POLICIES, *layout.CHARTS)


def addons() -> list[Object]:
    """Return the add-ons as objects."""
    one_at_a_time = {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}}
    table = sizing.table()["eks"]
    each_node = (daemon(name, sizing.per_pod(requests)) for name, requests in table["each_node"].items())
    once = (pair(name, sizing.per_pod(requests), strategy=one_at_a_time) for name, requests in table["cluster"].items())
    return [*each_node, *itertools.chain(*once), *provided()]


def provided() -> list[Object]:
    """Return the add-ons that a cluster may already have, or get from the template."""
    requests = sizing.table()["eks"]["provided"]
    return [item for name in requests for item in pair(name, sizing.per_pod(requests[name]))]


def installed() -> list[Object]:
    """Return what the optional add-ons of the template request, instead of their charts."""
    optional = {name: requests for name, requests in sizing.addons().items() if name not in ALWAYS}
    return [
        item
        for name, requests in optional.items()
        for item in pair(name, sizing.per_pod(requests._asdict()), replicas=requests.pods)
    ]


def daemon(name: str, *requests: dict[str, str]) -> Object:
    """Return a DaemonSet with these requests."""
    pod = _pod(NODE, *requests) | {"hostNetwork": True, "tolerations": [{"operator": "Exists"}]}
    return _controller("DaemonSet", name, pod, {})


def pair(name: str, *requests: dict[str, str], **spec: Any) -> tuple[Object, Object]:
    """Return two pods that prefer different nodes, and the budget that keeps one of them."""
    term = {"labelSelector": {"matchLabels": _labels(name)}, "topologyKey": "kubernetes.io/hostname"}
    prefer = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    pod = _pod(CLUSTER, *requests) | {"affinity": {"podAntiAffinity": prefer}}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(name)}},
    }
    return _controller("Deployment", name, pod, {"replicas": 2, **spec}), budget


def _labels(name: str) -> dict[str, str]:
    return {"k8s-app": name}


def _pod(priority: str, *requests: dict[str, str]) -> Object:
    containers = [
        {"name": f"container-{index}", "image": "example.com/eks:1", "resources": {"requests": amounts}}
        for index, amounts in enumerate(requests)
    ]
    return {"priorityClassName": priority, "containers": containers}


def _controller(kind: str, name: str, pod: Object, spec: Object) -> Object:
    template = {"metadata": {"labels": _labels(name)}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": _labels(name)}, "template": template, **spec},
    }
