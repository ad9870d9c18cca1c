"""Build the objects of an Application with Kustomize and Helm."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gitops import downloads, kustomizations
from gitops.applications import Application
from gitops.objects import MANIFEST_SUFFIXES, Object, digest, parse_objects, read_objects
from gitops.tools import GitOpsError, UnavailableError, run
from gitops.tree import Tree

HELM_FIELDS = {"releaseName", "valueFiles", "ignoreMissingValueFiles", "valuesObject", "skipCrds"}
_rendered: dict[str, list[Object]] = {}


def build(tree: Tree, application: Application) -> list[Object]:
    """Return the objects of an Application, with their namespaces, and with the values of Secrets hidden.

    Raises:
        UnavailableError: if a tool is missing or a chart cannot be downloaded.
        GitOpsError: if a source cannot be built, with the message of Kustomize or Helm.
    """
    try:
        items = [item for source in application.sources for item in _build_source(tree, application, source)]
    except UnavailableError:
        raise
    except GitOpsError as error:
        raise GitOpsError(f"{application.name}, {tree.label}: {error}") from None
    return [_finished(item, application.namespace) for item in items]


def _finished(item: Object, namespace: str) -> Object:
    result = item | {"metadata": {"namespace": namespace} | item["metadata"]}
    if item["kind"] == "Secret":
        for field in ("data", "stringData"):
            if item.get(field):
                # A change still shows: equal values have equal digests.
                result[field] = {key: f"hidden-{digest(value)}" for key, value in item[field].items()}
    return result


def _build_source(tree: Tree, application: Application, source: Object) -> list[Object]:
    if "chart" in source:
        chart = downloads.chart(source["repoURL"], source["chart"], source["targetRevision"])
        return _helm(tree, application, source, chart)
    tree.check_repository(source["repoURL"])
    if "path" not in source:
        return []
    folder = tree.path / source["path"]
    if not folder.is_dir():
        raise GitOpsError(f"{source['path']} does not exist")
    if "directory" in source:
        files = folder.rglob("*") if source["directory"].get("recurse") else folder.glob("*")
        return [item for file in sorted(files) if file.suffix in MANIFEST_SUFFIXES for item in read_objects(file)]
    if (folder / "Chart.yaml").exists():
        return _helm(tree, application, source, folder)
    if unknown := source.get("kustomize", {}).keys() - {"namespace"}:
        raise GitOpsError(f"spec.source.kustomize.{min(unknown)} is not supported here")
    return kustomizations.build(tree.path, folder, source.get("kustomize", {}).get("namespace", ""))


def _helm(tree: Tree, application: Application, source: Object, chart: Path) -> list[Object]:
    helm = source.get("helm", {})
    if unknown := helm.keys() - HELM_FIELDS:
        raise GitOpsError(f"helm.{min(unknown)} is not supported here")
    # Argo CD passes the version and the APIs that the API server reports. Helm alone assumes its own.
    options = ["--namespace", application.namespace, "--api-versions", "policy/v1/PodDisruptionBudget"]
    options += [] if helm.get("skipCrds") else ["--include-crds"]
    if version := tree.kubernetes_version(application.cluster):
        options += ["--kube-version", version]
    files = value_files(tree, application, source)
    name = helm.get("releaseName", application.name)
    values = json.dumps(helm.get("valuesObject", {}))
    inputs = [str(chart), name, options, values, *(file.read_text() for file in files)]
    if chart.is_relative_to(tree.path):
        inputs += [file.read_bytes().hex() for file in sorted(chart.rglob("*")) if file.is_file()]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    if key not in _rendered:
        for file in files:
            options += ["--values", str(file)]
        text = run("helm", "template", name, str(chart), *options, "--values", "-", stdin=values)
        _rendered[key] = parse_objects(text, str(source.get("chart") or source["path"]))
    return _rendered[key]


def value_files(tree: Tree, application: Application, source: Object) -> list[Path]:
    """Return the values files of a source in their order.

    Raises:
        GitOpsError: if one does not exist, or is in another repository.
    """
    helm = source.get("helm", {})
    result = []
    for name in helm.get("valueFiles", []):
        path = tree.path / _path_in_repository(tree, application, source, name)
        if path.is_file():
            result.append(path)
        elif not helm.get("ignoreMissingValueFiles"):
            raise GitOpsError(f"{path.relative_to(tree.path)} does not exist")
    return result


def _path_in_repository(tree: Tree, application: Application, source: Object, name: str) -> str:
    """Return the path of a values file, which may begin with the `ref` of another source: `$values/…`."""
    if not name.startswith("$"):
        tree.check_repository(source["repoURL"])
        return f"{source['path']}/{name}"
    reference, _, path = name.partition("/")
    others: list[Any] = [other for other in application.sources if f"${other.get('ref')}" == reference]
    if not others:
        raise GitOpsError(f"{name}: no source has the ref {reference.removeprefix('$')}")
    tree.check_repository(others[0]["repoURL"])
    return path


def build_or_error(tree: Tree, application: Application) -> list[Object] | GitOpsError:
    """Return the objects of an Application, or the reason why there are none."""
    try:
        return build(tree, application)
    except GitOpsError as error:
        return error
