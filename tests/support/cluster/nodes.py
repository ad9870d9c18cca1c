"""Configure KWOK: nodes and pods that only report a status, and the addresses that a cloud gives to Services."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import yaml

from tests.support import engines, sizing

Object = dict[str, Any]
# The suffix of the image tag decides how a pod of a Job ends: 1.2.0-fails, 1.2.0-hangs. Others succeed immediately.
FAILS, HANGS = "-fails", "-hangs"
# KWOK has no built-in stages and metrics: they are files in its module.
PARTS = ("stage/fast", "metrics/usage")
# To compute CPU use, the metrics API needs two scrapes, or containers that started 10 s ago and
# after the previous scrape. All report that, with their use since: autoscalers wait for one scrape, at most 12 s.
METRICS_SECONDS = 12
STARTED_SECONDS = 10.5
METRICS = {
    "container_start_time_seconds": f"UnixSecond(Now()) - {STARTED_SECONDS}",
    "container_cpu_usage_seconds_total": f'pod.Usage("cpu", container.name) * {STARTED_SECONDS}',
}


@dataclass(frozen=True)
class Node:
    """What a node offers to pods, minus the reservations of the kubelet and the system."""

    name: str
    cpu: str = "32"
    memory: str = "128Gi"
    storage: str = "80Gi"
    pods: int = 1000
    zone: str = "a"
    arch: str = "amd64"

    def manifest(self) -> Object:
        """Return the manifest of the node."""
        labels = {
            "kubernetes.io/arch": self.arch,
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": self.zone,
        }
        annotations = {
            "kwok.x-k8s.io/node": "fake",
            "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{self.name}/metrics/resource",
        }
        metadata = {"name": self.name, "labels": labels, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}

    def status(self) -> Object:
        """Return a patch for its status."""
        amounts = {"cpu": self.cpu, "memory": self.memory, "ephemeral-storage": self.storage}
        resources = amounts | {"pods": str(self.pods)}
        return {"status": {"allocatable": resources, "capacity": resources}}


# Two t3.small nodes, as in docs/sizing.md: 2 vCPU and 2 GiB each, minus the reservations.
T3_SMALL, T3_SMALL_WITH_PREFIXES = sizing.size("t3.small"), sizing.size("t3.small with prefix delegation")
PODS_WITH_PREFIX_DELEGATION, PODS_WITHOUT_PREFIX_DELEGATION = T3_SMALL_WITH_PREFIXES.pods, T3_SMALL.pods
SMALL = [
    Node(f"small-{zone}", f"{T3_SMALL.cpu}m", f"{T3_SMALL.memory}Mi", pods=PODS_WITH_PREFIX_DELEGATION, zone=zone)
    for zone in "ab"
]


def is_ready(node: Object) -> bool:
    """Return whether a node is ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))


def has(node: Object, wanted: Node) -> bool:
    """Return whether a node offers what it should."""
    allocatable, expected = node["status"]["allocatable"], wanted.status()["status"]["allocatable"]
    return all(allocatable[resource] == amount for resource, amount in expected.items())


def configuration(load_balancer: str, grace_seconds: int) -> str:
    """Return the text of KWOK's configuration.

    Args:
        load_balancer: The host name that Services of type LoadBalancer get.
        grace_seconds: How long a terminating pod still occupies its node.
    """
    module = engines.go_module("sigs.k8s.io/kwok", pinned_in="kubernetes")
    documents = [item for part in PARTS for item in engines.kustomize_build(module / "kustomize" / part)]
    for document in documents:
        if document["metadata"]["name"] == "pod-delete":
            document["spec"]["delay"] = {"durationMilliseconds": 1000 * grace_seconds}
        for metric in document["spec"].get("metrics", []):
            metric["value"] = METRICS.get(metric["name"], metric["value"])
    complete = next(document for document in documents if document["metadata"]["name"] == "pod-complete")
    failed = _failures(complete)
    _select_image(complete, "NotIn", FAILS, HANGS)
    return yaml.safe_dump_all([*documents, failed, _load_balancers(load_balancer)])


def _failures(complete: Object) -> Object:
    """Return a copy of the stage that completes pods of Jobs, in which they fail."""
    failed = copy.deepcopy(complete)
    failed["metadata"]["name"] = "pod-fail"
    _select_image(failed, "In", FAILS)
    template = failed["spec"]["next"]["statusTemplate"]
    for old, new in {"exitCode: 0": "exitCode: 1", "Completed": "Error", "Succeeded": "Failed"}.items():
        assert template.count(old) == 1
        template = template.replace(old, new)
    failed["spec"]["next"]["statusTemplate"] = template
    return failed


def _select_image(stage: Object, operator: str, *suffixes: str) -> None:
    """Limit a stage to pods whose image ends with one of some suffixes, or with none of them."""
    key = f'.spec.containers[0].image | capture("(?<end>{"|".join(suffixes)})$").end'
    stage["spec"]["selector"]["matchExpressions"].append({"key": key, "operator": operator, "values": [*suffixes]})


def _load_balancers(host: str) -> Object:
    """Return a stage that acts as the load balancer controller: it sets a host name on each Service of its type."""
    wants = {"key": ".spec.type", "operator": "In", "values": ["LoadBalancer"]}
    has_none = {"key": ".status.loadBalancer.ingress", "operator": "DoesNotExist"}
    status = {"loadBalancer": {"ingress": [{"hostname": host}]}}
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": "load-balancer"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Service"},
            "selector": {"matchExpressions": [wants, has_none]},
            "next": {"statusTemplate": yaml.safe_dump(status)},
        },
    }
