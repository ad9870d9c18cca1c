"""Check the clone that a script runs in, and find the branch that Argo CD follows."""

from __future__ import annotations

from pathlib import Path

from gitops.git import NO_COMMIT, commit_of, require_commit
from gitops.text import printable
from gitops.tools import GitOpsError, run
from gitops.tree import Tree


def check_top(repository: Path) -> None:
    """Refuse a folder that is not a clone, or that is only a part of one.

    Raises:
        GitOpsError: with what to do.
    """
    try:
        top, prefix, _ = run("git", "rev-parse", "--show-toplevel", "--show-prefix", folder=repository).split("\n")
    except GitOpsError as error:
        if "not a git repository" in str(error):
            raise GitOpsError(f"{repository} is not a clone of Git: run git init, or clone the repository") from None
        raise
    if prefix:
        raise GitOpsError(
            f"this folder is {printable(prefix)} of the repository {printable(top)}, and Argo CD reads paths from the "
            "top of a repository: move it to its own repository"
        )


def check_identity(repository: Path) -> None:
    """Refuse to commit without a name and an address.

    Raises:
        GitOpsError: with what to do.
    """
    try:
        run("git", "var", "GIT_COMMITTER_IDENT", folder=repository)
        run("git", "var", "GIT_AUTHOR_IDENT", folder=repository)
    except GitOpsError:
        raise GitOpsError(
            "Git does not know who commits: run git config user.name <name>, and git config user.email <address>"
        ) from None


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
    fetch = f"run git fetch origin +refs/heads/{branch}:refs/remotes/origin/{branch}"
    if not commit_of(repository, "HEAD"):
        fetch = f"{NO_COMMIT}, and push it to {branch}"
    elif "origin" not in run("git", "remote", folder=repository).split():
        fetch = f"run git remote add origin {tree.repository}, then git fetch origin"
    raise GitOpsError(f"Argo CD follows {branch}, which is not in this clone: {fetch}")


def merge_base(repository: Path, one: str, other: str) -> str:
    """Return the last common commit of two histories.

    Raises:
        GitOpsError: if this clone does not have it.
    """
    try:
        return run("git", "merge-base", one, other, folder=repository).strip()
    except GitOpsError:
        is_shallow = run("git", "rev-parse", "--is-shallow-repository", folder=repository).strip() == "true"
        fix = "this clone is shallow: run git fetch --unshallow origin" if is_shallow else "run git fetch origin"
        raise GitOpsError(f"{one} and {other} have no common history in this clone: {fix}") from None


def files_changed_since(repository: Path, branch: str) -> set[str]:
    """Return the files that differ from the point where this branch left another one, committed or not."""
    require_commit(repository, branch)
    require_commit(repository, "HEAD")
    base = merge_base(repository, branch, "HEAD")
    changed = run("git", "diff", "--name-only", "--no-ext-diff", "--no-relative", "-z", base, folder=repository)
    new = run("git", "ls-files", "--others", "--exclude-standard", "-z", folder=repository)
    return set(filter(None, (changed + new).split("\0")))
