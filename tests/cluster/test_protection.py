"""Protected objects survive every commit: a renamed environment, removed ApplicationSets and projects.

One commit does all of it; then the renamed environment is taken out, as documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cluster import guarded, layout, victims
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.scaling import scale
from tests.support.cluster.stack import Stack
from tests.support.repository import render

NEW, OLD, CLUSTER = "live", "prod", "prod"
WORKLOADS = ("shop", "reports")
DESCRIPTION = "Everything in dev"


@dataclass(frozen=True)
class Before:
    """The objects before the commit."""

    revision: str
    identities: guarded.Identities
    sets: guarded.Identities


@pytest.fixture(scope="module")
def renamed(stages: Stack, template: Path) -> Iterator[Before]:
    """Publish a commit that renames prod to live, removes the ApplicationSet of the add-ons, and changes a project."""
    answers = victims.renamed(stages.repository.answers, OLD, NEW)
    with stages.undone():
        before = Before(stages.checkout.head, guarded.protected(stages), guarded.sets_and_projects(stages))
        rendered = render(template, answers, stages.folder / "renamed")
        scale(rendered, list(stages.clusters), min_ready_seconds=0)
        stages.checkout.replace_all(rendered)
        victims.make_by_hand(stages.checkout.work)
        stages.checkout.delete(layout.applicationset(layout.CHARTS_SET))
        stages.checkout.edit(layout.project("dev"), "description: Workloads in dev", f"description: {DESCRIPTION}")
        stages.publish("Rename prod to live, and remove what is protected")
        yield before


def wait_until_live(stages: Stack) -> None:
    """Wait until the workloads of the renamed environment run."""
    for workload in WORKLOADS:
        if (stages.checkout.work / layout.overlay(workload, NEW)).exists():
            stages.until(f"{workload} is live", lambda workload=workload: is_live(stages, workload))  # type: ignore[misc]


def is_live(stages: Stack, workload: str) -> bool:
    """Return whether a workload of the renamed environment is synced."""
    return stages.argo.state(f"{workload}-{NEW}").startswith("Synced")


def test_a_removed_set_of_a_protected_environment_deletes_nothing_and_root_syncs_on(
    stages: Stack, renamed: Before
) -> None:
    def has_synced() -> bool:
        operation = stages.argo.applications["root"]["status"].get("operationState", {})
        revision = operation.get("syncResult", {}).get("revision")
        return bool(operation.get("phase") == "Succeeded" and revision == stages.checkout.head)

    stages.until("root has synced the rest", has_synced)
    stages.until("root says what is kept", lambda: stages.argo.state("root").startswith("OutOfSync"))
    shown = Runbook(stages, "shop", "dev").type("A sync fails or is refused", 1)
    assert f"ApplicationSet/{layout.CHARTS_SET}\n" in shown
    changed = stages.argocd.get("appproject", "dev", "argocd")
    assert changed
    assert changed["spec"]["description"] == DESCRIPTION
    assert renamed.sets.items() <= guarded.sets_and_projects(stages).items()
    kept = {f"{workload}-{OLD}" for workload in WORKLOADS} | {f"traefik-{name}" for name in stages.clusters}
    assert kept <= stages.argo.applications.keys()
    assert renamed.identities.items() <= guarded.protected(stages).items()


def test_a_renamed_environment_leaves_the_protected_one_running(stages: Stack, renamed: Before) -> None:
    wait_until_live(stages)
    assert {f"{workload}-{OLD}" for workload in WORKLOADS} <= stages.argo.applications.keys()
    assert renamed.identities.items() <= guarded.protected(stages).items()


def test_a_protected_workload_goes_by_the_documented_commands(stages: Stack, renamed: Before) -> None:
    wait_until_live(stages)
    before, namespace = guarded.protected(stages), f"reports-{NEW}"
    assert guarded.inside(before, namespace)
    stages.checkout.delete(layout.overlay("reports", NEW))
    stages.publish("Take reports out of live")
    remove_protected(stages, "reports", NEW)
    stages.until("it is gone", lambda: not stages.clusters[CLUSTER].get("namespace", namespace))
    assert namespace not in stages.argo.applications
    assert guarded.protected(stages) == guarded.outside(before, namespace)


def test_a_protected_environment_goes_by_the_documented_commands(stages: Stack, renamed: Before) -> None:
    wait_until_live(stages)
    stages.restore(renamed.revision)
    for workload in WORKLOADS:
        if f"{workload}-{NEW}" in stages.argo.applications:
            remove_protected(stages, workload, NEW)
    assert f"workloads-{NEW}" in stages.argo.sets
    for block in stages.documented("operations.md", "Take an environment out"):
        stages.type(filled(block, environment=NEW))
    stages.settle()
    assert guarded.sets_and_projects(stages) == renamed.sets
    assert guarded.protected(stages) == renamed.identities


def remove_protected(stack: Stack, workload: str, environment: str) -> None:
    """Type the commands of docs/operations.md that take out a protected workload."""
    # The first block is about environments that are not protected.
    _, exports, *commands = stack.documented("operations.md", "Take a workload out")
    for block in commands:
        stack.type(filled(exports, workload=workload, environment=environment, cluster=CLUSTER) + block)


def filled(commands: str, **names: str) -> str:
    """Return documented commands with their placeholders replaced, such as <workload>."""
    return re.sub(r"<(\w+)>", lambda placeholder: names[placeholder[1]], commands)
