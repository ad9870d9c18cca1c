#!/usr/bin/env -S uv run --locked --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["kubernetes-validate==1.36.0", "pyyaml==6.0.3", "yamllint==1.38.0"]
# ///
"""Check what must hold before a change is merged. One line per check, with its problems below.

    scripts/validate.py                      run every check
    scripts/validate.py --changed [main]     check only what this branch changes since it left main
    scripts/validate.py --quick              run only the checks that build nothing, for example before each commit
    scripts/validate.py --only hosts         run one check; --list prints their ids

Without a name, --changed means the branch that Argo CD follows.
No cluster is contacted. Charts and Argo CD's manifests are downloaded from where they are published.
Exit status: 0 if nothing failed, 1 if a check failed, 2 if a tool or a download is missing for a check.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gitops.checks import Result, State, all_checks
from gitops.checks.run import FOLLOWED, iterate
from gitops.text import print_anywhere, printable, printable_lines
from gitops.tools import GitOpsError, unreadable

REPOSITORY = Path(__file__).resolve().parent.parent


def print_result(result: Result, printed_reasons: set[str]) -> None:
    """Print a check with its problems, or with the reason why it was skipped; a long reason only once."""
    reason = "for the same reason" if result.reason in printed_reasons else result.reason
    printed_reasons.add(result.reason)
    reason = printable(reason)
    print(f"{result.state:8} {result.title}{f' ({reason})' if result.state is State.SKIPPED else ''}", flush=True)
    for problem in [*result.problems, *result.notes]:
        print("\n".join(f"         {line}" for line in printable_lines(problem).split("\n")))
    if result.problems and reason:
        print(f"         Not everything was checked: {reason}")


def conclude(results: list[Result]) -> int:
    """Print what to do next, and return the exit status."""
    failed = [result for result in results if result.state is State.FAILED]
    incomplete = [result for result in results if not result.is_complete]
    if failed or incomplete:
        print()
    if failed:
        print(f"{len(failed)} of {len(results)} checks failed. Fix the problems, then run scripts/validate.py again.")
    if incomplete:
        print(f"{len(incomplete)} of {len(results)} checks could not check everything: see their reasons.")
    return 1 if failed else 2 if incomplete else 0


def main() -> int:
    """Run the checks, and return the exit status."""
    print_anywhere()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="validate.py"
    )
    parser.add_argument(
        "--changed",
        nargs="?",
        const=FOLLOWED,
        metavar="BRANCH",
        help="check only what differs from a branch; default: that Argo CD follows",
    )
    parser.add_argument("--quick", action="store_true", help="run only the checks that build nothing")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="run one check; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the ids and titles of the checks")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{check.id:10} {check.title}" for check in all_checks()))
        return 0
    results: list[Result] = []
    printed_reasons: set[str] = set()
    try:
        for result in iterate(
            REPOSITORY, only=arguments.only, is_quick=arguments.quick, changed_since=arguments.changed
        ):
            print_result(result, printed_reasons)
            results.append(result)
    except GitOpsError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except Exception as error:
        print(f"Cannot be checked: {printable(unreadable(error))}", file=sys.stderr)
        return 1
    return conclude(results)


if __name__ == "__main__":
    sys.exit(main())
