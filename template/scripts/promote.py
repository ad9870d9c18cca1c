#!/bin/sh
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml==6.0.3", "ruamel.yaml==0.19.1"]
# ///
""":"
. "${0%/*}/uv.sh"
":"""

from __future__ import annotations

__doc__ = """Promote images: run the images of one environment in the next one.

    scripts/promote.py shop dev staging                  change the working tree
    scripts/promote.py shop dev staging --branch         commit on the branch promote/shop/dev/staging
    scripts/promote.py --check <branch> <base> [<head>]  check that such a branch changes nothing else

With --branch, the commit replaces an earlier promotion on that branch, and nothing else.
The images come from the branch that Argo CD follows, as last fetched. No cluster is contacted.
Exit status: 0 if the images are promoted or were equal already; 1 if the promotion is refused; 2 for wrong arguments;
3 if --check is given a branch that is not called promote/..., and nothing was checked. With --other-branches that is 0,
for pipelines that run on every branch: do not merge automatically because of it.
"""

import argparse
import sys
from pathlib import Path

from gitops import terminal
from gitops.clone import check_top, followed_branch, followed_revision
from gitops.images import read_images
from gitops.promotion import Promotion, check_merged, check_order, promoted
from gitops.promotionbranch import check_branch, parse_branch
from gitops.promotioncommit import commit_on_branch, push_command
from gitops.revisions import file_at, files_at
from gitops.text import printable
from gitops.tools import GitOpsError, unreadable
from gitops.tree import Tree

REPOSITORY = Path(__file__).resolve().parent.parent
USAGE = (
    "promote.py <workload> <from> <to> [--component NAME] [--skip-stages] [--branch]\n"
    "       promote.py --check <branch> <base> [<head>] [--other-branches]"
)
NOT_A_PROMOTION = 3
# Works in a clone of a single branch, too, and removes branches that were deleted in the remote.
FETCH = 'git fetch --prune origin "+refs/heads/promote/*:refs/remotes/origin/promote/*"'


def promote(promotion: Promotion, may_skip: bool, on_branch: bool) -> None:
    """Promote, and print the changes and the commands to roll back."""
    tree = Tree(REPOSITORY, "working tree")
    revision = followed_revision(tree, REPOSITORY)
    source, target = promotion.file(promotion.source), promotion.file(promotion.target)
    # An overlay that is not merged yet runs nowhere.
    running = [file.split("/")[-2] for file in files_at(REPOSITORY, revision, promotion.file("*"))]
    skipped = check_order(promotion, tree, may_skip, running)
    if promotion.source not in running:
        raise GitOpsError(
            f"{promotion.workload} does not run in {promotion.source} yet: {revision} has no {source}. "
            "Promote from an environment in which it runs"
        )
    is_new = promotion.target not in running
    if is_new and on_branch:
        raise GitOpsError(
            f"{revision} has no {target}: promote without --branch, and commit it with the change that adds it"
        )
    source_text = file_at(REPOSITORY, revision, source)
    if not on_branch:
        check_merged(promotion, revision, source_text, (REPOSITORY / source).read_text(encoding="utf-8"))
    before = file_at(REPOSITORY, revision, target) if on_branch else (REPOSITORY / target).read_text(encoding="utf-8")
    after, missing = promoted(promotion, source_text, before, files_at(REPOSITORY, revision, promotion.manifests))
    for name in missing:
        print(f"{promotion.target} has no image {name}: skipped")
    if after == before:
        print(f"{promotion.target} already has the images of {promotion.source}.")
        return
    old, new = read_images(before, target).images, read_images(after, target).images
    for name, image in new.items():
        if image.reference != old[name].reference:
            print(f"{promotion.target}: {name}: {old[name].reference} → {image.reference}")
    if on_branch:
        commit = commit_on_branch(promotion, REPOSITORY, revision, after, skipped)
        print(f"\nCommitted on {promotion.branch}. Next: {push_command(promotion, REPOSITORY)}")
        print(f"Then open a pull request to {followed_branch(tree)}, unless one is open.")
        print(f"If the push is rejected: {FETCH}, then promote again.")
        print(f"To roll back after the merge: git revert {commit[:12]}, or the commit that it was squashed into.")
    elif is_new:
        (REPOSITORY / target).write_text(after, encoding="utf-8", newline="\n")
        print(f"\nChanged {target}. Next: commit it with the change that adds it.")
    else:
        (REPOSITORY / target).write_text(after, encoding="utf-8", newline="\n")
        print(f"\nChanged {target}. Next: git commit --message '{promotion.title}' -- {target}")
        print(f"To roll back: git revert that commit. Before the commit: git restore -- {target}")


def check(branch: str, base: str, head: str) -> int:
    """Check that a branch of a promotion changes only the images in its name, and return the exit status."""
    promotion = parse_branch(branch)
    if promotion:
        check_branch(promotion, REPOSITORY, base, head)
        print(f"{promotion.title}: the branch changes nothing else.")
        return 0
    print(f"Not a promotion: nothing about {printable(branch)} was checked.")
    return NOT_A_PROMOTION


def main() -> int:
    """Promote or check, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="promote.py", usage=USAGE
    )
    parser.add_argument("workload", nargs="?", help="a folder of apps/workloads")
    parser.add_argument("source", nargs="?", metavar="from", help="the environment that runs the images")
    parser.add_argument("target", nargs="?", metavar="to", help="the next environment")
    parser.add_argument(
        "--component", default="", metavar="NAME", help="only one component with its sidecars and jobs, or one image"
    )
    parser.add_argument("--skip-stages", action="store_true", help="skip environments in between")
    parser.add_argument("--branch", action="store_true", help="commit on a separate branch")
    parser.add_argument("--check", action="store_true", help="check <branch> <base> [<head>] instead")
    parser.add_argument("--other-branches", action="store_true", help="exit with 0 for a branch of something else")
    arguments = parser.parse_args()
    workload, source, target = arguments.workload, arguments.source, arguments.target
    if arguments.check and not source:
        parser.error("name the branch, and the commit to compare it with: promote.py --check <branch> <base>")
    if not arguments.check and not target:
        parser.error("name a workload and two environments, such as: promote.py shop dev staging")
    if arguments.check and (arguments.branch or arguments.component or arguments.skip_stages):
        parser.error("--check takes no --branch, --component or --skip-stages")
    if arguments.other_branches and not arguments.check:
        parser.error("--other-branches is for --check only")
    try:
        check_top(REPOSITORY)
        if arguments.check:
            status = check(workload, source, target or "HEAD")
            return 0 if status == NOT_A_PROMOTION and arguments.other_branches else status
        else:
            promote(Promotion(workload, source, target, arguments.component), arguments.skip_stages, arguments.branch)
    except GitOpsError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except Exception as error:
        print(f"Cannot be promoted: {printable(unreadable(error))}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(terminal.run(main))
