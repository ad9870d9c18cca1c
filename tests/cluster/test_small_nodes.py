"""Two t3.small nodes run everything, even while everything rolls. One runs everything while the other drains.

Pods become ready and stop in scaled time, with the ratio of Traefik's pods.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import eks, layout
from tests.support.cluster.nodes import PODS_WITH_PREFIX_DELEGATION, PODS_WITHOUT_PREFIX_DELEGATION, SMALL, has
from tests.support.cluster.rollouts import (
    at_rest,
    fewest_available,
    moving,
    pods_per_node,
    restart,
    share,
    unscheduled,
    waiting,
)
from tests.support.cluster.sandbox import PATIENCE
from tests.support.cluster.scaling import MIN_READY_SECONDS, tune_traefik
from tests.support.cluster.stack import Stack
from tests.support.repository import render

Measured = Callable[[str], None]
WORKLOAD = "whoami-dev"
PLATFORM = ("argocd", *layout.CHARTS)
OURS = (*PLATFORM, WORKLOAD)
# More of the smallest pods than fit on both nodes: they fill every gap.
CROWD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "crowd", "namespace": "default"},
    "spec": {
        "replicas": 60,
        "selector": {"matchLabels": {"app": "crowd"}},
        "template": {
            "metadata": {"labels": {"app": "crowd"}},
            "spec": {
                "containers": [
                    {
                        "name": "crowd",
                        "image": "example.com/crowd:1.0.0",
                        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
                    }
                ]
            },
        },
    },
}


@pytest.fixture(scope="module")
def crowded(installed: Stack) -> Iterator[Stack]:
    """Yield the smallest example beside what EKS itself runs."""
    with installed.argocd.applied(*eks.addons()):
        installed.rest()
        at_rest(installed)
        assert all(has(installed.argocd.get("node", node.name) or {}, node) for node in SMALL)
        yield installed


def tune(stack: Stack, values: dict[str, Any]) -> None:
    """Commit users' settings of Traefik in scaled time, and wait until Argo CD has applied them."""
    scaled = values.get("deployment", {}) | {"minReadySeconds": MIN_READY_SECONDS}
    tune_traefik(stack.checkout.work, "main", values | {"deployment": scaled})
    stack.publish("Tune Traefik")
    stack.settle()


def listed(names: Iterable[str]) -> str:
    """Return names as a line."""
    return ", ".join(sorted(names)) or "nothing"


def set_pods_per_node(stack: Stack, count: int) -> None:
    """Set how many pods each node takes."""
    amount = {"pods": str(count)}
    for node in SMALL:
        status = {"status": {"allocatable": amount, "capacity": amount}}
        stack.argocd.api.patch("nodes", node.name, status, subresource="status")


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


def test_a_workload_that_fills_the_nodes_does_not_displace_the_platform(crowded: Stack) -> None:
    def rolling() -> list[str]:
        return [name for name in moving(crowded) if name.partition("/")[0] in PLATFORM]

    at_rest(crowded)
    with crowded.argocd.applied(CROWD):
        crowded.until("no pod more fits", lambda: bool(waiting(crowded)))
        # Each new pod must replace one of the crowd.
        restart(crowded, PLATFORM)
        crowded.until("the platform has rolled", lambda: not rolling(), every=0.5)
        pods = [pod for namespace in PLATFORM for pod in crowded.argocd.list("pods", namespace)]
        assert {pod["status"]["phase"] for pod in pods} == {"Running"}
        assert {pod["spec"]["priorityClassName"] for pod in pods} == {eks.CLUSTER}
        assert waiting(crowded)
    crowded.until("the crowd has gone", lambda: not waiting(crowded))
    at_rest(crowded)


def drain(stack: Stack, node: str, measured: Measured) -> None:
    """Drain a node, and wait until the other one runs everything."""
    try:
        with unscheduled(stack) as said, fewest_available(stack) as fewest:
            stack.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", seconds=PATIENCE)
            at_rest(stack)
        measured(f"requested while {node} is drained:\n{share(stack)}")
    finally:
        stack.kubectl("uncordon", node)
    measured(f"waits for a while when {node} drains: {listed(said)}")
    assert [deployment for deployment, count in fewest.items() if not count] == []


def test_one_node_holds_everything_while_the_other_drains(crowded: Stack, measured: Measured) -> None:
    at_rest(crowded)
    drain(crowded, SMALL[1].name, measured)


def test_so_it_is_with_every_add_on(crowded: Stack, measured: Measured) -> None:
    """With the template's add-ons instead of the cluster's, a node has the load of docs/sizing.md."""
    at_rest(crowded)
    for item in eks.provided():
        crowded.argocd.api.delete(item["kind"].lower(), item["metadata"]["name"], eks.NAMESPACE)
    try:
        with crowded.argocd.applied(*eks.installed()):
            at_rest(crowded)
            measured(f"requested on two t3.small with every add-on:\n{share(crowded)}")
            with unscheduled(crowded) as said, fewest_available(crowded) as fewest:
                restart(crowded, (eks.NAMESPACE, *OURS))
                at_rest(crowded)
            assert said == {}
            assert [deployment for deployment, count in fewest.items() if not count] == []
            drain(crowded, SMALL[0].name, measured)
    finally:
        crowded.argocd.apply(*eks.provided())


def test_the_documented_profile_fits_eleven_pods_per_node(
    crowded: Stack, template: Path, tmp_path: Path, measured: Measured
) -> None:
    at_rest(crowded)
    page = (crowded.checkout.work / "docs/installation.md").read_text()
    (profile,) = re.findall(r"^```yaml\n(.*?)^```$", page.split("### Small nodes\n")[1].split("\n## ")[0], re.M | re.S)
    workloads = [workload | {"replicas": 1} for workload in crowded.repository.answers["workloads"]]
    one_each = render(template, crowded.repository.answers | {"workloads": workloads}, tmp_path / "one-each")
    with crowded.undone():
        try:
            for folder in (layout.WORKLOADS, "docs"):
                shutil.copytree(one_each / folder, crowded.checkout.work / folder, dirs_exist_ok=True)
            tune(crowded, yaml.safe_load(profile))
            # The profile leaves room for the additional pods of a rollout.
            places = len(SMALL) * PODS_WITHOUT_PREFIX_DELEGATION
            crowded.until("two places are free", lambda: sum(pods_per_node(crowded).values()) <= places - 2)
            set_pods_per_node(crowded, PODS_WITHOUT_PREFIX_DELEGATION)
            at_rest(crowded)
            with unscheduled(crowded) as said:
                # The scheduler evicts nothing if a node takes fewer pods: the limit applies to new pods.
                restart(crowded, OURS)
                at_rest(crowded)
            measured(f"requested on two t3.small with 11 pods each, in the documented profile:\n{share(crowded)}")
            measured(f"waits for a while when the repository rolls with 11 pods each: {listed(said)}")
            assert max(pods_per_node(crowded).values()) <= PODS_WITHOUT_PREFIX_DELEGATION
        finally:
            set_pods_per_node(crowded, PODS_WITH_PREFIX_DELEGATION)
