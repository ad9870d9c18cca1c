"""Git is what runs: commits arrive, drift goes, and a change to one workload is nobody else's business."""

from __future__ import annotations

import json
import shutil

from tests.cluster.kubernetes import Kubernetes, Object
from tests.cluster.stack import Stack

HAND_MADE = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - settings.yaml
"""


KINDS = "deployments,services,serviceaccounts,networkpolicies,ingressroutes"


def uids(cluster: Kubernetes) -> dict[str, str]:
    """The identity of every object of these kinds, but for what Kubernetes itself keeps."""
    return {
        f"{item['metadata']['namespace']}/{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"]
        for item in cluster.list(KINDS)
        if not item["metadata"]["namespace"].startswith("kube-") and item["metadata"]["name"] != "default"
    }


def deployment(stack: Stack, name: str, namespace: str = "shop-dev") -> Object:
    """A Deployment that must be there."""
    found = stack.argocd.get("deployment", name, namespace)
    assert found
    return found


def test_a_commit_reaches_the_cluster(stages: Stack) -> None:
    start = stages.git("rev-parse", "HEAD").strip()
    stages.edit("apps/workloads/shop/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    stages.publish("Release shop-api 2.8.0 to dev")

    def image() -> bool:
        (container,) = deployment(stages, "shop-api")["spec"]["template"]["spec"]["containers"]
        return bool(container["image"] == "ghcr.io/acme/shop-api:2.8.0")

    stages.until("the new image runs", image)
    stages.back_to(start)


def test_what_is_changed_by_hand_is_changed_back(stages: Stack) -> None:
    stages.kubectl("scale", "deployment/shop-api", "--namespace=shop-dev", "--replicas=7")
    stages.until("it is scaled back", lambda: deployment(stages, "shop-api")["spec"]["replicas"] == 2)


def test_the_number_of_an_autoscaled_workload_is_left_to_its_autoscaler(stages: Stack) -> None:
    show = ["--namespace=shop-prod", "--show-managed-fields", "--output=json"]
    found = json.loads(stages.clusters["prod"].kubectl("get", "deployment/shop-web", *show))
    assert found["spec"]["replicas"] == 3
    fields = found["metadata"]["managedFields"]
    owners = {entry["manager"] for entry in fields if "f:replicas" in entry["fieldsV1"].get("f:spec", {})}
    assert owners
    assert "argocd-controller" not in owners


def test_a_service_that_is_deleted_by_hand_comes_back(stages: Stack) -> None:
    lost = stages.argocd.get("service", "shop-api", "shop-dev")
    assert lost
    stages.kubectl("delete", "service/shop-api", "--namespace=shop-dev")

    def is_back() -> bool:
        found = stages.argocd.get("service", "shop-api", "shop-dev")
        return bool(found and found["metadata"]["uid"] != lost["metadata"]["uid"])

    stages.until("the Service is back", is_back)
    stages.settle()


def test_a_workload_made_by_hand_is_found_and_its_removal_removes_nothing_else(stages: Stack) -> None:
    start = stages.git("rev-parse", "HEAD").strip()
    before = {name: uids(cluster) for name, cluster in stages.clusters.items()}
    overlay = stages.work / "apps/workloads/hello/overlays/dev"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text(HAND_MADE)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
    (overlay / "settings.yaml").write_text(json.dumps(settings))
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
    stages.back_to(start)
    assert {name: uids(cluster) for name, cluster in stages.clusters.items()} == before


def test_a_workload_that_leaves_an_unprotected_environment_is_pruned_and_nothing_else(stages: Stack) -> None:
    start = stages.git("rev-parse", "HEAD").strip()
    before = {name: uids(cluster) for name, cluster in stages.clusters.items()}
    shutil.rmtree(stages.work / "apps/workloads/shop/overlays/dev")
    stages.publish("Take shop out of dev")
    stages.until("shop-dev is gone", lambda: "shop-dev" not in stages.states())
    after = {name: uids(cluster) for name, cluster in stages.clusters.items()}
    kept = {
        name: {k: v for k, v in objects.items() if not k.startswith("shop-dev/")} for name, objects in before.items()
    }
    stages.until("its objects are gone", lambda: not any(k.startswith("shop-dev/") for k in uids(stages.argocd)))
    assert {
        name: {k: v for k, v in objects.items() if not k.startswith("shop-dev/")} for name, objects in after.items()
    } == kept
    stages.back_to(start)
