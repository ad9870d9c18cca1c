"""List the files that a kustomization reads before it is built, and reject any outside this repository."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from gitops.kustomizefields import KUSTOMIZATION, PLUGINS, Reference, Target, fields
from gitops.strictyaml import check_bounds, load_strictly, read_text
from gitops.text import printable
from gitops.tools import GitOpsError

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# The only manifest that is downloaded, and the only folder that may name it.
BOOTSTRAP = "bootstrap/argocd"
MANIFEST_URL = re.compile(
    r"https://raw\.githubusercontent\.com/argoproj/argo-cd/"
    r"(v[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{40})/manifests/(ha/)?install\.yaml"
)
# A part of a path that cannot be a host, user, scheme, option or query of a URL.
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+, -]*")
# Kustomize clones paths that begin like this, even if such a folder exists.
HOST = re.compile(r"(github|gitlab)\.com", re.IGNORECASE)
# A workload or an add-on may read only its own folder, since Argo CD watches no other one for it.
OWN = re.compile(r"apps/(workloads|platform)/[^/]+")
# Fields whose files are data, not YAML.
DATA = re.compile(r"Generator\[\d+\]\.(files|envs?)\b|: (files|envs?)\b")
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Kustomization:
    """The references of a kustomization.

    Attributes:
        file: Its path from the root of the repository.
        folders: The folders that it refers to, from the root of the repository.
        files: The files that it refers to, and those that its transformers refer to.
        urls: The manifests that it downloads.
        problems: Why it must not be built.
    """

    file: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    urls: tuple[str, ...]
    problems: tuple[str, ...]


def read(root: Path, folder: str) -> Kustomization:
    """Return the references of the kustomization in a folder.

    Args:
        root: The root of the repository.
        folder: The folder, from the root of the repository.
    """
    names = [name for name in FILE_NAMES if _type_of(root, f"{folder}/{name}") != "nothing"]
    if len(names) != 1:
        problem = f"{folder} has {' and '.join(names)}: keep one" if names else f"{folder} has no kustomization.yaml"
        return Kustomization(folder, (), (), (), (problem,))
    file = f"{folder}/{names[0]}"
    folders: list[str] = []
    files: list[str] = []
    urls: list[str] = []
    problems: list[str] = []
    try:
        references = list(_references(root, folder, file))
    except GitOpsError as error:
        return Kustomization(file, (), (), (), (str(error),))
    for reference in references:
        if folder == BOOTSTRAP and reference.field.startswith("resources[") and MANIFEST_URL.fullmatch(reference.path):
            urls.append(reference.path)
            continue
        try:
            target = _resolved(root, folder, file, reference)
        except GitOpsError as error:
            problems.append(str(error))
            continue
        (folders if _type_of(root, target) == "folder" else files).append(target)
    return Kustomization(file, tuple(folders), tuple(files), tuple(urls), tuple(problems))


def read_all(root: Path, folder: str) -> list[Kustomization]:
    """Return a folder's kustomization, and all that it refers to, directly or indirectly.

    Raises:
        GitOpsError: if one of them must not be built.
    """
    found: dict[str, Kustomization] = {}
    unread = [folder]
    while unread:
        part = unread.pop()
        if part not in found:
            found[part] = read(root, part)
            if found[part].problems:
                raise GitOpsError(f"not built: {found[part].problems[0]}")
            unread += found[part].folders
    return list(found.values())


def is_inside(path: str) -> bool:
    """Whether a path is plain: not a URL, and without special characters."""
    parts = path.removesuffix("/").split("/")
    if not path or HOST.match(parts[0]):
        return False
    return all(part in (".", "..") or (PART.fullmatch(part) and ".." not in part) for part in parts)


def _references(root: Path, folder: str, file: str) -> Iterator[Reference]:
    """Return every path in a kustomization, and in the transformers that it names."""
    for reference in _references_in(read_text(root / file, file), file):
        yield reference
        if reference.target is Target.PLUGIN:
            path = _resolved(root, folder, file, reference)
            for inner in _references_in_plugins(read_text(root / path, path), path):
                yield Reference(f"{reference.field}: {inner.field}", inner.path, inner.target)


@lru_cache(maxsize=4096)
def _references_in(text: str, file: str) -> tuple[Reference, ...]:
    documents = load_strictly(text, file)
    if len(documents) != 1:
        raise GitOpsError(f"{file} must have one YAML document")
    return _by_rules(KUSTOMIZATION, documents[0], file)


@lru_cache(maxsize=4096)
def _references_in_plugins(text: str, file: str) -> tuple[Reference, ...]:
    result: list[Reference] = []
    for document in load_strictly(text, file):
        kind = document.get("kind") if isinstance(document, dict) else None
        if not isinstance(kind, str) or kind not in PLUGINS or document.get("apiVersion") != "builtin":
            raise GitOpsError(
                f"{file}: only builtin transformers and generators are allowed here: {', '.join(sorted(PLUGINS))}"
            )
        result += _by_rules(PLUGINS[kind], document, file)
    return tuple(result)


def _by_rules(rules: Any, document: Any, file: str) -> tuple[Reference, ...]:
    try:
        return tuple(fields(rules)("", document))
    except GitOpsError as error:
        raise GitOpsError(f"{file}: {error}") from None


def _resolved(root: Path, folder: str, file: str, reference: Reference) -> str:
    """Return the target of a reference, by its path from the root of the repository.

    Raises:
        GitOpsError: if it is missing, outside the repository, or of the wrong type.
    """
    shown = printable(reference.path)[:SHOWN_LENGTH]
    place = f"{file}: {reference.field}: {shown}"
    if not is_inside(reference.path):
        hint = "put it into a file of its own" if "\n" in reference.path.strip() else "copy it here, for review"
        raise GitOpsError(f"{place} is not a path in this repository: {hint}")
    target = os.path.normpath(f"{folder}/{reference.path}")
    if target.startswith(("..", "/")):
        raise GitOpsError(f"{place} is outside the repository: copy it into the repository")
    own = OWN.match(f"{folder}/")
    limit = own[0] if own else BOOTSTRAP if folder == BOOTSTRAP else ""
    if limit and not PurePosixPath(target).is_relative_to(limit):
        raise GitOpsError(f"{place} is outside {limit}: copy it there")
    found = _type_of(root, target)
    if found == "file" and reference.target is not Target.FOLDER:
        if not DATA.search(reference.field):
            check_bounds(read_text(root / target, target), target)
        return target
    if found == "folder" and reference.target in (Target.FOLDER, Target.RESOURCE):
        return target
    if found == "nothing":
        raise GitOpsError(f"{place} does not exist")
    kind = "a link or special file" if found == "other" else f"a {found}"
    raise GitOpsError(f"{place} is {kind}, not {reference.target}")


def _type_of(root: Path, path: str) -> str:
    """Return what is at a path: file, folder, nothing, or other, such as a link or what is behind one."""
    place = root
    mode = stat.S_IFDIR
    for part in PurePosixPath(path).parts:
        if not stat.S_ISDIR(mode):
            return "other" if stat.S_ISLNK(mode) else "nothing"
        place /= part
        try:
            mode = place.lstat().st_mode
        except OSError:
            return "nothing"
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
