"""A user's own add-on is installed and removed as documented, and deleting a folder deletes nothing protected."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support import policies
from tests.support.cluster import guarded, layout
from tests.support.cluster.stack import Stack

ADDON, CLUSTER = "descheduler", "prod"
APPLICATIONS = (f"{ADDON}-{CLUSTER}", f"{ADDON}-config-{CLUSTER}")


@pytest.fixture(scope="module")
def added(stages: Stack) -> Iterator[None]:
    """Add an add-on with the commands of docs/operations.md."""
    with stages.undone():
        # Here the cluster has the name of an environment.
        exceptions = stages.checkout.work / layout.POLICY_EXCEPTIONS
        exceptions.write_text(policies.excepted_addon(exceptions.read_text(), ADDON, CLUSTER))
        stages.publish("Admit an add-on")
        stages.settle()
        stages.type(without_checks("".join(stages.documented("operations.md", "Add an add-on"))))
        stages.publish("Add an add-on")
        yield
    # The project is protected: unless the add-on was taken out, it stays until somebody deletes it.
    if stages.argocd.get("appproject", ADDON, "argocd"):
        stages.until("root says what is kept", lambda: stages.argo.state("root").startswith("OutOfSync"))
        stages.argocd.api.delete("appproject", ADDON, "argocd")


@pytest.fixture(scope="module")
def removed(stages: Stack, added: None) -> guarded.Identities:
    """Publish a commit that removes this add-on, and another one from a cluster. Yield the previous objects."""
    wait_until_there(stages)
    before = guarded.everything(stages)
    stages.checkout.delete(layout.addon(ADDON))
    stages.checkout.delete(layout.project(ADDON))
    stages.checkout.delete(layout.overrides("external-dns", "prod").rpartition("/")[0])
    stages.publish("Remove add-ons")
    stages.argo.refresh_sets()
    return before


def without_checks(block: str) -> str:
    """Return documented commands without the checks before a merge, which tests/scripts runs."""
    return block.replace("scripts/validate.py", "")


def wait_until_there(stages: Stack) -> None:
    """Wait until the add-on is installed and runs."""
    stages.until("it is healthy", lambda: {stages.argo.state(name) for name in APPLICATIONS} == {"Synced Healthy"})


def test_an_add_on_of_ones_own_is_a_folder_and_a_project(stages: Stack, added: None) -> None:
    wait_until_there(stages)
    assert stages.argocd.get("networkpolicy", ADDON, ADDON)
    namespace = stages.argocd.get("namespace", ADDON)
    assert namespace
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_preflight_recognizes_what_argo_cd_installed(stages: Stack, added: None) -> None:
    wait_until_there(stages)
    (cluster,) = (cluster for cluster in stages.repository.clusters if cluster["name"] == CLUSTER)
    account, aws = cluster["acm_certificate_arn"].split(":")[4], stages.folder / "aws/aws"
    aws.parent.mkdir()
    identity, endpoint = f"echo {account} arn:of:jo", f"echo ACTIVE {stages.argocd.url}"
    aws.write_text(f'#!/bin/sh\ncase "$*" in *caller-identity*) {identity} ;; *describe-cluster*) {endpoint} ;; esac\n')
    aws.chmod(0o755)
    printed = stages.type(f"PATH={aws.parent}:$PATH bootstrap/preflight.sh {CLUSTER} || true")
    for name in layout.CHARTS:
        assert f"ok    nothing else installed {name}\n" in printed
    assert f"ok    the API server of {CLUSTER} responds\n" in printed
    assert "\nlater " not in printed, "step 3 is over"


def test_a_removed_folder_of_an_add_on_deletes_nothing(stages: Stack, removed: guarded.Identities) -> None:
    assert {*APPLICATIONS, "external-dns-prod"} <= stages.argo.applications.keys()
    assert stages.argocd.get("deployment", ADDON, ADDON)
    assert guarded.everything(stages) == removed


def test_an_add_on_goes_by_the_documented_commands(stages: Stack, removed: guarded.Identities) -> None:
    names = {"<addon>": ADDON, "<cluster>": CLUSTER, "<namespace>": ADDON}
    refresh, delete, forget = stages.documented("operations.md", "Take an add-on out")[:3]
    stages.type(re.sub("<addon>|<cluster>|<namespace>", lambda match: names[match[0]], refresh + delete + forget))
    assert not stages.argocd.get("namespace", ADDON)
    assert not stages.argocd.get("clusterrole", ADDON)
    assert not stages.argocd.get("appproject", ADDON, "argocd")
    assert not {*APPLICATIONS} & stages.argo.applications.keys()
    assert guarded.everything(stages) == guarded.outside(removed, ADDON)


def test_a_broken_description_of_an_add_on_deletes_nothing(stages: Stack, added: None) -> None:
    before = guarded.everything(stages)
    applications = stages.argo.applications.keys()
    (stages.checkout.work / layout.addon("traefik") / "addon.yaml").write_text("chart: [broken\n")
    stages.publish("Break an add-on")
    stages.until("the set says so", lambda: layout.CHARTS_SET in stages.argo.errors_of_sets(""))
    assert stages.argo.applications.keys() == applications
    assert guarded.everything(stages) == before
