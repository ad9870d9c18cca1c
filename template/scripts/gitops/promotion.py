"""Promote images: have an environment run the images that an earlier one runs."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gitops.git import commit_of
from gitops.images import read_images, with_images
from gitops.tools import GitOpsError, run
from gitops.tree import WORKLOADS, Tree

PREFIX = "promote/"


@dataclass(frozen=True)
class Promotion:
    """What is promoted: all images of a workload, or one of them."""

    workload: str
    source: str
    target: str
    component: str = ""

    @property
    def branch(self) -> str:
        """The branch of its pull request."""
        return PREFIX + "/".join(filter(None, (self.workload, self.source, self.target, self.component)))

    @property
    def title(self) -> str:
        """The subject of its commit."""
        return f"Promote {self.component or self.workload} from {self.source} to {self.target}"

    def file(self, environment: str) -> str:
        """Return the file with the images of an environment."""
        return f"{WORKLOADS}/{self.workload}/overlays/{environment}/kustomization.yaml"


def parse_branch(branch: str) -> Promotion | None:
    """Return the promotion that a branch is for; None if it is for none.

    Raises:
        GitOpsError: if the name has too many or too few parts.
    """
    if not branch.startswith(PREFIX):
        return None
    parts = branch.removeprefix(PREFIX).split("/")
    if len(parts) not in (3, 4):
        raise GitOpsError(f"{branch} is not a branch of a promotion: use {PREFIX}<workload>/<from>/<to>")
    return Promotion(*parts)


def promoted(promotion: Promotion, source_text: str, target_text: str) -> str:
    """Return the target's file with the images of the source's.

    Args:
        promotion: What is promoted.
        source_text: The text of the source's file.
        target_text: The text of the target's file.

    Raises:
        GitOpsError: if it must not or cannot be done.
    """
    source = read_images(source_text, promotion.file(promotion.source))
    target = read_images(target_text, promotion.file(promotion.target))
    names = [name for name in source.images if promotion.component in ("", name)]
    if not names:
        raise GitOpsError(f"{promotion.workload} has no image {promotion.component}; use {_one_of(source.images)}")
    for name in names:
        if name not in target.images:
            raise GitOpsError(f"{promotion.file(promotion.target)} has no image {name}: add it there first")
        if source.images[name].is_mutable:
            raise GitOpsError(
                f"{source.images[name].reference} can be another image tomorrow: "
                f"deploy a fixed version to {promotion.source} first"
            )
    return with_images(target, source, names)


def check_order(promotion: Promotion, tree: Tree, may_skip: bool) -> None:
    """Refuse to go back, or to skip an environment. Without answers there is no order.

    Raises:
        GitOpsError: if the workload, an environment, or their order is wrong.
    """
    workloads = sorted(folder.name for folder in (tree.path / WORKLOADS).glob("*") if (folder / "overlays").is_dir())
    if promotion.workload not in workloads:
        raise GitOpsError(f"there is no workload {promotion.workload}{_suggestion(promotion.workload, workloads)}")
    folders = sorted(folder.parent.name for folder in tree.path.glob(promotion.file("*")))
    for stage in (promotion.source, promotion.target):
        if stage not in folders:
            raise GitOpsError(f"{promotion.workload} does not run in {stage}{_suggestion(stage, folders)}")
    environments = [e["name"] if isinstance(e, dict) else e for e in tree.answers.get("environments", [])]
    stages = [name for name in environments if name in folders]
    if not {promotion.source, promotion.target} <= set(stages):
        return
    source, target = stages.index(promotion.source), stages.index(promotion.target)
    if source >= target:
        raise GitOpsError(f"{promotion.target} does not come after {promotion.source}; to roll back, use git revert")
    if target > source + 1 and not may_skip:
        skipped = ", ".join(stages[source + 1 : target])
        raise GitOpsError(f"this skips {skipped}: promote there first, or add --skip-stages")


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else f"; use {_one_of(names)}" if names else ""


def _one_of(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


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


def file_at(repository: Path, revision: str, file: str) -> str:
    """Return a file at a revision.

    Raises:
        GitOpsError: if it does not exist there.
    """
    try:
        return run("git", "show", f"{revision}:{file}", folder=repository)
    except GitOpsError:
        raise GitOpsError(f"{revision} has no {file}") from None


def commit_on_branch(promotion: Promotion, repository: Path, revision: str, text: str) -> str:
    """Commit the target's file on top of a revision, on the promotion's branch. The working tree stays as it is.

    Raises:
        GitOpsError: if the branch exists.
    """
    file, branch = promotion.file(promotion.target), promotion.branch
    if commit_of(repository, f"refs/heads/{branch}"):
        raise GitOpsError(f"the branch {branch} exists: merge it, or delete it (git branch -D {branch})")
    with tempfile.TemporaryDirectory() as folder:

        def git(*arguments: str, stdin: str = "") -> str:
            variables = {"GIT_INDEX_FILE": f"{folder}/index"}
            return run("git", *arguments, folder=repository, stdin=stdin, variables=variables).strip()

        blob = git("hash-object", "-w", "--stdin", "--path", file, stdin=text)
        git("read-tree", revision)
        git("update-index", "--cacheinfo", f"100644,{blob},{file}")
        commit = git("commit-tree", git("write-tree"), "-p", revision, "-m", promotion.title)
        git("branch", branch, commit)
    return commit


def check_branch(promotion: Promotion, repository: Path, base: str, head: str) -> None:
    """Refuse a branch that changes anything else than the images that its name says.

    Raises:
        GitOpsError: if it does.
    """
    file = promotion.file(promotion.target)
    expected = promoted(
        promotion, file_at(repository, base, promotion.file(promotion.source)), file_at(repository, base, file)
    )
    changed = run("git", "diff", "--name-only", "-z", base, head, folder=repository)
    if others := sorted(set(filter(None, changed.split("\0"))) - {file}):
        raise GitOpsError(f"a promotion changes only {file}, but this one also changes {', '.join(others)}")
    if file_at(repository, head, file) != expected:
        raise GitOpsError(f"{file} is not what {promotion.source} runs in {base}; promote again: {promotion.title}")
