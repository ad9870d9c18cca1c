"""Claims and their volumes are kept as the guards promise, and deleted in unprotected environments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.cluster import controllers, layout, storage, vault, victims
from tests.support.cluster.api import Object
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.stack import Stack

PROD, DEV = f"{vault.NAME}-prod", f"{vault.NAME}-dev"


@dataclass(frozen=True)
class Data:
    """The state of a claim and its volume."""

    claim: str
    volume: str


def data_of(cluster: Kubernetes, namespace: str) -> dict[str, Data]:
    """Return the claims of a namespace with existing volumes."""
    volumes = {item["metadata"]["name"] for item in cluster.list("persistentvolumes")}
    return {
        item["metadata"]["name"]: Data(item["metadata"]["uid"], item["spec"]["volumeName"])
        for item in cluster.list("persistentvolumeclaims", namespace)
        if item["spec"].get("volumeName") in volumes
    }


@pytest.fixture
def protected(stages: Stack) -> Kubernetes:
    """Return the cluster of prod, in which Argo CD runs."""
    return stages.argocd


def test_an_application_that_is_deleted_with_all_that_it_runs_leaves_its_claims(
    stages: Stack, protected: Kubernetes
) -> None:
    before, database = data_of(protected, PROD), database_of(protected)
    finalizer = {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}
    stages.is_at_rest = False
    # An ApplicationSet that reconciles between the two requests removes the finalizer.
    stages.sandbox.end(controllers.SETS)
    stages.argocd.api.patch("application", PROD, finalizer, "argocd")
    stages.argocd.api.delete("application", PROD, "argocd")
    assert not protected.get("statefulset", vault.DATABASE, PROD)
    Runbook(stages, vault.NAME, "prod").type("An ApplicationSet fails", 1)
    # The process of the new pod.
    controllers.run(stages.sandbox, stages.argocd, stages.poll_seconds, controllers.SETS)
    stages.until("the application is back", lambda: stages.argo.state(PROD) == "Synced Healthy")
    assert database_of(protected)["metadata"]["uid"] != database["metadata"]["uid"]
    assert data_of(protected, PROD) == before


def database_of(cluster: Kubernetes) -> Object:
    """Return the StatefulSet."""
    database = cluster.get("statefulset", vault.DATABASE, PROD)
    assert database
    return database


def test_a_claim_grows_where_its_class_allows_it(stages: Stack) -> None:
    names = {vault.DATABASE_CLAIM: (storage.EBS, "ReadWriteOnce"), vault.RECORDS: (storage.EFS, "ReadWriteMany")}
    claims = [vault.claim(name, *fields, size="2Gi") for name, fields in names.items()]
    placed = [claim | {"metadata": claim["metadata"] | {"namespace": DEV}} for claim in claims]
    said = stages.clusters[victims.CLUSTER].api.refusals(*placed)
    assert said[0] == ""
    assert "the storageclass that provisions the pvc must support resize" in said[1]


def test_the_volumes_of_a_database_grow_by_the_documented_commands(stages: Stack) -> None:
    cluster = stages.clusters[victims.CLUSTER]
    before = data_of(cluster, DEV)[vault.DATABASE_CLAIM]
    names = f"export workload={vault.NAME} environment=dev component={vault.DATABASE} size=2Gi\n"
    _, grow, delete = stages.documented("volumes.md", "Grow a volume")
    with stages.undone():
        stages.type(names + grow)
        (database,) = [item for item in vault.objects("dev", "2Gi") if item["kind"] == "StatefulSet"]
        stages.checkout.write(f"{layout.overlay(vault.NAME, 'dev')}/{vault.DATABASE}.yaml", database)
        stages.publish("Grow the database")
        stages.until("the change is refused", lambda: "updates to statefulset spec" in stages.argo.says(DEV))
        stages.type(names + delete)
        stages.until("the database is made anew", lambda: stages.argo.state(DEV) == "Synced Healthy")
        claim = cluster.get("persistentvolumeclaim", vault.DATABASE_CLAIM, DEV)
        assert claim
        assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
        assert data_of(cluster, DEV)[vault.DATABASE_CLAIM] == before
    # Back to the smaller template. The volume stays as large as it is.
    stages.type(names + delete)


@pytest.fixture(scope="module")
def removed(stages: Stack) -> Iterator[dict[str, dict[str, Data]]]:
    """Publish a commit that removes the claim from prod and the workload from dev. Yield the previous state."""
    with stages.undone():
        clusters = {PROD: stages.argocd, DEV: stages.clusters[victims.CLUSTER]}
        before = {namespace: data_of(cluster, namespace) for namespace, cluster in clusters.items()}
        assert all(data.keys() == {vault.RECORDS, vault.DATABASE_CLAIM} for data in before.values()), before
        stages.checkout.edit(layout.kustomization(vault.NAME, "prod"), f'"{vault.RECORDS}.yaml", ', "")
        stages.checkout.delete(layout.overlay(vault.NAME, "dev"))
        stages.publish("Remove volumes")
        yield before


def test_a_claim_that_leaves_git_stays_in_a_protected_environment(
    stages: Stack, protected: Kubernetes, removed: dict[str, dict[str, Data]]
) -> None:
    def is_ignored() -> bool:
        resources = stages.argo.applications[PROD]["status"].get("resources", [])
        return any(r["name"] == vault.RECORDS and r.get("requiresPruning") for r in resources)

    stages.until("Argo CD sees that the claim is gone from Git", is_ignored)
    stages.until("the sync ignores it", lambda: "ignored (no prune)" in stages.argo.says(PROD))
    assert data_of(protected, PROD) == removed[PROD]


def test_an_unprotected_workload_loses_its_claim_and_keeps_those_of_its_database(
    stages: Stack, removed: dict[str, dict[str, Data]]
) -> None:
    cluster = stages.clusters[victims.CLUSTER]
    stages.until("the application is gone", lambda: DEV not in stages.argo.applications)
    stages.until("the volume is gone", lambda: removed[DEV][vault.RECORDS].volume not in volumes(cluster))
    assert data_of(cluster, DEV) == {vault.DATABASE_CLAIM: removed[DEV][vault.DATABASE_CLAIM]}
    assert not cluster.list("statefulsets", DEV)


def volumes(cluster: Kubernetes) -> set[str]:
    """Return the names of all volumes."""
    return {item["metadata"]["name"] for item in cluster.list("persistentvolumes")}


def test_a_workload_that_comes_back_has_the_data_of_its_database(
    stages: Stack, removed: dict[str, dict[str, Data]]
) -> None:
    cluster = stages.clusters[victims.CLUSTER]
    stages.until("the application is gone", lambda: DEV not in stages.argo.applications)
    stages.checkout.add_by_hand(vault.NAME, *vault.objects("dev"))
    stages.publish("Bring the workload back")
    stages.until("it runs again", lambda: stages.argo.state(DEV) == "Synced Healthy")
    after = data_of(cluster, DEV)
    assert after[vault.DATABASE_CLAIM] == removed[DEV][vault.DATABASE_CLAIM]
    assert after[vault.RECORDS] != removed[DEV][vault.RECORDS]
