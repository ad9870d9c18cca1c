"""Build kustomizations, each content only once."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
import tempfile
from pathlib import Path

from gitops import downloads, references
from gitops.objects import Object, parse_objects
from gitops.strictyaml import load_strictly, read_text
from gitops.tools import GitOpsError, UnavailableError, run

# How Kustomize reports the way to a problem: the paths that it followed, and the other readings that it tried.
FOLLOWED = re.compile(r"accumulating resources from '([^']*)':")
NOISE = re.compile(
    r"# Warning: .*?automatically\.|(?<!\w)Error:|accumulating resources:"
    r"|accumulation err='|'[^']*' must resolve to a file':"
    r"|recursed (accumulation of|merging from) path '[^']*':|': must build at directory: '.*': file is not directory"
    r"|in File: \S+"
)
MEANINGS = {"missing Resource metadata": "not a Kubernetes object: apiVersion, kind or metadata.name is missing"}

_built: dict[str, list[Object]] = {}


def build(root: Path, folder: Path, namespace: str) -> list[Object]:
    """Return the objects of a kustomization. Do not change them.

    Before the build, every path in it and in the kustomizations that it refers to must be in the repository.

    Args:
        root: A private copy of the repository.
        folder: The folder of the kustomization, which may be changed.
        namespace: The namespace that Argo CD sets in it, or an empty text.

    Raises:
        GitOpsError: if a path leaves the repository, or with the message of Kustomize if it rejects the content.
    """
    parts = references.read_all(root, folder.relative_to(root).as_posix())
    folders = {(root / part.file).parent for part in parts}
    urls = sorted({url for part in parts for url in part.urls})
    if urls and len(folders) > 1:
        raise GitOpsError(f"not built: {folder.relative_to(root)} downloads a manifest, and may not name other folders")
    key = f"{namespace}/{_content(folder, folders)}"
    if key not in _built:
        file = root / parts[0].file
        (content,) = load_strictly(read_text(file, file.name), file.name)
        if namespace and content.get("namespace") != namespace:
            run("kustomize", "edit", "set", "namespace", "--", namespace, folder=folder)
        with tempfile.TemporaryDirectory() as temporary:
            if urls:
                folder = _with_downloads(file, urls, Path(temporary) / folder.name)
            try:
                text = run("kustomize", "build", ".", folder=folder)
            except UnavailableError:
                raise
            except GitOpsError as error:
                raise GitOpsError(_shortened(str(error), file.parent.relative_to(root).as_posix())) from None
            _built[key] = parse_objects(text, folder.name)
    return _built[key]


def _shortened(message: str, folder: str) -> str:
    """Return the file and the problem of an error message of Kustomize."""
    for path in FOLLOWED.findall(message):
        folder = posixpath.normpath(f"{folder}/{path}")
    problem = " ".join(NOISE.sub("", FOLLOWED.sub("", message)).split())
    return f"{folder}: {MEANINGS.get(problem, problem)}"


def _with_downloads(file: Path, urls: list[str], target: Path) -> Path:
    """Copy a kustomization, with downloaded files in the place of URLs."""
    shutil.copytree(file.parent, target)
    text = file.read_text("utf-8")
    for url in urls:
        manifest = downloads.file(url)
        shutil.copy(manifest, target)
        text = text.replace(url, manifest.name)
    (target / file.name).write_text(text, "utf-8")
    return target


def _content(folder: Path, folders: set[Path]) -> str:
    """Return a digest of all files that a build of a folder can read."""
    total = hashlib.sha256()
    for file in sorted({file for part in folders for file in part.rglob("*") if file.is_file()}):
        total.update(f"\0{os.path.relpath(file, folder)}\0".encode() + file.read_bytes())
    return total.hexdigest()
