"""What the first command of the bootstrap applies: Argo CD itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest

from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.repository import Document, Repository

KEEP = "Prune=false,Delete=false"


@pytest.fixture(scope="module", params=["minimal", "stages"])
def repository(request: pytest.FixtureRequest, repositories: Callable[[str], Repository]) -> Repository:
    """Return two scenarios: of the answers, only the cluster of Argo CD matters here."""
    return repositories(request.param)


def bootstrap(repository: Repository) -> list[Document]:
    """Return the objects of the application `argocd`, which are those of the command."""
    return objects(repository, applications(repository)["argocd"])


def test_the_checksum_beside_the_pinned_manifest_is_that_of_the_file(repository: Repository) -> None:
    text = (repository.path / "bootstrap/argocd/kustomization.yaml").read_text()
    for url, file in engines.argocd_manifests().items():
        assert url in text
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text


def test_argocd_runs_without_single_sign_on_and_notifications(repository: Repository) -> None:
    for document in bootstrap(repository):
        assert not re.search("dex|notifications", document["metadata"]["name"]), document["metadata"]["name"]


def test_all_containers_of_argocd_have_requests_and_a_memory_limit(repository: Repository) -> None:
    pods = [d["spec"]["template"]["spec"] for d in bootstrap(repository) if d["kind"] in {"Deployment", "StatefulSet"}]
    assert pods
    for container in [c for pod in pods for c in pod["containers"] + pod.get("initContainers", [])]:
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, container["name"]
        assert "memory" in container["resources"]["limits"], container["name"]


def test_argocds_namespace_and_definitions_are_never_pruned_or_deleted(repository: Repository) -> None:
    kept = [d for d in bootstrap(repository) if d["kind"] in {"Namespace", "CustomResourceDefinition"}]
    assert len(kept) == 4
    for document in kept:
        assert document["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == KEEP


def test_the_cluster_that_argocd_runs_in_has_its_name(repository: Repository) -> None:
    (secret,) = repository.read("bootstrap/argocd/kustomization.yaml")[0]["secretGenerator"]
    assert secret["options"]["labels"] == {"argocd.argoproj.io/secret-type": "cluster"}
    name = repository.answers.get("argocd_cluster", repository.clusters[0]["name"])
    assert secret["literals"] == [f"name={name}", "server=https://kubernetes.default.svc"]
