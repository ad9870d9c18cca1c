"""Add-ons are folders: one of our own comes and goes as documented, and nothing goes because a folder does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import guarded, layout
from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack

ADDON, CLUSTER = "metrics-server", "prod"
APPLICATION = f"{ADDON}-{CLUSTER}"
# Here the cluster is called like an environment, for which the file of exceptions has an example.
EXCEPTION = f"""patches:
  - target:
      kind: ValidatingAdmissionPolicy
      name: workload-own
    patch: |-
      - op: add
        path: /spec/matchConditions/-
        value:
          name: not-{ADDON}
          expression: >-
            object.metadata.annotations["argocd.argoproj.io/tracking-id"].split(":")[0] != "{APPLICATION}"
"""


@pytest.fixture(scope="module")
def added(stages: Stack) -> Iterator[Object]:
    """An add-on that is added as docs/operations.md has it. The namespace that it shares, as it was before."""
    namespace = stages.argocd.get("namespace", "kube-system")
    assert namespace
    with stages.undone():
        for block in stages.documented("operations.md", "Add an add-on"):
            stages.type(without_checks(block))
        stages.checkout.edit(layout.POLICY_EXCEPTIONS, "patches: []\n", EXCEPTION)
        # The cluster had metrics before, under the same names.
        stages.argocd.api.delete("service", ADDON, "kube-system")
        stages.publish("Add metrics-server")
        yield namespace
    # The project is protected: it stays until somebody deletes it.
    stages.until("root says what is kept", lambda: stages.argo.state("root").startswith("OutOfSync"))
    stages.argocd.api.delete("appproject", ADDON, "argocd")
    stages.argocd.serve_metrics()


@pytest.fixture(scope="module")
def removed(stages: Stack, added: Object) -> guarded.Identities:
    """A commit that removes this add-on, and another one from a cluster. What was there before."""
    wait_until_there(stages)
    before = guarded.everything(stages)
    stages.checkout.delete(layout.addon(ADDON))
    stages.checkout.delete(layout.overrides("external-dns", "prod").rpartition("/")[0])
    stages.publish("Remove add-ons")
    stages.argo.refresh_sets()
    return before


def without_checks(block: str) -> str:
    """Return documented commands without the checks before a merge: tests/scripts types those."""
    return block.replace("scripts/validate.py", "")


def wait_until_there(stages: Stack) -> None:
    """Wait until the add-on is installed. Its pods do not run here: only a container could serve metrics."""
    stages.until("it is synced", lambda: stages.argo.state(APPLICATION).startswith("Synced"))


def test_an_add_on_of_ones_own_is_a_folder_and_a_project(stages: Stack, added: Object) -> None:
    wait_until_there(stages)
    deployment = stages.argocd.get("deployment", ADDON, "kube-system")
    assert deployment
    assert deployment["spec"]["replicas"] == 2


def test_an_add_on_does_not_change_a_namespace_that_it_shares(stages: Stack, added: Object) -> None:
    wait_until_there(stages)
    namespace = stages.argocd.get("namespace", "kube-system")
    assert namespace
    assert namespace["metadata"]["labels"] == added["metadata"]["labels"]


def test_a_removed_folder_of_an_add_on_deletes_nothing(stages: Stack, removed: guarded.Identities) -> None:
    assert {APPLICATION, "external-dns-prod"} <= stages.argo.applications.keys()
    assert stages.argocd.get("deployment", ADDON, "kube-system")
    assert guarded.everything(stages) == removed


def test_an_add_on_goes_by_the_documented_commands(stages: Stack, removed: guarded.Identities) -> None:
    for block in stages.documented("operations.md", "Take an add-on out"):
        stages.type(block.replace("<addon>", ADDON).replace("<cluster>", CLUSTER))
    stages.until("it is gone", lambda: not stages.argocd.get("deployment", ADDON, "kube-system"))
    assert APPLICATION not in stages.argo.applications
    assert guarded.everything(stages) == removed


def test_a_broken_description_of_an_add_on_deletes_nothing(stages: Stack, added: Object) -> None:
    before = guarded.everything(stages)
    applications = stages.argo.applications.keys()
    (stages.checkout.work / layout.addon("traefik") / "addon.yaml").write_text("chart: [broken\n")
    stages.publish("Break an add-on")
    stages.until("the set says so", lambda: layout.CHARTS_SET in stages.argo.errors_of_sets(""))
    assert stages.argo.applications.keys() == applications
    assert guarded.everything(stages) == before
