"""Read files, commits and differences from Git."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from gitops.tools import GitOpsError, run
from gitops.tree import Tree


def commit_of(repository: Path, revision: str) -> str:
    """Return the commit that a revision names; empty if there is none."""
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False).stdout.strip()


def list_files(repository: Path) -> list[str]:
    """Return the files of the working tree, without those that Git ignores."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=repository)
    return sorted(set(filter(None, names.split("\0"))))


def copy_commit(repository: Path, revision: str, folder: Path) -> Tree:
    """Copy the files of a commit into an empty folder.

    Raises:
        GitOpsError: if there is no such commit.
    """
    commit = commit_of(repository, revision)
    if not commit:
        raise GitOpsError(f"{revision} is not a commit of this clone: check the spelling, or run git fetch")
    archive = subprocess.run(["git", "archive", commit], cwd=repository, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return Tree(folder, revision)


def copy_working_tree(repository: Path, folder: Path) -> Tree:
    """Copy the files as they are on disk into an empty folder, without those that Git ignores."""
    for name in list_files(repository):
        source, target = repository / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return Tree(folder, "working tree")


def files_changed_since(repository: Path, branch: str) -> set[str]:
    """Return the files that differ from where this branch left another one, committed or not."""
    base = run("git", "merge-base", branch, "HEAD", folder=repository).strip()
    changed = run("git", "diff", "--name-only", "-z", base, folder=repository)
    new = run("git", "ls-files", "--others", "--exclude-standard", "-z", folder=repository)
    return set(filter(None, (changed + new).split("\0")))


def changed_files(before: Tree, after: Tree) -> tuple[set[str], dict[str, str]]:
    """Return the files that differ between two trees, and the new names of renamed files by their old names."""
    output = subprocess.run(
        ["git", "diff", "--no-index", "--name-status", "--find-renames", "-z", str(before.path), str(after.path)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
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
