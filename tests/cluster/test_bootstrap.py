"""Bootstrap: the commands of docs/installation.md, as typed, on an empty cluster, install everything."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.support import engines
from tests.support.cluster import layout
from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack
from tests.support.repository import load

ARGOCD = "argocd-controller"


@pytest.fixture(scope="module")
def manifests(installed: Stack) -> list[Object]:
    """Return what the documented commands apply, from the files of the repository."""
    work = installed.checkout.work
    files = (work / "argo/projects/bootstrap.yaml", work / "argo/root-application.yaml")
    texts = [installed.kubectl("kustomize", work / "bootstrap/argocd"), *(file.read_text() for file in files)]
    return [item for text in texts for item in load(text)]


def live(stack: Stack, manifests: list[Object]) -> list[Object]:
    """Return the same objects from the cluster."""
    result = []
    for item in manifests:
        kind, metadata = f"{item['apiVersion']}/{item['kind']}", item["metadata"]
        found = stack.argocd.get(kind, metadata["name"], metadata.get("namespace", ""), managed_fields=True)
        assert found, metadata["name"]
        result.append(found)
    return result


def tracking(item: Object) -> str:
    """Return the annotation by which Argo CD assigns objects to applications."""
    return str(item["metadata"].get("annotations", {}).get("argocd.argoproj.io/tracking-id", ""))


def lasting(item: Object) -> dict[str, Any]:
    """Return an object without the fields that the API server and the controllers change on their own.

    The uid is included: a deleted and recreated object is a different one.
    """
    # Argo CD's controllers request syncs from each other with `operation`.
    parts = {k: v for k, v in item.items() if k not in ("metadata", "operation", "status")}
    # The history of writes. Generations count Argo CD's own: it keeps the status of an Application in the object, and
    # its tracking id, which kubectl with the same field manager removes, comes back.
    history = ("generation", "managedFields", "resourceVersion")
    return parts | {"metadata": {k: v for k, v in item["metadata"].items() if k not in history}}


def owners(item: Object) -> set[str]:
    """Return the field managers of an object, except those of its status."""
    reported = {"f:status", "f:operation"}
    written = [entry for entry in item["metadata"]["managedFields"] if "subresource" not in entry]
    return {entry["manager"] for entry in written if entry["fieldsV1"].keys() - reported}


def test_two_documented_commands_bring_everything(installed: Stack) -> None:
    names = {"argocd", "root", "whoami-dev"} | layout.platform_applications("main")
    assert installed.argo.states() == dict.fromkeys(names, "Synced Healthy")
    projects = installed.argocd.list("appprojects", "argocd")
    assert {project["metadata"]["name"] for project in projects} == {"dev", *layout.PLATFORM_PROJECTS}


def test_all_that_runs_is_ready(installed: Stack) -> None:
    pods = installed.argocd.list("pods")
    assert {p["metadata"]["namespace"] for p in pods} == {"argocd", "external-dns", "traefik", "whoami-dev"}
    assert {p["status"]["phase"] for p in pods} == {"Running"}
    autoscalers = installed.argocd.list("horizontalpodautoscalers")
    conditions = {c["type"]: c["status"] for a in autoscalers for c in a["status"]["conditions"]}
    assert conditions["ScalingActive"] == "True"


def test_the_task_that_bootstraps_changes_nothing_a_second_time(installed: Stack, manifests: list[Object]) -> None:
    before, pods = live(installed, manifests), installed.argocd.list("pods")
    # It runs the same commands, after comparing the endpoint with AWS.
    aws = installed.folder / "bin/aws"
    aws.write_text(
        "#!/bin/sh\nkubectl config view --context \"$4\" --minify --output 'jsonpath={.clusters[0].cluster.server}'\n"
    )
    aws.chmod(0o755)
    assert "get applications" in installed.type(f"{sys.executable} scripts/cluster.py bootstrap main --yes")

    def tracked_again() -> bool:
        return list(map(tracking, live(installed, manifests))) == list(map(tracking, before))

    installed.until("Argo CD tracks again what it tracked before", tracked_again)
    installed.settle()
    assert list(map(lasting, live(installed, manifests))) == list(map(lasting, before))
    # Nor is anything restarted.
    assert {p["metadata"]["uid"] for p in installed.argocd.list("pods")} == {p["metadata"]["uid"] for p in pods}


def test_nobody_but_argocd_owns_what_was_applied_by_hand(installed: Stack, manifests: list[Object]) -> None:
    for item in live(installed, manifests):
        # argocd-server stores its generated keys and passwords in this one.
        if item["metadata"]["name"] != "argocd-secret":
            assert owners(item) == {ARGOCD}, item["metadata"]["name"]


def test_argocd_follows_a_commit_to_its_own_settings(installed: Stack) -> None:
    setting = "reposerver.parallelism.limit"

    def limit() -> str:
        parameters = installed.argocd.get("configmap", "argocd-cmd-params-cm", "argocd")
        assert parameters
        return str(parameters["data"][setting])

    with installed.undone():
        installed.checkout.edit("bootstrap/argocd/patches/settings.yaml", f'{setting}: "2"', f'{setting}: "3"')
        installed.publish("Let the repo server build three at a time")
        installed.until("the setting has arrived", lambda: limit() == "3")


def test_a_replaced_manifest_brings_no_rights(installed: Stack) -> None:
    """Somebody republishes the version with an additional binding: Argo CD rejects all of it."""
    ((url, source),) = engines.argocd_manifests().items()
    served = installed.folder / "web" / url.removeprefix("https://")
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "argocd-telemetry"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "system:anonymous"}],
    }
    installed.rest()
    served.unlink()
    served.write_text(f"{source.read_text()}\n---\n{json.dumps(binding)}\n")
    try:
        refresh_hard(installed, "argocd")
        installed.until("the project refuses it", lambda: refuses(installed, "argocd-telemetry"))
        assert not installed.argocd.get("clusterrolebinding", "argocd-telemetry")
    finally:
        served.unlink()
        served.symlink_to(source)
        refresh_hard(installed, "argocd")
        installed.is_at_rest = False
    installed.rest()


def refuses(stack: Stack, name: str) -> bool:
    """Return whether Argo CD has seen the new object in its manifest, and an attempt to sync has failed."""
    status = stack.argo.applications["argocd"]["status"]
    operation = status.get("operationState", {})
    is_due = any(item["name"] == name and item.get("status") != "Synced" for item in status.get("resources", []))
    return is_due and (operation.get("retryCount", 0) > 0 or operation.get("phase") in ("Error", "Failed"))


def refresh_hard(stack: Stack, application: str) -> None:
    """Make Argo CD rebuild an Application, downloads included."""
    annotations = {"argocd.argoproj.io/refresh": "hard"}
    stack.argocd.api.patch("application", application, {"metadata": {"annotations": annotations}}, "argocd")


def leftovers(stack: Stack) -> list[Object]:
    """Return what Argo CD would prune of itself if it pruned."""
    return [item for item in stack.argo.applications["argocd"]["status"]["resources"] if item.get("requiresPruning")]


def test_argocd_upgrades_itself_from_the_version_before(installed: Stack) -> None:
    (previous,), (current,) = engines.argocd_manifests(pinned_in="data-previous"), engines.argocd_manifests()

    def versions() -> set[str]:
        images = {
            container["image"]
            for kind in ("deployments", "statefulsets")
            for item in installed.argocd.list(kind, "argocd")
            for container in item["spec"]["template"]["spec"]["containers"]
        }
        return {image.rpartition(":")[2] for image in images if "argoproj/argocd" in image}

    kinds = "crds,deployments,statefulsets,applications,applicationsets,appprojects"
    before = installed.identities(kinds)
    with installed.undone():
        installed.checkout.edit("bootstrap/argocd/kustomization.yaml", current, previous)
        installed.publish("Go back to the Argo CD before")
        installed.until("it has gone back", lambda: versions() == {previous.split("/")[5]})
        # No commit removes a part of Argo CD, so the test deletes the objects of the newer version by hand.
        for item in installed.until("what it leaves is known", lambda: leftovers(installed)):
            installed.kubectl("delete", item["kind"], item["name"], "--namespace=argocd")
        installed.settle()
    installed.rest()
    assert versions() == {current.split("/")[5]}
    # An upgrade changes objects in place, and recreates none.
    assert installed.identities(kinds) == before
