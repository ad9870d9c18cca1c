"""Check that the folders of add-ons become Applications, and what their addon.yaml says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.git import is_below
from gitops.names import is_of_kubernetes
from gitops.objects import load_yaml
from gitops.strictyaml import read_text
from gitops.text import closest, one_of, suggestion
from gitops.tree import ANSWERS, PLATFORM, Tree

DESCRIPTION, KUSTOMIZATION, VALUES = "addon.yaml", "kustomization.yaml", "values.yaml"
# What argo/applicationsets/charts.yaml reads, and the digest that validate.py compares.
REQUIRED = ("chart", "repository", "version", "namespace")
FIELDS = (*REQUIRED, "podSecurity", "ignoreDifferences", "digest")
LEVELS = ("restricted", "baseline", "privileged")


@check("addons", "Every add-on folder is an application", is_quick=True)
def addons(repository: Repository) -> Iterator[str]:
    """Find folders of add-ons that no ApplicationSet reads, or that install nothing, and mistakes in addon.yaml."""
    tree = repository.tree
    changed = repository.changed
    if changed is not None and not any(is_below(file, [PLATFORM, ANSWERS]) for file in changed):
        raise NothingToCheckError("the branch changes no add-on")
    for folder in sorted(path for path in (tree.path / PLATFORM).glob("[!.]*") if path.is_dir()):
        name = f"{PLATFORM}/{folder.name}"
        yield from _clusters(tree, folder, name)
        if (folder / DESCRIPTION).is_file():
            yield from _description(read_text(folder / DESCRIPTION, name), f"{name}/{DESCRIPTION}")
        elif problem := _without_description(folder):
            yield f"{name}{problem}"


def _clusters(tree: Tree, folder: Path, name: str) -> Iterator[str]:
    """Find folders of clusters that do not exist, and files that have another name than the one that is read."""
    clusters = sorted(path for path in folder.glob("clusters/[!.]*") if path.is_dir())
    if not clusters and (folder / DESCRIPTION).is_file():
        yield f"{name} has no folder clusters/<cluster>, so no cluster installs it: add one, or delete {name}"
    known = tree.cluster_names
    for cluster in clusters:
        if known and cluster.name not in known:
            yield f"{name}/clusters/{cluster.name}: {cluster.name} is not a cluster{suggestion(cluster.name, known)}"
        if not (cluster / KUSTOMIZATION).is_file() and (other := _similar(cluster, KUSTOMIZATION)):
            yield f"{name}/clusters/{cluster.name}/{other}: no ApplicationSet reads it: rename it to {KUSTOMIZATION}"


def _without_description(folder: Path) -> str:
    """Return what is wrong with a folder without addon.yaml; empty if it only has objects besides charts."""
    if other := _similar(folder, DESCRIPTION):
        return f"/{other}: no ApplicationSet reads it: rename it to {DESCRIPTION}"
    clusters = [path for path in folder.glob("clusters/*") if path.is_dir()]
    has_values = any((path / VALUES).is_file() for path in (folder, *clusters))
    if has_values or not all((path / KUSTOMIZATION).is_file() for path in clusters):
        return (
            f" has no {DESCRIPTION}, so no chart is installed: add it with {', '.join(REQUIRED)}, or delete the folder "
            "(docs/operations.md, Add an add-on)"
        )
    return ""


def _similar(folder: Path, wanted: str) -> str:
    """Return a file whose name is almost the wanted one; empty if there is none."""
    return closest(wanted, [path.name for path in folder.iterdir() if path.is_file() and path.name != VALUES])


def _description(text: str, name: str) -> Iterator[str]:
    documents = load_yaml(text, name)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        yield f"{name} must be one map with {', '.join(REQUIRED)}"
        return
    addon: dict[Any, Any] = documents[0]
    for field in addon:
        if field not in FIELDS:
            yield f"{name}: {field} has no effect{suggestion(str(field), FIELDS)}"
    for field in REQUIRED:
        if not addon.get(field):
            yield f"{name}: {field} is missing: add it"
        elif not isinstance(addon[field], str):
            yield f"{name}: {field} {addon[field]} is not text: quote it"
    level, namespace = addon.get("podSecurity"), str(addon.get("namespace"))
    if "podSecurity" not in addon:
        return
    if level not in LEVELS:
        yield f"{name}: podSecurity {level} is not a Pod Security level: use {one_of(LEVELS)}"
    elif is_of_kubernetes(namespace):
        yield f"{name}: podSecurity would stop the pods of others in the shared namespace {namespace}: remove it"
