"""Add up the requests of pods like the scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gitops.validation.quantities import exact
from tests.support.repository import Document
from tests.support.sizing import Requests

CONTROLLERS = ("Deployment", "StatefulSet")
# The scheduler also places these, but the sums omit them.
OTHERS = ("CronJob", "DaemonSet", "Job", "Pod")


def requested(documents: Iterable[Document]) -> Requests:
    """Return what the pods of some objects request, with the fewest that an autoscaler runs."""
    documents = list(documents)
    fewest = {
        item["spec"]["scaleTargetRef"]["name"]: item["spec"]["minReplicas"]
        for item in documents
        if item["kind"] == "HorizontalPodAutoscaler"
    }
    total = Requests()
    for item in documents:
        if item["kind"] in CONTROLLERS:
            count = fewest.get(item["metadata"]["name"], item["spec"].get("replicas", 1))
            total += _of_pod(item["spec"]["template"]["spec"]).times(count)
        assert item["kind"] not in OTHERS
    return total


def _of_pod(spec: Document) -> Requests:
    """Return what a scheduler counts for a pod: all containers together, or a larger one that runs before them."""
    together = _of_containers(spec["containers"])
    before = [_of_containers([container]) for container in spec.get("initContainers", [])]
    return Requests(*(max(amounts) for amounts in zip(together, *before, strict=True)))._replace(pods=1)


def _of_containers(containers: list[Document]) -> Requests:
    amounts = [container.get("resources", {}).get("requests", {}) for container in containers]
    cpu, memory = (_sum(amounts, resource) for resource in ("cpu", "memory"))
    assert cpu * 1000 % 1 == memory % 2**20 == 0
    return Requests(int(cpu * 1000), int(memory / 2**20))


def _sum(amounts: list[Document], resource: str) -> Decimal:
    quantities = [exact(amount.get(resource, 0)) for amount in amounts]
    assert None not in quantities
    return sum(filter(None, quantities), Decimal())
