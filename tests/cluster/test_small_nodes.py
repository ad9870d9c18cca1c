"""Two t3.small nodes: everything is scheduled, also while all of it rolls, and on one while the other drains."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import eks
from tests.cluster.conftest import PODS_WITH_PREFIX_DELEGATION, PODS_WITHOUT_PREFIX_DELEGATION, SMALL
from tests.cluster.kubernetes import Object
from tests.cluster.sandbox import PATIENCE
from tests.cluster.stack import Stack
from tests.conftest import render

Measured = Callable[[str], None]
CONTROLLERS = "deployments,statefulsets,daemonsets"
OURS = ("argocd", "external-dns", "traefik", "whoami-dev")
OVERRIDES = "apps/platform/traefik/values/overrides-main.yaml"
# Tests need not wait a minute for each new pod of Traefik.
SOONER = {"deployment": {"minReadySeconds": 5}}


@pytest.fixture(scope="module")
def crowded(installed: Stack) -> Iterator[Stack]:
    """The smallest example beside what EKS itself runs, with a Traefik that rolls sooner."""
    with installed.argocd.applied(*eks.addons()), installed.undone():
        tune(installed, SOONER)
        at_rest(installed)
        yield installed


def tune(stack: Stack, *values: dict[str, Any]) -> None:
    """Commit values for Traefik where people tune it, and wait until Argo CD has followed."""
    merged: dict[str, Any] = {}
    for given in values:
        merged |= given
    (stack.work / OVERRIDES).write_text(yaml.safe_dump(merged))
    stack.publish("Tune Traefik")
    stack.settle()


def name(item: Object) -> str:
    """Namespace and name of an object."""
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def waiting(stack: Stack) -> list[Object]:
    """The pods that found no node."""
    return [pod for pod in stack.argocd.list("pods") if not pod["spec"].get("nodeName")]


def moving(stack: Stack) -> list[str]:
    """The controllers that do not yet run as many pods as they want, all of the newest kind, and pods that leave."""
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
    """Wait until all that should run does, and nothing else."""
    stack.until("nothing rolls or waits", lambda: not moving(stack))
    assert waiting(stack) == []
    stack.settle()


def restart(stack: Stack, namespaces: tuple[str, ...]) -> None:
    """Let everything in some namespaces roll at once."""
    for namespace in namespaces:
        names = stack.kubectl("get", CONTROLLERS, "--namespace", namespace, "--output", "name").split()
        stack.kubectl("rollout", "restart", "--namespace", namespace, *names)


def pods_per_node(stack: Stack) -> Counter[str]:
    """How many pods each node has."""
    return Counter(pod["spec"].get("nodeName", "") for pod in stack.argocd.list("pods"))


def share(stack: Stack) -> str:
    """How much of each node is requested, as the scheduler counts: `kubectl describe nodes`, and the pods."""
    pods, lines = pods_per_node(stack), []
    for node in stack.argocd.list("nodes"):
        node_name, room = node["metadata"]["name"], int(node["status"]["allocatable"]["pods"])
        described = stack.kubectl("describe", "node", node_name)
        amounts = re.findall(r"^  (cpu|memory) +(\S+) \((\d+%)\)", described, re.MULTILINE)
        requested = ", ".join(f"{resource} {amount} ({percent})" for resource, amount, percent in amounts)
        count = pods[node_name]
        lines.append(f"{node_name}: {requested}, pods {count} of {room} ({100 * count // room}%)")
    return "\n".join(lines)


def listed(names: Iterable[str]) -> str:
    """Names as a line."""
    return ", ".join(sorted(names)) or "nothing"


@contextmanager
def unscheduled(stack: Stack) -> Iterator[dict[str, str]]:
    """What the scheduler says of pods that it finds no place for until the end of the block: known then."""

    def failures() -> dict[tuple[str, str], Object]:
        events = stack.argocd.list("events.v1.events.k8s.io")
        # An event that happens again is the same object, in another version.
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
    """The fewest available pods that each Deployment of more than one has until the end of the block: known then."""
    wide = {name(item) for item in stack.argocd.list("deployments") if item["spec"]["replicas"] > 1}
    line = "{.metadata.namespace}/{.metadata.name} {.status.availableReplicas}{'\\n'}"
    log = stack.folder / "log/availability.log"
    log.unlink(missing_ok=True)
    watch = ["get", "deployments", "--all-namespaces", "--watch", f"--output=jsonpath={line}"]
    stack.sandbox.start("availability", "kubectl", *watch)
    stack.until("the watch has begun", lambda: wide <= {line.split()[0] for line in log.read_text().splitlines()})
    fewest: dict[str, int] = {}
    yield fewest
    stack.sandbox.end("availability")
    for observed in log.read_text().splitlines():
        deployment, _, count = observed.partition(" ")
        if deployment in wide:
            fewest[deployment] = min(fewest.get(deployment, 99), int(count or 0))


def set_pods_per_node(stack: Stack, count: int) -> None:
    """Say how many pods each node takes."""
    amount = {"pods": str(count)}
    status = json.dumps({"status": {"allocatable": amount, "capacity": amount}})
    for node in SMALL:
        stack.kubectl("patch", "node", node.name, "--subresource=status", "--type=merge", "--patch", status)


def test_everything_is_scheduled(crowded: Stack, measured: Measured) -> None:
    at_rest(crowded)
    measured(f"requested on two t3.small with prefix delegation:\n{share(crowded)}")


def test_nothing_waits_while_everything_rolls_at_once(crowded: Stack) -> None:
    at_rest(crowded)
    with unscheduled(crowded) as said, fewest_available(crowded) as fewest:
        restart(crowded, (eks.NAMESPACE, *OURS))
        at_rest(crowded)
    assert said == {}
    assert [deployment for deployment, count in fewest.items() if not count] == []


def test_one_node_holds_everything_while_the_other_drains(crowded: Stack, measured: Measured) -> None:
    at_rest(crowded)
    node = SMALL[1].name
    try:
        with unscheduled(crowded) as said, fewest_available(crowded) as fewest:
            crowded.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", seconds=PATIENCE)
            at_rest(crowded)
        measured(f"requested while {node} is drained:\n{share(crowded)}")
    finally:
        crowded.kubectl("uncordon", node)
    measured(f"waits for a while when {node} drains: {listed(said)}")
    assert [deployment for deployment, count in fewest.items() if not count] == []


def test_the_documented_profile_fits_eleven_pods_per_node(
    crowded: Stack, template: Path, tmp_path: Path, measured: Measured
) -> None:
    at_rest(crowded)
    page = (crowded.work / "docs/installation.md").read_text()
    (profile,) = re.findall(r"^```yaml\n(.*?)^```$", page.split("### Small nodes\n")[1].split("\n## ")[0], re.M | re.S)
    workloads = [workload | {"replicas": 1} for workload in crowded.repository.answers["workloads"]]
    one_each = render(template, crowded.repository.answers | {"workloads": workloads}, tmp_path / "one-each")
    with crowded.undone():
        try:
            for folder in ("apps/workloads", "docs"):
                shutil.copytree(one_each / folder, crowded.work / folder, dirs_exist_ok=True)
            tune(crowded, SOONER, yaml.safe_load(profile))
            # What the profile is for: places left for what a rollout has more for a moment.
            places = len(SMALL) * PODS_WITHOUT_PREFIX_DELEGATION
            crowded.until("two places are free", lambda: sum(pods_per_node(crowded).values()) <= places - 2)
            set_pods_per_node(crowded, PODS_WITHOUT_PREFIX_DELEGATION)
            at_rest(crowded)
            with unscheduled(crowded) as said:
                # The scheduler evicts nothing when a node takes fewer pods: it counts when it places them anew.
                restart(crowded, OURS)
                at_rest(crowded)
            measured(f"requested on two t3.small with 11 pods each, in the documented profile:\n{share(crowded)}")
            measured(f"waits for a while when the repository rolls with 11 pods each: {listed(said)}")
            assert max(pods_per_node(crowded).values()) <= PODS_WITHOUT_PREFIX_DELEGATION
        finally:
            set_pods_per_node(crowded, PODS_WITH_PREFIX_DELEGATION)
