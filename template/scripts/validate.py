#!/bin/sh
# /// script
# requires-python = ">=3.11"
# dependencies = ["kubernetes-validate==1.36.0", "pyyaml==6.0.3", "yamllint==1.38.0"]
# ///
""":"
. "${0%/*}/uv.sh"
":"""

from __future__ import annotations

__doc__ = """Check a change before it is merged. One line per check, with its problems below.

    scripts/validate.py                      run every check
    scripts/validate.py --changed [main]     check only what this branch changes since it left main
    scripts/validate.py --quick              run only the checks that build nothing, for example before each commit
    scripts/validate.py --only hosts         run one check; --list prints their ids

Without a name, --changed means the branch that Argo CD follows.
No cluster is contacted. Charts and Argo CD's manifests are downloaded from where they are published.

A result is ok, note (worth knowing), FAIL, or skipped (with the reason). The last line counts them.
Exit status: 0 if nothing failed; 1 if a check failed, or the repository cannot be read; 2 if a check could not look at
everything, because a tool, a server or a build is missing. Both 1 and 2 fail a pipeline. A check that has nothing to
look at, such as a network policy in a repository without workloads, is skipped and does not change the exit status.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from gitops import terminal
from gitops.checks import Result, State, all_checks
from gitops.checks.run import FOLLOWED, iterate
from gitops.terminal import progress
from gitops.text import printable, printable_lines
from gitops.tools import GitOpsError, UnavailableError, unreadable

REPOSITORY = Path(__file__).resolve().parent.parent


def print_result(result: Result) -> None:
    """Print a check with its problems, or with the reason why it was skipped."""
    reason = printable(result.reason)
    lines = [f"{result.state:8} {result.title}{f' ({reason})' if result.state is State.SKIPPED else ''}"]
    for problem in [*result.problems, *result.notes]:
        lines += [f"         {line}" for line in printable_lines(problem).split("\n")]
    if result.problems and not result.is_complete:
        lines.append(f"         Not everything was checked: {reason}")
    progress.print("\n".join(lines))


def conclude(results: list[Result]) -> int:
    """Print what to do next and how many checks had each result, and return the exit status."""
    failed = any(result.state is State.FAILED for result in results)
    incomplete = [result for result in results if not result.is_complete]
    print()
    missing = {cause: fix for result in results for cause, fix in result.missing.items()}
    for cause, fix in missing.items():
        print(printable(f"{cause}: {fix}."))
    if failed:
        print("Fix the problems, then run scripts/validate.py again.")
    if incomplete:
        print(f"This is not a pass: {len(incomplete)} of {len(results)} checks could not look at everything.")
    counts = Counter(result.state for result in results)
    words = {State.OK: "ok", State.NOTE: "with notes", State.SKIPPED: "skipped", State.FAILED: "failed"}
    counted = [f"{counts[state]} {word}" for state, word in words.items() if counts[state]]
    print(f"{len(results)} check{'s' * (len(results) != 1)}: {', '.join(counted)}.")
    return 1 if failed else 2 if incomplete else 0


def main() -> int:
    """Run the checks, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="validate.py"
    )
    parser.add_argument(
        "--changed",
        nargs="?",
        const=FOLLOWED,
        metavar="BRANCH",
        help="check only what differs from a branch; default: the branch that Argo CD follows",
    )
    parser.add_argument("--quick", action="store_true", help="run only the checks that build nothing")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="run one check; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the ids and titles of the checks")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{check.id:10} {check.title}" for check in all_checks()))
        return 0
    results: list[Result] = []
    progress.start()
    try:
        for result in iterate(
            REPOSITORY, only=arguments.only, is_quick=arguments.quick, changed_since=arguments.changed
        ):
            print_result(result)
            results.append(result)
    except GitOpsError as error:
        progress.stop()
        print(printable(str(error)), file=sys.stderr)
        return 2 if isinstance(error, UnavailableError) else 1
    except BrokenPipeError:
        raise
    except Exception as error:
        progress.stop()
        print(f"Cannot be checked: {printable(unreadable(error))}", file=sys.stderr)
        return 1
    progress.stop()
    return conclude(results)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
