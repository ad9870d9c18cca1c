"""The revision that Argo CD follows, and the files of a revision."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from gitops.git import commit_of
from gitops.tools import GitOpsError, run
from gitops.tree import Tree


def followed_revision(tree: Tree, repository: Path) -> str:
    """Return the revision that Argo CD follows, as last fetched.

    Raises:
        GitOpsError: if this clone does not have it.
    """
    branch = str(tree.root_source.get("targetRevision", "HEAD"))
    for revision in (f"origin/{branch}", branch):
        if commit_of(repository, revision):
            return revision
    raise GitOpsError(f"Argo CD follows {branch}, which is not in this clone: run git fetch origin {branch}")


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
