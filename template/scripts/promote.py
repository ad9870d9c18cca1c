#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml==6.0.3"]
# ///
"""Have an environment run the images that an earlier one runs.

    scripts/promote.py shop dev staging                  in the working tree
    scripts/promote.py shop dev staging --branch         as a commit on the branch promote/shop/dev/staging
    scripts/promote.py --check <branch> <base> [<head>]  whether such a branch does that, and nothing else

What the earlier one runs is what it has in the branch that Argo CD follows, as it was fetched last. Nothing else is
changed, and no cluster is asked. Exit status: 0 if it is done or was so already, 1 if it is refused.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from gitops import GitOpsError, Tree, commit_of, run

REPOSITORY = Path(__file__).resolve().parent.parent
# What of an entry of `images` says which image it is.
FIELDS = ("newName", "newTag", "digest")
PREFIX = "promote/"


@dataclass(frozen=True)
class Promotion:
    """What is promoted: all images of a workload, or one component's."""

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
        """What its commit says."""
        return f"Promote {self.component or self.workload} from {self.source} to {self.target}"

    def file(self, environment: str) -> str:
        """Where the images of an environment stand."""
        return f"apps/workloads/{self.workload}/overlays/{environment}/kustomization.yaml"


@dataclass(frozen=True)
class Image:
    """An entry of `images`.

    Attributes:
        first: Its first line, from 0.
        last: Its last line.
        values: Its fields.
        lines: The lines of its fields, without indentation.
        indent: How far its dash is indented.
    """

    first: int
    last: int
    values: dict[str, str]
    lines: dict[str, str]
    indent: int

    @property
    def reference(self) -> str:
        """The image, as a container has it."""
        tag = f":{self.values['newTag']}" if "newTag" in self.values else ""
        digest = f"@{self.values['digest']}" if "digest" in self.values else ""
        return self.values.get("newName", self.values["name"]) + tag + digest

    @property
    def is_mutable(self) -> bool:
        """Whether it may be another one tomorrow."""
        return "digest" not in self.values and self.values.get("newTag", "latest") == "latest"


