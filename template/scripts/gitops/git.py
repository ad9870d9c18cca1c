"""Read files, commits and differences from Git."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from gitops import entries
from gitops.entries import Entry
from gitops.tools import GitOpsError, environment_without_credentials, program, run
from gitops.tree import Tree

NO_COMMIT = "it has no commit yet. Commit first"


def commit_of(repository: Path, revision: str) -> str:
    """Return the commit that a revision names; empty if there is none."""
    try:
        arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        return run("git", *arguments, folder=repository).strip()
    except GitOpsError:
        return ""


def require_commit(repository: Path, revision: str) -> str:
    """Return the commit that a revision names.

    Raises:
        GitOpsError: if there is none, with what to do.
    """
    if commit := commit_of(repository, revision):
        return commit
    if not commit_of(repository, "HEAD"):
        raise GitOpsError(f"{revision} is not a commit of this clone: {NO_COMMIT}")
    raise GitOpsError(f"{revision} is not a commit of this clone: check the spelling, or run git fetch")


def copy_commit(repository: Path, revision: str, folder: Path) -> Tree:
    """Copy the files of a commit into an empty folder, without links and other entries that are not files.

    Attributes in the commit do not change the copies.

    Raises:
        GitOpsError: if there is no such commit, or it cannot be read.
    """
    commit = require_commit(repository, revision)
    listing = _git(repository, "ls-tree", "-r", "-z", "--full-tree", commit)
    lines = [line.partition(b"\t") for line in listing.split(b"\0") if line]
    fields = [(name, *first.split()) for first, _, name in lines]
    blobs = _blobs(repository, list(dict.fromkeys(blob for _, _, kind, blob in fields if kind == b"blob")))
    found = [Entry(os.fsdecode(name), mode.decode(), partial(_stored, blobs, blob)) for name, mode, _, blob in fields]
    return _copy(found, folder, revision)


def copy_working_tree(repository: Path, folder: Path) -> Tree:
    """Copy the files as they are on disk into an empty folder, without those that Git ignores, and without links.

    Raises:
        GitOpsError: if the folder is not a clone.
    """
    staged = [line.partition(b"\t") for line in _git(repository, "ls-files", "-s", "-z").split(b"\0") if line]
    modes = {os.fsdecode(name): fields.split()[0].decode() for fields, _, name in staged}
    new = _git(repository, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    modes |= dict.fromkeys((os.fsdecode(name).rstrip("/") for name in new if name), entries.REGULAR)
    # On a file system without modes, only Git knows them.
    has_modes = os.name == "posix" and _setting(repository, "core.fileMode") != "false"
    return _copy(list(_on_disk(repository, modes, has_modes)), folder, "working tree")


def _setting(repository: Path, name: str) -> str:
    """Return a setting of a clone; empty if it is not set."""
    try:
        return run("git", "config", "--get", "--type=bool", name, folder=repository).strip()
    except GitOpsError:
        return ""


def _on_disk(repository: Path, modes: dict[str, str], has_modes: bool) -> Iterator[Entry]:
    """Return the entry at each path, with the type that it has on disk now."""
    folders: dict[PurePosixPath, bool] = {PurePosixPath("."): True}

    def is_folder(path: PurePosixPath) -> bool:
        if path not in folders:
            folders[path] = is_folder(path.parent) and stat.S_ISDIR((repository / path).lstat().st_mode)
        return folders[path]

    for name, recorded in modes.items():
        path = repository / name
        if recorded == entries.SUBMODULE:
            yield Entry(name, recorded, lambda: b"")
            continue
        try:
            # A file below a link does not belong to this repository.
            is_reachable = is_folder(PurePosixPath(name).parent)
            kind = path.lstat().st_mode
        except OSError:
            continue
        if stat.S_ISDIR(kind) and (path / ".git").exists():
            yield Entry(name, entries.SUBMODULE, lambda: b"")
        elif stat.S_ISLNK(kind):
            yield Entry(name, entries.LINK, partial(_target, path))
        elif is_reachable and stat.S_ISREG(kind):
            on_disk = entries.EXECUTABLE if kind & stat.S_IXUSR else entries.REGULAR
            yield Entry(name, on_disk if has_modes and recorded != entries.LINK else recorded, path.read_bytes)
        elif not stat.S_ISDIR(kind):
            yield Entry(name, entries.SPECIAL, lambda: b"")


def _stored(blobs: dict[bytes, bytes], blob: bytes) -> bytes:
    """Return the content of a blob; nothing for a submodule."""
    return blobs.get(blob, b"")


def _target(link: Path) -> bytes:
    return os.fsencode(link.readlink())


def _copy(found: list[Entry], folder: Path, label: str) -> Tree:
    problems: list[str] = []
    overrides: list[str] = []
    try:
        for entry in sorted(found, key=lambda entry: entry.name):
            problems += entries.problems(entry)
            overrides += [entry.name] if entry.overrides else []
            if entry.is_readable:
                target = folder / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(entry.content())
    except OSError as error:
        raise GitOpsError(f"{label}: {error}") from None
    return Tree(folder, label, tuple(problems), tuple(overrides))


def _git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run Git, and return its output as bytes, as file names are."""
    command = [program("git"), *arguments]
    environment = environment_without_credentials()
    result = subprocess.run(command, cwd=repository, env=environment, input=stdin, capture_output=True, check=False)
    if result.returncode:
        raise GitOpsError(f"git {arguments[0]}: {' '.join(result.stderr.decode('utf-8', 'replace').split())}")
    return result.stdout


def _blobs(repository: Path, identifiers: list[bytes]) -> dict[bytes, bytes]:
    """Return the content of blobs."""
    output = _git(repository, "cat-file", "--batch", stdin=b"".join(name + b"\n" for name in identifiers))
    result: dict[bytes, bytes] = {}
    start = 0
    for identifier in identifiers:
        end = output.index(b"\n", start)
        *_, size = output[start:end].split()
        if not size.isdigit():
            raise GitOpsError(f"git cat-file: {identifier.decode()} is missing: run git fetch")
        start = end + 1 + int(size) + 1
        result[identifier] = output[end + 1 : start - 1]
    return result


def changed_files(before: Tree, after: Tree) -> tuple[set[str], dict[str, str]]:
    """Return the files that differ between two trees, and the new names of renamed files by their old names."""
    options = ["--no-index", "--no-ext-diff", "--name-status", "--find-renames", "-z"]
    # Git exits with an error if there are differences.
    output = run("git", "diff", *options, "--", str(before.path), str(after.path), reports=True)
    fields = iter(filter(None, output.split("\0")))
    changed: set[str] = set()
    renamed: dict[str, str] = {}

    def relative(name: str) -> str:
        for tree in (before, after):
            if Path(name).is_relative_to(tree.path):
                return Path(name).relative_to(tree.path).as_posix()
        return name

    for status in fields:
        names = [relative(next(fields)) for _ in range(2 if status[0] in "RC" else 1)]
        changed.update(names)
        if status[0] == "R":
            renamed[names[0]] = names[1]
    return changed, renamed


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether a file is one of the paths, or in a folder among them."""
    return any(folder == "." or path == folder or path.startswith(f"{folder}/") for folder in folders)
