"""Commit a promotion on its branch, and replace an earlier promotion there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gitops.clone import check_identity, merge_base
from gitops.git import commit_of
from gitops.promotion import SKIPPED, Promotion
from gitops.promotionbranch import check_branch
from gitops.tools import GitOpsError, run


def is_leftover(promotion: Promotion, repository: Path, tip: str, revision: str) -> bool:
    """Whether a branch has only an earlier promotion, merged or not.

    Args:
        promotion: What is promoted.
        repository: The clone.
        tip: The commit of the branch.
        revision: The revision that Argo CD follows.
    """
    merge_base(repository, revision, tip)
    listed = run("git", "rev-list", "--parents", f"{revision}..{tip}", folder=repository).splitlines()
    return all(_is_own(promotion, repository, *line.split()) for line in listed)


def _is_own(promotion: Promotion, repository: Path, commit: str, *parents: str) -> bool:
    """Whether a commit is a promotion and nothing else, or a merge that nobody edited."""
    try:
        if len(parents) == 1:
            check_branch(promotion, repository, parents[0], commit)
            return True
        merged = run("git", "merge-tree", "--write-tree", *parents, folder=repository).strip()
        return merged == run("git", "rev-parse", f"{commit}^{{tree}}", folder=repository).strip()
    except GitOpsError:
        return False


def check_place(promotion: Promotion, repository: Path, revision: str) -> None:
    """Refuse to replace commits of people.

    Raises:
        GitOpsError: if the branch has some, here or in the remote as last fetched, or if another branch blocks it.
    """
    branch = promotion.branch
    for prefix, delete in (("refs/heads/", "git branch -D"), ("refs/remotes/origin/", "git push origin --delete")):
        names = run("git", "for-each-ref", "--format=%(refname)", f"{prefix}promote", folder=repository).split()
        for name in (name.removeprefix(prefix) for name in names):
            # Git cannot store a branch below another one.
            if f"{name}/".startswith(f"{branch}/") != f"{branch}/".startswith(f"{name}/"):
                raise GitOpsError(f"the branch {name} blocks the name {branch}: merge it, then run {delete} {name}")
        tip = commit_of(repository, f"{prefix}{branch}")
        if tip and not is_leftover(promotion, repository, tip, revision):
            place = "in origin " if "remotes" in prefix else ""
            raise GitOpsError(
                f"the branch {branch} {place}has commits that are no promotion ({tip[:12]}): "
                f"keep them on another branch, then run {delete} {branch}"
            )


def commit_on_branch(promotion: Promotion, repository: Path, revision: str, text: str, skipped: list[str]) -> str:
    """Commit the target's file on top of a revision, on the promotion's branch. The working tree stays as it is.

    Args:
        promotion: What is promoted.
        repository: The clone.
        revision: The revision that Argo CD follows.
        text: The new text of the target's file.
        skipped: The environments that it skips. The commit message lists them for reviewers and for check_branch().

    Raises:
        GitOpsError: if the branch has commits that are no promotion, or is checked out.
    """
    file, branch = promotion.file(promotion.target), promotion.branch
    check_identity(repository)
    check_place(promotion, repository, revision)
    with tempfile.TemporaryDirectory() as folder:

        def git(*arguments: str, stdin: str = "") -> str:
            variables = {"GIT_INDEX_FILE": f"{folder}/index"}
            return run("git", *arguments, folder=repository, stdin=stdin, variables=variables).strip()

        blob = git("hash-object", "-w", "--stdin", "--path", file, stdin=text)
        git("read-tree", revision)
        message = f"{promotion.title}\n\n{SKIPPED}: {', '.join(skipped)}" if skipped else promotion.title
        git("update-index", "--cacheinfo", f"100644,{blob},{file}")
        commit = git("commit-tree", git("write-tree"), "-p", revision, "-m", message)
        try:
            git("branch", "--force", "--no-track", branch, commit)
        except GitOpsError as error:
            if "worktree" not in str(error) and "checked out" not in str(error):
                raise
            raise GitOpsError(f"the branch {branch} is checked out: git switch to another branch first") from None
    return commit


def push_command(promotion: Promotion, repository: Path) -> str:
    """Return the command that pushes the branch, and replaces only the commit that was last fetched."""
    branch = promotion.branch
    tip = commit_of(repository, f"refs/remotes/origin/{branch}")
    lease = f"--force-with-lease={branch}:{tip} " if tip and merge_base(repository, branch, tip) != tip else ""
    return f"git push {lease}origin {branch}"
