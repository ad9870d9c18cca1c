"""Watch rollouts on small nodes: moving pods, pending pods, and how many stay available."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack

CONTROLLERS = "deployments,statefulsets,daemonsets"


def name(item: Object) -> str:
    """Return the namespace and name of an object."""
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def waiting(stack: Stack) -> list[Object]:
    """Return the pods without a node."""
    return [pod for pod in stack.argocd.list("pods") if not pod["spec"].get("nodeName")]


def moving(stack: Stack) -> list[str]:
    """Return controllers that have not finished their rollout, and terminating pods."""
    leaving = [name(pod) for pod in stack.argocd.list("pods") if "deletionTimestamp" in pod["metadata"]]
    return leaving + [name(item) for item in stack.argocd.list(CONTROLLERS) if not _rolled_out(item)]


def _rolled_out(item: Object) -> bool:
    status, generation = item["status"], item["metadata"]["generation"]
    wanted = status.get("desiredNumberScheduled", item["spec"].get("replicas"))
    updated = status.get("updatedNumberScheduled", status.get("updatedReplicas", 0))
    available = status.get("numberAvailable", status.get("availableReplicas", 0))
    total = status.get("currentNumberScheduled", status.get("replicas", 0))
    return bool(status.get("observedGeneration") == generation and wanted == updated == available == total)


def at_rest(stack: Stack) -> None:
    """Wait until everything that should run is running, and nothing else."""
    stack.until("nothing rolls or waits", lambda: not moving(stack), every=0.5)
    assert waiting(stack) == []
    stack.settle()


def restart(stack: Stack, namespaces: tuple[str, ...]) -> None:
    """Restart everything in some namespaces at the same time, like `kubectl rollout restart`."""
    annotations = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    for namespace in namespaces:
        for item in stack.argocd.list(CONTROLLERS, namespace):
            stack.argocd.api.patch(item["kind"].lower(), item["metadata"]["name"], patch, namespace)


def pods_per_node(stack: Stack) -> Counter[str]:
    """Return the number of pods of each node."""
    return Counter(pod["spec"].get("nodeName", "") for pod in stack.argocd.list("pods"))


def share(stack: Stack) -> str:
    """Return how much of each node is requested, as the scheduler and `kubectl describe nodes` count, and the pods."""
    pods, lines = pods_per_node(stack), []
    for node in stack.argocd.list("nodes"):
        node_name, room = node["metadata"]["name"], int(node["status"]["allocatable"]["pods"])
        described = stack.kubectl("describe", "node", node_name)
        amounts = re.findall(r"^  (cpu|memory) +(\S+) \((\d+%)\)", described, re.MULTILINE)
        requested = ", ".join(f"{resource} {amount} ({percent})" for resource, amount, percent in amounts)
        count = pods[node_name]
        lines.append(f"{node_name}: {requested}, pods {count} of {room} ({100 * count // room}%)")
    return "\n".join(lines)


@contextmanager
def unscheduled(stack: Stack) -> Iterator[dict[str, str]]:
    """Yield a map that, after the block, has the scheduler's message for each pod that did not fit."""

    def failures() -> dict[tuple[str, str], Object]:
        events = stack.argocd.list("events.events.k8s.io")
        # A repeated event is the same object in a new version.
        return {
            (event["metadata"]["uid"], event["metadata"]["resourceVersion"]): event
            for event in events
            if event["reason"] == "FailedScheduling"
        }

    earlier, said = failures(), dict[str, str]()
    yield said
    for key, event in failures().items():
        if key not in earlier:
            said[event["regarding"]["name"]] = event["note"]


@contextmanager
def fewest_available(stack: Stack) -> Iterator[dict[str, int]]:
    """Yield the fewest available pods that each Deployment of more than one has until the block ends, by a watch."""
    wide = {name(item) for item in stack.argocd.list("deployments") if item["spec"]["replicas"] > 1}
    fewest: dict[str, int] = {}
    has_ended = Event()

    def observe() -> None:
        for item in stack.argocd.api.watch("deployments"):
            if has_ended.is_set():
                return
            if name(item) in wide:
                available = item["status"].get("availableReplicas", 0)
                fewest[name(item)] = min(fewest.get(name(item), available), available)

    Thread(target=observe, daemon=True).start()
    stack.until("the watch has begun", lambda: wide <= fewest.keys())
    yield fewest
    has_ended.set()