def images(text: str, name: str) -> dict[str, Image]:
    """The entries of `images` by name, where each field has its own line.

    Raises:
        GitOpsError: if there are none, or they are written in another way.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise GitOpsError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    fields = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    entries = fields.get("images")
    if not isinstance(entries, yaml.SequenceNode) or not entries.value:
        raise GitOpsError(f"{name} has no images: nothing there can be promoted")
    found, lines = {}, text.splitlines()
    for entry in entries.value:
        at = {key.value: key.start_mark.line for key, _ in entry.value}
        if entry.flow_style or entries.flow_style or len(set(at.values())) < len(at):
            raise GitOpsError(f"{name}:{entry.start_mark.line + 1}: write each field of the image on its own line")
        values = {key.value: str(value.value) for key, value in entry.value}
        if "name" not in values:
            raise GitOpsError(f"{name}:{entry.start_mark.line + 1}: the image has no name")
        own = {key: lines[line].strip().removeprefix("- ").strip() for key, line in at.items()}
        first, last = min(at.values()), max(at.values())
        found[values["name"]] = Image(first, last, values, own, entry.start_mark.column - 2)
    return found


def promoted(promotion: Promotion, source: str, target: str) -> str:
    """The target's file, with the images of the source's.

    Args:
        promotion: What is promoted.
        source: The text of the source's file.
        target: The text of the target's file.

    Raises:
        GitOpsError: if it must not or cannot be done.
    """
    new = images(source, promotion.file(promotion.source))
    old = images(target, promotion.file(promotion.target))
    wanted = [name for name in new if promotion.component in ("", name)]
    if not wanted:
        raise GitOpsError(f"{promotion.workload} has no image {promotion.component}, but {', '.join(new)}")
    lines = target.splitlines(keepends=True)
    for name in sorted(wanted, key=lambda name: old[name].first if name in old else 0, reverse=True):
        if name not in old:
            raise GitOpsError(f"{promotion.file(promotion.target)} has no image {name} yet: add it there first")
        if new[name].is_mutable:
            raise GitOpsError(
                f"{new[name].reference} may be another image tomorrow: {promotion.source} must run a version first"
            )
        if new[name].reference == old[name].reference:
            continue
        entry, indent = old[name], " " * old[name].indent
        others = [line for line in lines[entry.first : entry.last + 1] if not _is_field(line)]
        said = [new[name].lines[field] for field in new[name].lines if field in FIELDS]
        lines[entry.first : entry.last + 1] = [
            f"{indent}- {entry.lines['name']}\n",
            *(f"{indent}  {line}\n" for line in said),
            *others,
        ]
    return "".join(lines)


def _is_field(line: str) -> bool:
    return line.strip().removeprefix("- ").strip().partition(":")[0] in ("name", *FIELDS)


def check_order(promotion: Promotion, tree: Tree, may_skip: bool) -> None:
    """Refuse to go backwards, and to leave out a stage. Without answers nothing says the order.

    Raises:
        GitOpsError: if it goes elsewhere.
    """
    folders = sorted(folder.parent.name for folder in tree.path.glob(promotion.file("*")))
    for stage in (promotion.source, promotion.target):
        if stage not in folders:
            raise GitOpsError(f"{promotion.workload} does not run in {stage}, but in {', '.join(folders) or 'nothing'}")
    environments = [e["name"] if isinstance(e, dict) else e for e in tree.answers.get("environments", [])]
    stages = [name for name in environments if name in folders]
    if not {promotion.source, promotion.target} <= set(stages):
        return
    source, target = stages.index(promotion.source), stages.index(promotion.target)
    if source >= target:
        raise GitOpsError(f"{promotion.target} does not come after {promotion.source}; to go back, use git revert")
    if target > source + 1 and not may_skip:
        left_out = ", ".join(stages[source + 1 : target])
        raise GitOpsError(f"this leaves out {left_out}; promote there first, or say --skip-stages")


def followed(tree: Tree) -> str:
    """The revision that Argo CD follows, as it was fetched last.

    Raises:
        GitOpsError: if this clone does not have it.
    """
    branch = str(tree.root_source.get("targetRevision", "HEAD"))
    for revision in (f"origin/{branch}", branch):
        if commit_of(REPOSITORY, revision):
            return revision
    raise GitOpsError(f"{branch}, which Argo CD follows, is not in this clone: git fetch origin {branch}")


def at(revision: str, file: str) -> str:
    """A file at a revision.

    Raises:
        GitOpsError: if it is not there.
    """
    try:
        return run("git", "show", f"{revision}:{file}", folder=REPOSITORY)
    except GitOpsError:
        raise GitOpsError(f"{revision} has no {file}") from None


def commit(promotion: Promotion, revision: str, text: str) -> str:
    """Commit the target's file upon a revision, on the promotion's own branch; the working tree stays as it is.

    Raises:
        GitOpsError: if the branch exists.
    """
    file, branch = promotion.file(promotion.target), promotion.branch
    if commit_of(REPOSITORY, f"refs/heads/{branch}"):
        raise GitOpsError(f"the branch {branch} exists: merge it, or delete it (git branch -D {branch})")
    with tempfile.TemporaryDirectory() as folder:

        def git(*arguments: str, stdin: str = "") -> str:
            variables = {"GIT_INDEX_FILE": f"{folder}/index"}
            return run("git", *arguments, folder=REPOSITORY, stdin=stdin, variables=variables).strip()

        blob = git("hash-object", "-w", "--stdin", "--path", file, stdin=text)
        git("read-tree", revision)
        git("update-index", "--cacheinfo", f"100644,{blob},{file}")
        made = git("commit-tree", git("write-tree"), "-p", revision, "-m", promotion.title)
        git("branch", branch, made)
    return made


def promote(promotion: Promotion, may_skip: bool, as_branch: bool) -> None:
    """Do it, and say what it was and how to go back."""
    tree = Tree(REPOSITORY, "working tree")
    check_order(promotion, tree, may_skip)
    source, target = promotion.file(promotion.source), promotion.file(promotion.target)
    revision = followed(tree)
    running = at(revision, source)
    if not as_branch and (REPOSITORY / source).read_text() != running:
        raise GitOpsError(
            f"{source} differs from {revision}: only what is merged runs in {promotion.source}; merge it, or undo it"
        )
    before = at(revision, target) if as_branch else (REPOSITORY / target).read_text()
    after = promoted(promotion, running, before)
    if after == before:
        print(f"{promotion.target} has the images of {promotion.source} already.")
        return
    old, new = images(before, target), images(after, target)
    for name, image in new.items():
        if image.reference != old[name].reference:
            print(f"{promotion.target}: {name}: {old[name].reference} → {image.reference}")
    if as_branch:
        made = commit(promotion, revision, after)
        print(f"\nOn branch {promotion.branch}. Next: git push origin {promotion.branch}, and open a pull request.")
        print(f"To roll back, once it is merged: git revert {made[:12]}, or the commit that it was squashed into.")
    else:
        (REPOSITORY / target).write_text(after)
        print(f"\nIn {target}. Next: git commit --message '{promotion.title}' -- {target}")
        print("To roll back: git revert that commit, or before it git restore -- " + target)


def check(branch: str, base: str, head: str) -> None:
    """Whether a branch of promotion changes what it says, and nothing else.

    Raises:
        GitOpsError: if not.
    """
    if not branch.startswith(PREFIX):
        print(f"{branch} is no promotion.")
        return
    parts = branch.removeprefix(PREFIX).split("/")
    if len(parts) not in (3, 4):
        raise GitOpsError(f"{branch} is not {PREFIX}<workload>/<from>/<to>")
    promotion = Promotion(*parts)
    file = promotion.file(promotion.target)
    wanted = promoted(promotion, at(base, promotion.file(promotion.source)), at(base, file))
    changed = run("git", "diff", "--name-only", "-z", base, head, folder=REPOSITORY)
    others = sorted(set(filter(None, changed.split("\0"))) - {file})
    if others:
        raise GitOpsError(f"a promotion changes {file} only, but this changes {', '.join(others)} too")
    if at(head, file) != wanted:
        raise GitOpsError(f"{file} is not what {promotion.source} runs in {base}; promote again: {promotion.title}")
    print(f"{promotion.title}: that, and nothing else.")


def main() -> int:
    """Read the command line, and do it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="promote.py"
    )
    parser.add_argument("workload", nargs="?", help="a folder of apps/workloads")
    parser.add_argument("source", nargs="?", metavar="from", help="the environment that runs it")
    parser.add_argument("target", nargs="?", metavar="to", help="the next environment")
    parser.add_argument("--component", default="", metavar="IMAGE", help="one image only, by its name in `images`")
    parser.add_argument("--skip-stages", action="store_true", help="leave out environments in between")
    parser.add_argument("--branch", action="store_true", help="commit it on a branch of its own")
    parser.add_argument("--check", action="store_true", help="check <branch> <base> [<head>] instead")
    given = parser.parse_args()
    if not given.workload or not given.source or not (given.target or given.check):
        parser.error("say the workload, from where, and where to")
    try:
        if given.check:
            check(given.workload, given.source, given.target or "HEAD")
        else:
            promotion = Promotion(given.workload, given.source, given.target, given.component)
            promote(promotion, given.skip_stages, given.branch)
    except GitOpsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
