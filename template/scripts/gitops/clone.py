"""What a clone has: whether it is a repository of its own, and what Argo CD follows."""

from __future__ import annotations

from pathlib import Path

from gitops.git import commit_of
from gitops.tools import GitOpsError, run
from gitops.tree import Tree


def followed_branch(tree: Tree) -> str:
    """Return the branch that Argo CD follows."""
    return str(tree.root_source.get("targetRevision", "HEAD"))


def followed_revision(tree: Tree, repository: Path) -> str:
    """Return the revision that Argo CD follows, as last fetched.

    Raises:
        GitOpsError: if this clone does not have it.
    """
    branch = followed_branch(tree)
    for revision in (f"origin/{branch}", branch):
        if commit_of(repository, revision):
            return revision
    raise GitOpsError(
        f"Argo CD follows {branch}, which is not in this clone: "
        f"run git fetch origin +refs/heads/{branch}:refs/remotes/origin/{branch}"
    )


def merge_base(repository: Path, one: str, other: str) -> str:
    """Return where two commits parted; empty if they have no common history here."""
    try:
        return run("git", "merge-base", one, other, folder=repository).strip()
    except GitOpsError:
        return ""
