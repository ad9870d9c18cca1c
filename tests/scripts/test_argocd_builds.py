"""Argo CD and the rendered scripts build the same objects from any tree, or both reject it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from gitops import builds
from gitops.applications import Application
from gitops.objects import CLUSTER_SCOPED, api_group, digest
from gitops.tools import GitOpsError
from gitops.tree import Tree
from tests.support import trees
from tests.support.manifests import NAMESPACE
from tests.support.repo_server import KUBERNETES_VERSION, Manifests, RefusedError, manifests

pytestmark = pytest.mark.proof
URL = "https://github.com/acme/platform.git"
ROOT = {"repoURL": URL, "path": "argo", "directory": {"recurse": True}}
# What the scripts reject although Argo CD builds it: docs/operations.md, "What the checks refuse to read".
ON_PURPOSE = {
    "not a field of Kustomize": "its meaning is unknown; Kustomize ignores the case of names",
    ".hidden.yaml is not a path in this repository": "it is hidden",
    "keep one of helm, kustomize and directory": "the Application is written wrongly",
    "is not a file of this repository": "it may be a URL, a pattern or a file of the machine",
    "dependencies are not supported here": "Argo CD would download them",
    "Jsonnet is not supported": "it is a program",
    "a key must be text": "programs read it differently",
    "occurs twice": "programs read it differently",
    "remove the tag": "programs read it differently",
}
# What the API server rejects in any object: Argo CD's sync fails, a build does not.
BY_THE_API_SERVER = (
    "needs a text in",
    "must map text to text",
    "metadata must be a map",
    "is not a Kubernetes manifest",
)


@pytest.fixture(scope="module")
def argocd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manifests]:
    """Argo CD's code that builds."""
    with manifests(tmp_path_factory.mktemp("argocd")) as process:
        yield process


def write(folder: Path, files: trees.Tree) -> Path:
    """Write files below a folder, and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def by_argocd(argocd: Manifests, root: Path, manifest: dict[str, Any]) -> list[dict[str, Any]] | str:
    """Return the objects that Argo CD builds, or its error."""
    try:
        return argocd.build(root, manifest)
    except RefusedError as error:
        return str(error)


def by_scripts(root: Path, manifest: dict[str, Any]) -> list[dict[str, Any]] | str:
    """Return the objects that the scripts build, or their error."""
    try:
        return last_of_each(builds.build(Tree(root, "tree"), Application(manifest, is_kept=False)))
    except GitOpsError as error:
        return str(error)


def last_of_each(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last of duplicate objects, like Argo CD. The check `own` rejects them."""

    def identity(item: dict[str, Any], index: int) -> tuple[str, ...]:
        metadata = item["metadata"]
        name = f"{metadata['name']}{index}" if "generateName" in metadata else metadata["name"]
        return api_group(item), item["kind"], metadata["namespace"], name

    return list({identity(item, index): item for index, item in enumerate(items)}.values())


def comparable(items: list[dict[str, Any]], *, is_hidden: bool) -> list[str]:
    """Return objects as text, without fields that the scripts add or hide."""
    result = []
    for item in json.loads(json.dumps(items)):
        metadata = item["metadata"]
        if metadata.get("name", "") == metadata.get("generateName"):
            del metadata["name"]
        if item["kind"] in CLUSTER_SCOPED:
            metadata.pop("namespace", None)
        for field in ("data", "stringData") if item["kind"] == "Secret" and not is_hidden else ():
            if isinstance(item.get(field), dict):
                item[field] = {key: f"hidden-{digest(value)}" for key, value in item[field].items()}
        result.append(json.dumps(item, sort_keys=True))
    return sorted(result)


def is_object(item: Any) -> bool:
    """Return whether the API server could accept it as an object."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return False
    named = [item.get("apiVersion"), item.get("kind"), metadata.get("name") or metadata.get("generateName")]
    texts = [value for field in ("labels", "annotations") for value in (metadata.get(field) or {}).values()]
    return all(isinstance(text, str) and text for text in named) and all(isinstance(text, str) for text in texts)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(case=trees.trees())
def test_both_build_the_same_objects_or_refuse(case: tuple[dict[str, Any], trees.Tree], argocd: Manifests) -> None:
    source, files = case
    spec = {"project": "dev", "destination": {"name": "main", "namespace": NAMESPACE}}
    spec["source"] = {"repoURL": URL, "path": trees.APPLICATION, "targetRevision": "main"} | source
    manifest = {"metadata": {"name": "shop-dev"}, "spec": spec}
    root = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "root"},
        "spec": {"source": ROOT},
    }
    files = files | {
        "argo/root.yaml": json.dumps(root),
        ".copier-answers.yml": f"kubernetes_version: '{KUBERNETES_VERSION}'\n",
    }
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        real = by_argocd(argocd, write(Path(one), files), manifest)
        ours = by_scripts(write(Path(two), files), manifest)
    note(
        "\n".join(
            [json.dumps(source), *(f"--- {name}\n{text}" for name, text in files.items() if name in changed(files))]
        )
    )
    note(f"Argo CD: {real}\nscripts: {ours}")
    if isinstance(ours, str):
        is_meant = any(reason in ours for reason in ON_PURPOSE)
        is_later = (
            not isinstance(real, str) and not all(map(is_object, real)) and any(r in ours for r in BY_THE_API_SERVER)
        )
        assert isinstance(real, str) or is_meant or is_later, "only the scripts refuse it"
    else:
        assert not isinstance(real, str), "only Argo CD refuses it"
        assert comparable(ours, is_hidden=True) == comparable(real, is_hidden=False)


def changed(files: trees.Tree) -> set[str]:
    """Return the names of the files that are not the same in every tree."""
    return {name for name, text in files.items() if text not in trees.HELPERS.values() and name.startswith("apps/")}
