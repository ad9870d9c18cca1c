"""The first command of the bootstrap applies Argo CD itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.network_policies import of_argocd
from tests.support.repository import Document, Repository, examples, pick, render

KEEP = "Prune=false,Delete=false"


@pytest.fixture(scope="module", params=["minimal", "stages"])
def repository(request: pytest.FixtureRequest, repositories: Callable[[str], Repository]) -> Repository:
    """Return two scenarios: of the answers, only the cluster of Argo CD matters here."""
    return repositories(request.param)


def bootstrap(repository: Repository) -> list[Document]:
    """Return the objects of the application `argocd`, which the command also applies."""
    return objects(repository, applications(repository)["argocd"])


def test_the_recorded_checksum_is_that_of_the_pinned_manifest(repository: Repository) -> None:
    ((url, file),) = engines.argocd_manifests().items()
    assert url in (repository.path / "bootstrap/argocd/kustomization.yaml").read_text()
    recorded = (repository.path / "bootstrap/argocd/checksums.txt").read_text()
    assert recorded == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  install.yaml\n"


def test_the_project_admits_the_objects_of_the_pinned_manifest_and_no_other(repository: Repository) -> None:
    project = repository.one("argo/projects/bootstrap.yaml")["spec"]
    admitted = [(entry["group"], entry["kind"], entry["name"]) for entry in project["clusterResourceWhitelist"]]
    kinds = {(entry["group"], entry["kind"]) for entry in project["namespaceResourceWhitelist"]}
    built = [(d["apiVersion"].rpartition("/")[0], d["kind"], d["metadata"]) for d in bootstrap(repository)]
    cluster_scoped = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    assert sorted(admitted) == sorted((group, kind, m["name"]) for group, kind, m in built if kind in cluster_scoped)
    own = {("argoproj.io", kind) for kind in ("Application", "ApplicationSet", "AppProject")}
    assert kinds == {(group, kind) for group, kind, _ in built if kind not in cluster_scoped} | own
    assert {m["namespace"] for _, kind, m in built if kind not in cluster_scoped} == {"argocd"}


def test_argocd_runs_without_single_sign_on_and_notifications(repository: Repository) -> None:
    for document in bootstrap(repository):
        assert not re.search("dex|notifications", document["metadata"]["name"]), document["metadata"]["name"]


def test_pods_of_workloads_never_evict_the_platform(repository: Repository) -> None:
    documents = [
        document
        for name, application in applications(repository).items()
        if name == "argocd" or (not application.workload and name != "root")
        for document in objects(repository, application)
    ]
    classes = {
        document["metadata"]["name"]: document["spec"]["template"]["spec"].get("priorityClassName")
        for document in documents
        if document["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}
    }
    assert len(classes) >= 7
    assert set(classes.values()) == {"system-cluster-critical"}, classes


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


def test_argocd_reads_the_settings_that_close_what_is_not_needed(repository: Repository) -> None:
    """A misspelled key would have no effect: the pinned Argo CD reads each of them."""
    folder = engines.go_module("github.com/argoproj/argo-cd/v3")
    texts = {
        "argocd-cm": (folder / "util/settings/settings.go").read_text(),
        "argocd-cmd-params-cm": (folder / "manifests/install.yaml").read_text(),
    }
    maps = {d["metadata"]["name"]: d["data"] for d in bootstrap(repository) if d["metadata"]["name"] in texts}
    for settings in repository.read("bootstrap/argocd/patches/settings.yaml"):
        name = settings["metadata"]["name"]
        assert maps[name] | settings["data"] == maps[name]
        for key in settings["data"]:
            # Those of a kind begin with one key.
            known = key.partition(".health.")[0]
            quoted = f'"{known}"' if name == "argocd-cm" else f"key: {key}\n"
            assert quoted in texts[name], key
    assert maps["argocd-cm"]["helm.valuesFileSchemes"] == ""
    assert maps["argocd-cmd-params-cm"]["reposerver.enable.git.submodule"] == "false"
    assert "kustomize.buildOptions" not in maps["argocd-cm"]


def test_the_cluster_that_argocd_runs_in_has_its_name(repository: Repository) -> None:
    (secret,) = repository.read("bootstrap/argocd/kustomization.yaml")[0]["secretGenerator"]
    assert secret["options"]["labels"] == {"argocd.argoproj.io/secret-type": "cluster"}
    name = repository.answers.get("argocd_cluster", repository.clusters[0]["name"])
    assert secret["literals"] == [f"name={name}", "server=https://kubernetes.default.svc"]


def test_argocd_has_the_network_policies_of_this_repository_and_none_of_its_own(repository: Repository) -> None:
    built = {
        document["metadata"]["name"]: document["spec"] for document in pick(bootstrap(repository), "NetworkPolicy")
    }
    assert built == {document["metadata"]["name"]: document["spec"] for document in of_argocd(repository)}


def test_every_component_of_argocd_has_a_network_policy_besides_the_default(repository: Repository) -> None:
    documents = bootstrap(repository)
    pods = [d["spec"]["template"]["metadata"] for d in documents if d["kind"] in {"Deployment", "StatefulSet"}]
    names = {pod["labels"]["app.kubernetes.io/name"] for pod in pods}
    selectors = [document["spec"]["podSelector"] for document in pick(documents, "NetworkPolicy")]
    assert {} in selectors
    assert {s["matchLabels"]["app.kubernetes.io/name"] for s in selectors if s} == names


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://github.com/acme/gitops.git", "", 443),
        ("git@github.com:acme/gitops.git", "", 22),
        ("ssh://git@ssh.github.com:443/acme/gitops.git", "", 443),
        ("https://git.acme.internal/acme/gitops.git", "git.acme.internal", 443),
        ("https://git.acme.internal:8443/acme/gitops.git", "git.acme.internal", 8443),
        ("ssh://git@git.acme.internal:2222/acme/gitops.git", "git.acme.internal", 2222),
        ("git@git.acme.internal:acme/gitops.git", "git.acme.internal", 22),
    ],
)
def test_the_repo_server_reaches_the_port_of_the_git_server(
    template: Path, tmp_path: Path, url: str, host: str, port: int
) -> None:
    """An unknown server may have a private address: without access, nothing would ever sync."""
    answers = examples()["minimal"] | {"repo_url": url}
    repository = Repository("git", render(template, answers, tmp_path / "repository"), answers)
    policies = {document["metadata"]["name"]: document["spec"] for document in of_argocd(repository)}
    public = policies["repo-server"]["egress"][-1]
    assert [rule["port"] for rule in public["ports"]] == [443, *({port} - {443})]
    ports = [rule["port"] for egress in policies["git-servers"]["egress"] for rule in egress["ports"]]
    assert ports == ([port] if host else [])
    assert host in (repository.path / "bootstrap/argocd/git-servers.yaml").read_text()
