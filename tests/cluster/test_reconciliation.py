"""Git is what runs: commits arrive, drift goes, and a change to one workload is nobody else's business."""

from __future__ import annotations

import json
import shutil

from tests.cluster.kubernetes import Object
from tests.cluster.stack import Stack

KINDS = "deployments,services,serviceaccounts,networkpolicies,ingressroutes"


def deployment(stack: Stack, name: str, namespace: str = "shop-dev") -> Object:
    """A Deployment that must be there."""
    found = stack.argocd.get("deployment", name, namespace)
    assert found
    return found


def test_a_commit_reaches_the_cluster(stages: Stack) -> None:
    def image() -> str:
        (container,) = deployment(stages, "shop-api")["spec"]["template"]["spec"]["containers"]
        return str(container["image"])

    with stages.undone():
        stages.edit("apps/workloads/shop/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
        stages.publish("Release shop-api 2.8.0 to dev")
        stages.until("the new image runs", lambda: image() == "ghcr.io/acme/shop-api:2.8.0")


def test_what_is_changed_by_hand_is_changed_back(stages: Stack) -> None:
    stages.kubectl("scale", "deployment/shop-api", "--namespace=shop-dev", "--replicas=7")
    stages.until("it is scaled back", lambda: deployment(stages, "shop-api")["spec"]["replicas"] == 2)


def test_the_number_of_an_autoscaled_workload_is_left_to_its_autoscaler(stages: Stack) -> None:
    show = ["--namespace=shop-prod", "--show-managed-fields", "--output=json"]
    found = json.loads(stages.clusters["prod"].kubectl("get", "deployment/shop-web", *show))
    assert found["spec"]["replicas"] == 3
    fields = found["metadata"]["managedFields"]
    (applied,) = [entry["fieldsV1"]["f:spec"] for entry in fields if entry["manager"] == "argocd-controller"]
    assert "f:template" in applied
    assert "f:replicas" not in applied


def test_a_service_that_is_deleted_by_hand_comes_back(stages: Stack) -> None:
    lost = stages.argocd.get("service", "shop-api", "shop-dev")
    assert lost
    stages.kubectl("delete", "service/shop-api", "--namespace=shop-dev")

    def is_back() -> bool:
        found = stages.argocd.get("service", "shop-api", "shop-dev")
        return bool(found and found["metadata"]["uid"] != lost["metadata"]["uid"])

    stages.until("the Service is back", is_back)
    stages.settle()


def test_an_object_that_leaves_git_is_pruned_and_nothing_else(stages: Stack) -> None:
    before = stages.identities(KINDS)
    with stages.undone():
        overlay = "apps/workloads/shop/overlays/dev"
        stages.edit(f"{overlay}/kustomization.yaml", "  - resources.yaml\n", "")
        (stages.work / overlay / "resources.yaml").unlink()
        stages.publish("Take the route of shop out of dev")
        stages.until("it is gone", lambda: not stages.argocd.get("ingressroute", "shop", "shop-dev"))
        gone = "nonprod/shop-dev/IngressRoute/shop"
        assert stages.identities(KINDS) == {name: uid for name, uid in before.items() if name != gone}


def test_a_workload_made_by_hand_is_found_and_its_removal_removes_nothing_else(stages: Stack) -> None:
    before = stages.identities(KINDS)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
    with stages.undone():
        stages.add_by_hand("hello", settings)
        stages.publish("Add hello by hand")
        stages.until("hello-dev is there", lambda: stages.states().get("hello-dev") == "Synced Healthy")
        assert stages.argocd.get("configmap", "settings", "hello-dev")

        shutil.rmtree(stages.work / "apps/workloads/hello")
        stages.publish("Remove hello")
        stages.until("hello-dev is gone", lambda: "hello-dev" not in stages.states())
        assert not stages.argocd.get("configmap", "settings", "hello-dev")
        # The namespace stays, and docs/operations.md says how it goes.
        assert stages.argocd.get("namespace", "hello-dev")
        stages.kubectl("delete", "namespace", "hello-dev")
    assert stages.identities(KINDS) == before


def test_a_workload_that_leaves_an_unprotected_environment_is_pruned_and_nothing_else(stages: Stack) -> None:
    def of_shop() -> dict[str, str]:
        return {name: uid for name, uid in stages.identities(KINDS).items() if "/shop-dev/" in name}

    before, gone = stages.identities(KINDS), of_shop()
    assert gone
    with stages.undone():
        shutil.rmtree(stages.work / "apps/workloads/shop/overlays/dev")
        stages.publish("Take shop out of dev")
        stages.until("shop-dev is gone", lambda: "shop-dev" not in stages.states())
        stages.until("its objects are gone", lambda: not of_shop())
        assert stages.identities(KINDS) == {name: uid for name, uid in before.items() if name not in gone}
