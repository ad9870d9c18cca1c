"""The files of a revision."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from gitops.tools import GitOpsError, run


def files_at(repository: Path, revision: str, pattern: str) -> list[str]:
    """Return the files of a revision whose path fits a pattern."""
    listing = run("git", "ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, folder=repository)
    return [name for name in listing.split("\0") if fnmatch(name, pattern) and name.count("/") == pattern.count("/")]


def file_at(repository: Path, revision: str, file: str) -> str:
    """Return a file at a revision.

    Raises:
        GitOpsError: if it does not exist there.
    """
    try:
        return run("git", "show", f"{revision}:{file}", folder=repository)
    except GitOpsError:
        raise GitOpsError(f"{revision} has no {file}") from None
