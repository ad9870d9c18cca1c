"""The cluster matches Git: commits are applied, drift is repaired, and a change affects one workload only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.cluster import guarded, layout, victims
from tests.support.cluster.api import Object
from tests.support.cluster.builds import Builds
from tests.support.cluster.stack import Stack


def deployment(stack: Stack, name: str, namespace: str = "shop-dev") -> Object:
    """Return an existing Deployment."""
    item = stack.clusters[victims.CLUSTER].get("deployment", name, namespace)
    assert item
    return item


def test_what_is_changed_by_hand_is_changed_back(stages: Stack) -> None:
    stages.clusters[victims.CLUSTER].kubectl("scale", "deployment/api", "--namespace=shop-dev", "--replicas=7")
    stages.until("it is scaled back", lambda: deployment(stages, "api")["spec"]["replicas"] == 2)


def test_a_service_that_is_deleted_by_hand_comes_back(stages: Stack) -> None:
    lost = stages.clusters[victims.CLUSTER].get("service", "api", "shop-dev")
    assert lost
    stages.clusters[victims.CLUSTER].kubectl("delete", "service/api", "--namespace=shop-dev")

    def is_back() -> bool:
        service = stages.clusters[victims.CLUSTER].get("service", "api", "shop-dev")
        return bool(service and service["metadata"]["uid"] != lost["metadata"]["uid"])

    stages.until("the Service is back", is_back)
    stages.settle()


def test_the_number_of_an_autoscaled_workload_is_left_to_its_autoscaler(stages: Stack) -> None:
    item = stages.clusters["prod"].get("deployment", "web", "shop-prod", managed_fields=True)
    assert item
    assert item["spec"]["replicas"] == 3
    fields = item["metadata"]["managedFields"]
    (applied,) = [entry["fieldsV1"]["f:spec"] for entry in fields if entry["manager"] == "argocd-controller"]
    assert "f:template" in applied
    assert "f:replicas" not in applied


def test_a_workload_made_by_hand_is_found(stages: Stack) -> None:
    assert stages.argo.state(f"{victims.BY_HAND}-dev") == "Synced Healthy"
    assert stages.clusters[victims.CLUSTER].get("configmap", "settings", f"{victims.BY_HAND}-dev")


@dataclass(frozen=True)
class Release:
    """A commit to one workload, and the objects before it."""

    before: guarded.Identities
    built: set[str]


@pytest.fixture(scope="module")
def release(stages: Stack) -> Iterator[Release]:
    """Publish a commit that changes the image of shop in dev, and removes its route."""
    with stages.undone():
        before, builds = guarded.everything(stages), Builds(stages, quiet_seconds=3)
        kustomization = layout.kustomization("shop", "dev")
        stages.checkout.edit(kustomization, "2.8.0-rc.1", "2.8.0")
        stages.checkout.edit(kustomization, "  - resources.yaml\n", "")
        stages.checkout.delete(f"{layout.overlay('shop', 'dev')}/resources.yaml")
        stages.publish("Release api 2.8.0 to dev, without a route")
        stages.settle()
        yield Release(before, builds.applications())


def test_a_commit_reaches_the_cluster(stages: Stack, release: Release) -> None:
    (container,) = deployment(stages, "api")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "ghcr.io/acme/shop-api:2.8.0"


def test_a_commit_to_one_workload_builds_no_other(release: Release) -> None:
    """Its other environments may read the same files: a component, or another overlay."""
    assert release.built == {"shop-dev", "shop-staging", "shop-prod"}


def test_an_object_that_leaves_git_is_pruned_and_nothing_else(stages: Stack, release: Release) -> None:
    gone = f"{victims.CLUSTER}/shop-dev/IngressRoute/shop"
    assert gone in release.before
    assert guarded.everything(stages) == {name: uid for name, uid in release.before.items() if name != gone}


def test_a_component_that_overlays_share_is_deployed_when_it_changes(stages: Stack) -> None:
    folder = f"{layout.WORKLOADS}/shop/components/team"
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    patch = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "any", "annotations": {"team": "one"}}}

    def is_deployed(team: str) -> bool:
        service = stages.clusters[victims.CLUSTER].get("service", "api", "shop-dev")
        return bool(service and service["metadata"].get("annotations", {}).get("team") == team)

    with stages.undone():
        patches = [{"path": "patch.yaml", "target": {"kind": "Service"}}]
        stages.checkout.write(f"{folder}/kustomization.yaml", component | {"patches": patches})
        stages.checkout.write(f"{folder}/patch.yaml", patch)
        stages.checkout.edit(
            layout.kustomization("shop", "dev"), "resources:\n", "components:\n  - ../../components/team\nresources:\n"
        )
        stages.publish("Let the team have a component")
        stages.until("the component is deployed", lambda: is_deployed("one"))
        stages.settle()
        stages.checkout.edit(f"{folder}/patch.yaml", '"one"', '"two"')
        stages.publish("Change the component, and nothing else")
        stages.until("its change is deployed", lambda: is_deployed("two"))
