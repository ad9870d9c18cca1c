"""Build a kustomization, once per content."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gitops import downloads
from gitops.objects import Object, load_yaml, parse_objects
from gitops.tools import GitOpsError, run

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# A manifest that Kustomize downloads: it is downloaded here, once for all builds.
MANIFEST_URL = re.compile(r"https://\S+\.ya?ml")
_built: dict[str, list[Object]] = {}


def build(root: Path, folder: Path, namespace: str) -> list[Object]:
    """Return the objects of a kustomization. Do not change them.

    Args:
        root: A private copy of the repository.
        folder: The folder of the kustomization, which may be changed.
        namespace: The namespace that Argo CD sets in it, or an empty text.

    Raises:
        GitOpsError: if Kustomize refuses it, with Kustomize's message.
    """
    folders = _folders(root.resolve(), folder.resolve())
    key = f"{namespace}/{_content(folder.resolve(), folders)}"
    if key not in _built:
        content = _read(folder)
        urls = [url for url in content.get("resources") or [] if MANIFEST_URL.fullmatch(str(url))]
        if namespace and content.get("namespace") != namespace:
            run("kustomize", "edit", "set", "namespace", "--", namespace, folder=folder)
        with tempfile.TemporaryDirectory() as temporary:
            if urls and len(folders) == 1:
                folder = _with_downloads(folder, urls, Path(temporary) / folder.name)
            _built[key] = parse_objects(run("kustomize", "build", ".", folder=folder), folder.name)
    return _built[key]


def _with_downloads(folder: Path, urls: list[str], target: Path) -> Path:
    """Copy a kustomization, with files in the place of manifests that it would download."""
    shutil.copytree(folder, target)
    for url in urls:
        manifest = downloads.file(url)
        shutil.copy(manifest, target)
        for file in (target / name for name in FILE_NAMES):
            if file.is_file():
                file.write_text(file.read_text().replace(url, manifest.name))
    return target


def _read(folder: Path) -> Object:
    """Return a kustomization; an empty one where Kustomize will say what is wrong with it."""
    for file in (folder / name for name in FILE_NAMES):
        if file.is_file():
            try:
                documents = load_yaml(file.read_text(), file.name)
            except (GitOpsError, UnicodeDecodeError):
                return {}
            return documents[0] if documents and isinstance(documents[0], dict) else {}
    return {}


def _folders(root: Path, folder: Path) -> set[Path]:
    """Return a folder, and the folders that its kustomization refers to, directly or through others."""
    folders = {folder}
    unread = [folder]
    while unread:
        part = unread.pop()
        names = [name for name in _strings(_read(part)) if os.path.isdir(part / name)]  # noqa: PTH112
        others = {other for name in names if (other := (part / name).resolve()).is_relative_to(root)}
        unread += others - folders
        folders |= others
    return folders


def _content(folder: Path, folders: set[Path]) -> str:
    """Return a digest of all files that a build of a folder can read."""
    total = hashlib.sha256()
    for file in sorted({file for part in folders for file in part.rglob("*") if file.is_file()}):
        total.update(f"\0{os.path.relpath(file, folder)}\0".encode() + file.read_bytes())
    return total.hexdigest()


def _strings(node: Any) -> Iterator[str]:
    """Return the texts of a kustomization that can be paths."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)
    elif isinstance(node, str) and not node.startswith("/") and "\n" not in node:
        yield node
