"""Read a folder of plain manifests, neither a kustomization nor a chart, as Argo CD does.

Source: findManifests() in reposerver/repository/repository.go of Argo CD 3.6.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from gitops.entries import JSONNET, SKIPPED
from gitops.goyaml import Loader, describe, to_number
from gitops.objects import Object, checked, items_of
from gitops.strictyaml import check_bounds, read_text
from gitops.tools import GitOpsError

MANIFEST = re.compile(r".*\.(yaml|yml|json|jsonnet)")
# An unreadable file counts as a manifest only if it contains all of these.
MARKS = ("apiVersion:", "kind:", "metadata:")


def files(folder: Path, recurse: bool) -> list[Path]:
    """Return the files that Argo CD treats as manifests, hidden files included, in its order."""
    found = folder.rglob("*") if recurse else folder.glob("*")
    return [file for file in sorted(found) if MANIFEST.fullmatch(file.name) and file.is_file()]


def read(folder: Path, recurse: bool) -> list[Object]:
    """Return the objects of the manifests in a folder.

    Raises:
        GitOpsError: if a file looks like a manifest but is not one, or needs an interpreter.
    """
    return [
        checked(item, file.name)
        for file in files(folder, recurse)
        for document in _documents(file)
        for item in items_of(document)
    ]


def _documents(file: Path) -> list[Any]:
    if file.suffix in JSONNET:
        raise GitOpsError(f"{file.name}: Jsonnet is not supported: commit the YAML that it generates")
    text = read_text(file, file.name)
    if SKIPPED.decode() in text:
        return []
    return _of_json(text, file.name) if file.suffix == ".json" else _of_yaml(text, file.name)


def _of_json(text: str, name: str) -> list[Any]:
    try:
        document = json.loads(text, parse_float=to_number)
    except (ValueError, RecursionError) as error:
        raise GitOpsError(f"{name} must be one JSON document: {error}") from None
    if not _is_manifest(document):
        raise GitOpsError(f"{name} is not a Kubernetes manifest: it has no kind")
    return [document]


def _of_yaml(text: str, name: str) -> list[Any]:
    """Return the documents of a file; none if it is not a manifest, such as a chart's values."""
    check_bounds(text, name)
    found: list[Any] = []
    try:
        for document in yaml.load_all(text, Loader):
            if document is not None and not _is_manifest(document):
                raise GitOpsError(f"{name} has a document without a kind")
            found += [] if document is None else [document]
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        problem = f"{name} is not valid YAML: {describe(error)}"
    except GitOpsError as error:
        problem = str(error)
    else:
        return found
    if found or all(mark in text for mark in MARKS):
        raise GitOpsError(problem)
    return []


def _is_manifest(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("kind"), str) and bool(document["kind"])
