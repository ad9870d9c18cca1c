"""Build the objects of an Application with Kustomize and Helm."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gitops import directories, downloads, kustomizations, sources
from gitops.applications import Application
from gitops.objects import Object, digest, is_cluster_scoped, is_foreign, load_yaml, parse_objects
from gitops.sources import SourceType
from gitops.strictyaml import read_text
from gitops.tools import GitOpsError, UnavailableError, run, unreadable
from gitops.tree import Tree

_rendered: dict[str, list[Object]] = {}


def build(tree: Tree, application: Application) -> list[Object]:
    """Return the objects of an Application, with their namespaces, and with the values of Secrets hidden.

    Raises:
        UnavailableError: if a tool is missing or a chart cannot be downloaded.
        GitOpsError: if a source cannot be built, with the message of Kustomize or Helm.
    """
    return [finished(item, application.namespace) for item in read(tree, application)]


def read(tree: Tree, application: Application) -> list[Object]:
    """Return the objects of an Application unchanged, with the values of Secrets. See build()."""
    try:
        sources.check(application.manifest)
        return [item for source in application.sources for item in _build_source(tree, application, source)]
    except UnavailableError:
        raise
    except GitOpsError as error:
        message = str(error).replace(f"{tree.path}/", "")
        raise GitOpsError(f"{application.name}, {tree.label}: {message}") from None


def finished(item: Object, namespace: str) -> Object:
    """Return an object with its namespace, and with the values of a Secret hidden."""
    # A namespace has no effect on a cluster-wide object.
    stated = None if is_cluster_scoped(item, []) and not is_foreign(item, []) else item["metadata"].get("namespace")
    result = item | {"metadata": item["metadata"] | {"namespace": stated or namespace}}
    if item["kind"] == "Secret":
        for field in ("data", "stringData"):
            if isinstance(item.get(field), dict):
                # Equal values have equal digests, so that a change still shows.
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
    match sources.type_of(source, folder):
        case SourceType.DIRECTORY:
            return directories.read(folder, bool(source.get("directory", {}).get("recurse")))
        case SourceType.HELM:
            return _helm(tree, application, source, _checked_chart(folder, source["path"]))
    return kustomizations.build(tree.path, folder, source.get("kustomize", {}).get("namespace", ""))


def _checked_chart(folder: Path, name: str) -> Path:
    """Return the folder of a chart in the repository. Refuse one for which Argo CD would download something."""
    documents = load_yaml(read_text(folder / "Chart.yaml", f"{name}/Chart.yaml"), f"{name}/Chart.yaml")
    if not documents or not isinstance(documents[0], dict):
        raise GitOpsError(f"{name}/Chart.yaml must be a map")
    if documents[0].get("dependencies") or (folder / "requirements.yaml").exists():
        raise GitOpsError(f"{name}/Chart.yaml: dependencies are not supported here: copy them into charts/")
    return folder


def _helm(tree: Tree, application: Application, source: Object, chart: Path) -> list[Object]:
    helm = source.get("helm", {})
    # Argo CD passes the version and the APIs of the API server. Without them, Helm assumes its own.
    options = ["--namespace", application.namespace, "--api-versions", "policy/v1/PodDisruptionBudget"]
    options += [] if helm.get("skipCrds") else ["--include-crds"]
    if version := tree.kubernetes_version(application.cluster):
        options += ["--kube-version", version]
    files = value_files(tree, application, source)
    name = helm.get("releaseName", application.name)
    values = json.dumps(helm.get("valuesObject", {}))
    inputs = [str(chart), name, options, values, *(read_text(file, file.name) for file in files)]
    if chart.is_relative_to(tree.path):
        inputs += [file.read_bytes().hex() for file in sorted(chart.rglob("*")) if file.is_file()]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    if key not in _rendered:
        for file in files:
            options += ["--values", str(file)]
        text = run("helm", "template", *options, "--values", "-", "--", name, str(chart), stdin=values)
        _rendered[key] = parse_objects(text, str(source.get("chart") or source["path"]))
    return _rendered[key]


def value_files(tree: Tree, application: Application, source: Object) -> list[Path]:
    """Return the values files of a source in their order.

    Raises:
        GitOpsError: if one does not exist, or is in another repository.
    """
    result = []
    for place in value_paths(tree, application, source):
        path = tree.path / place
        if path.is_file():
            result.append(path)
        elif not source["helm"].get("ignoreMissingValueFiles"):
            raise GitOpsError(f"{place} does not exist")
    return result


def value_paths(tree: Tree, application: Application, source: Object) -> list[str]:
    """Return the paths of the values files of a source from the root of the repository, in their order.

    Raises:
        GitOpsError: if one is in another repository.
    """
    result = []
    for name in source.get("helm", {}).get("valueFiles", []):
        place = posixpath.normpath(_path_in_repository(tree, application, source, name))
        if place.startswith("..") or posixpath.isabs(place):
            raise GitOpsError(f"{name} is outside the repository")
        result.append(place)
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


def build_or_error(
    tree: Tree, application: Application, build: Callable[[Tree, Application], list[Object]] = build
) -> list[Object] | GitOpsError:
    """Return the objects of an Application, or the reason why there are none."""
    try:
        return build(tree, application)
    except GitOpsError as error:
        return error
    except Exception as error:
        return GitOpsError(f"{application.name}, {tree.label}: {unreadable(error)}")
