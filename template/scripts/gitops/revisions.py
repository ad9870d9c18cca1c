"""Read the files of a revision."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from gitops.git import commit_of
from gitops.tools import GitOpsError, run


def files_at(repository: Path, revision: str, pattern: str) -> list[str]:
    """Return the files of a revision whose path matches a pattern."""
    listing = run("git", "ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, folder=repository)
    return [name for name in listing.split("\0") if fnmatch(name, pattern) and name.count("/") == pattern.count("/")]


def file_at(repository: Path, revision: str, file: str) -> str:
    """Return a file at a revision.

    Raises:
        GitOpsError: if it does not exist there.
    """
    commit = commit_of(repository, revision)
    try:
        if commit:
            return run("git", "cat-file", "blob", f"{commit}:{file}", folder=repository)
    except GitOpsError:
        pass
    raise GitOpsError(f"{revision} has no {file}")


def file_of(repository: Path, revision: str, file: str) -> str:
    """Return a file at a revision; empty if it does not exist there."""
    try:
        return file_at(repository, revision, file)
    except GitOpsError:
        return ""


def last_content(repository: Path, revision: str, file: str) -> str:
    """Return the content of a file before it was deleted; empty if the history of the revision does not have it."""
    try:
        commit = run("git", "rev-list", "--max-count=1", "--end-of-options", revision, "--", file, folder=repository)
    except GitOpsError:
        return ""
    return file_of(repository, f"{commit.strip()}^", file) if commit.strip() else ""
