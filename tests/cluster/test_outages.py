"""Git is unavailable, empty, or has lost its files: nothing protected is deleted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.cluster import guarded
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.stack import Stack


@pytest.fixture(scope="module")
def outage(stages: Stack) -> Iterator[guarded.Identities]:
    """Make the repository unavailable until the end of these drills, and yield the previous objects."""
    stages.rest()
    before = guarded.everything(stages)
    origin = stages.checkout.origin
    away = origin.with_suffix(".away")
    origin.rename(away)
    try:
        yield before
    finally:
        shutil.rmtree(origin, ignore_errors=True)
        away.rename(origin)
        stages.is_at_rest = False
        stages.argo.refresh()
        stages.argo.refresh_sets()


def wait_for_sets(stages: Stack, message: str) -> None:
    """Wait until every ApplicationSet, of workloads and of add-ons, reports an error."""
    names = stages.argo.sets.keys()
    stages.until(f"the sets say {message!r}", lambda: names <= stages.argo.errors_of_sets(message))


def only_protected(stages: Stack, identities: guarded.Identities) -> guarded.Identities:
    """Return the objects that are not in unprotected environments."""
    suffixes = guarded.unprotected_suffixes(stages)
    return {name: uid for name, uid in identities.items() if not name.split("/")[1].endswith(suffixes)}


def test_an_absent_git_server_changes_nothing(stages: Stack, outage: guarded.Identities) -> None:
    stages.argo.refresh()
    stages.until("Argo CD has noticed", lambda: all(s.startswith("Unknown") for s in workloads(stages).values()))
    wait_for_sets(stages, "repository not found")
    runbook = Runbook(stages, "shop", "prod")
    assert "repository not found" in runbook.type("An ApplicationSet fails", 0)
    stages.until("root says so", lambda: "repository not found" in runbook.type("Git is down", 0))
    assert guarded.everything(stages) == outage


def test_an_empty_repository_changes_nothing(stages: Stack, outage: guarded.Identities) -> None:
    make_empty(stages)
    stages.argo.refresh()
    wait_for_sets(stages, "remote repository is empty")
    stages.until("root has noticed", lambda: stages.argo.state("root").startswith("Unknown"))
    assert guarded.everything(stages) == outage


def test_a_branch_without_files_takes_nothing_that_is_protected(stages: Stack, outage: guarded.Identities) -> None:
    make_empty(stages)
    tree = stages.checkout.git("mktree").strip()
    empty = stages.checkout.git("commit-tree", tree, "-m", "Nothing").strip()
    stages.checkout.git("push", "--quiet", "--force", "origin", f"{empty}:refs/heads/main")
    stages.argo.refresh()
    stages.until("dev is pruned, as documented", lambda: "shop-dev" not in stages.argo.applications)
    stages.argo.refresh_sets()
    stages.until("root has noticed", lambda: stages.argo.state("root").startswith("Unknown"))
    assert {"shop-prod", "shop-staging", "reports-prod"} <= stages.argo.applications.keys()
    assert guarded.protected(stages) == only_protected(stages, outage)


def workloads(stages: Stack) -> dict[str, str]:
    """Return the states of the Applications that read only the repository."""
    return {name: state for name, state in stages.argo.states().items() if name.startswith(("shop-", "reports-"))}


def make_empty(stages: Stack) -> None:
    """Make the Git server return a repository without branches."""
    shutil.rmtree(stages.checkout.origin, ignore_errors=True)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", stages.checkout.origin], check=True)
