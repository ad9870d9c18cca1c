"""Two commits: unprotected objects that are removed from Git are pruned, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import guarded, layout, victims
from tests.support.cluster.stack import Stack

SHOP, TRIAL, BY_HAND = "shop-dev", f"{victims.TRIAL}-test", f"{victims.BY_HAND}-dev"


@pytest.fixture(scope="module")
def removed(stages: Stack) -> Iterator[guarded.Identities]:
    """Publish a commit that removes a workload of dev, one created by hand, and the ApplicationSet of test."""
    with stages.undone():
        before = guarded.everything(stages)
        assert all(guarded.inside(before, namespace) for namespace in (SHOP, TRIAL))
        stages.checkout.delete(layout.overlay("shop", "dev"))
        stages.checkout.delete(f"{layout.WORKLOADS}/{victims.BY_HAND}")
        stages.checkout.delete(layout.workloads_set("test"))
        stages.publish("Remove what is not protected")
        yield before


@pytest.fixture(scope="module")
def emptied(stages: Stack, removed: guarded.Identities) -> guarded.Identities:
    """Publish a second commit that removes every workload of every environment. Yield the protected objects."""
    stages.until(
        "the first commit has been followed", lambda: not {SHOP, TRIAL, BY_HAND} & stages.argo.applications.keys()
    )
    before = guarded.protected(stages)
    stages.checkout.delete(layout.WORKLOADS)
    stages.publish("Empty the workloads")
    return before


def wait_until_gone(stages: Stack, namespace: str) -> None:
    """Wait until an Application and all its objects are deleted; its namespace stays."""
    stages.until(f"{namespace} is gone", lambda: namespace not in stages.argo.applications)
    stages.until("its objects are gone", lambda: not guarded.inside(guarded.everything(stages), namespace))
    assert stages.clusters[victims.CLUSTER].get("namespace", namespace)


def test_a_workload_that_leaves_an_unprotected_environment_is_pruned(
    stages: Stack, removed: guarded.Identities
) -> None:
    wait_until_gone(stages, SHOP)


def test_a_workload_made_by_hand_goes_with_its_folder(stages: Stack, removed: guarded.Identities) -> None:
    wait_until_gone(stages, BY_HAND)
    assert not stages.clusters[victims.CLUSTER].get("configmap", "settings", BY_HAND)


def test_a_removed_set_of_an_unprotected_environment_prunes_it_as_documented(
    stages: Stack, removed: guarded.Identities
) -> None:
    wait_until_gone(stages, TRIAL)
    assert "workloads-test" not in stages.argo.sets


def test_what_was_not_removed_is_what_it_was(stages: Stack, removed: guarded.Identities) -> None:
    gone = (SHOP, TRIAL, BY_HAND)
    for namespace in gone:
        wait_until_gone(stages, namespace)
    assert guarded.outside(guarded.everything(stages), *gone) == guarded.outside(removed, *gone)


def test_an_emptied_workloads_folder_deletes_only_what_is_not_protected(
    stages: Stack, emptied: guarded.Identities
) -> None:
    for victim in (victims.STRAY, victims.BLANK):
        wait_until_gone(stages, f"{victim}-dev")
    stages.argo.refresh_sets()
    assert {"shop-prod", "shop-staging", "reports-prod"} <= stages.argo.applications.keys()
    assert guarded.protected(stages) == emptied


def test_the_namespace_that_remains_goes_by_the_documented_command(stages: Stack, emptied: guarded.Identities) -> None:
    (first, *_) = stages.documented("operations.md", "Take a workload out")
    wait_until_gone(stages, BY_HAND)
    stages.type(first.replace("<workload>-<environment>", BY_HAND))
    assert not stages.clusters[victims.CLUSTER].get("namespace", BY_HAND)
