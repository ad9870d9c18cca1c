"""The scripts find the entries that an AppProject lacks, like Argo CD."""

from __future__ import annotations

from typing import Any

import pytest

from gitops.applications import Application
from gitops.projects import as_yaml, missing_entries

URL = "https://github.com/acme/platform.git"
PROJECT: dict[str, Any] = {
    "sourceRepos": [URL],
    "destinations": [{"name": "main", "namespace": "shop-*"}],
    "clusterResourceWhitelist": [{"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "shop-*"}],
    "namespaceResourceWhitelist": [{"group": "", "kind": "ConfigMap"}],
}


def application(namespace: str = "shop-dev", cluster: str = "main", url: str = URL) -> Application:
    spec = {"source": {"repoURL": url}, "destination": {"name": cluster, "namespace": namespace}}
    return Application({"metadata": {"name": "any"}, "spec": spec}, is_kept=False)


def item(kind: str, api_version: str = "v1", name: str = "shop-a", namespace: str = "shop-dev") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def missing(of: Application, *items: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(missing_entries(PROJECT, of, list(items), []))


def test_what_patterns_match_is_admitted() -> None:
    role = item("ClusterRole", "rbac.authorization.k8s.io/v1")
    assert missing(application(), item("ConfigMap"), role) == []


def test_the_namespace_of_an_application_without_objects_must_be_a_destination() -> None:
    assert missing(application(namespace="else")) == [("destinations", {"name": "main", "namespace": "else"})]
    assert missing(application(cluster="prod")) == [("destinations", {"name": "prod", "namespace": "shop-dev"})]


def test_each_kind_of_entry_is_named() -> None:
    other = "https://example.com/other.git"
    assert missing(application(url=other)) == [("sourceRepos", other)]
    assert missing(application(), item("Secret")) == [("namespaceResourceWhitelist", {"group": "", "kind": "Secret"})]
    assert missing(application(), item("ConfigMap", namespace="else")) == [
        ("destinations", {"name": "main", "namespace": "else"})
    ]
    entry = {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
    role = item("ClusterRole", "rbac.authorization.k8s.io/v1", name="admin")
    assert missing(application(), role) == [("clusterResourceWhitelist", entry)]


@pytest.mark.parametrize(("allowlist", "is_admitted"), [(None, True), ([], False)])
def test_a_project_without_a_list_admits_every_kind_and_an_empty_list_none(allowlist: Any, is_admitted: bool) -> None:
    project = PROJECT | {"namespaceResourceWhitelist": allowlist}
    assert (not list(missing_entries(project, application(), [item("Secret")], []))) is is_admitted


@pytest.mark.parametrize(
    ("namespace", "labels", "is_needed"),
    [("shop-dev", {}, True), ("kube-system", {}, False), ("kube-system", {"a": "b"}, True)],
)
def test_a_namespace_that_argo_cd_applies_must_be_admitted(
    namespace: str, labels: dict[str, str], is_needed: bool
) -> None:
    of = application(namespace)
    of.manifest["spec"]["syncPolicy"] = {"syncOptions": ["CreateNamespace=true"]}
    of.manifest["spec"]["syncPolicy"] |= {"managedNamespaceMetadata": {"labels": labels}} if labels else {}
    entry = {"group": "", "kind": "Namespace", "name": namespace}
    assert (("clusterResourceWhitelist", entry) in missing(of)) is is_needed


def test_an_entry_is_printed_as_it_is_pasted() -> None:
    assert as_yaml({"group": "", "kind": "Secret"}) == '- group: ""\n  kind: Secret'
    assert as_yaml(URL) == f"- {URL}"
