#!/bin/sh
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml==6.0.3"]
# ///
""":"
. "${0%/*}/uv.sh"
":"""

from __future__ import annotations

__doc__ = """Show the effect of a change on the clusters: compare what Argo CD deploys from two revisions.

    scripts/blast_radius.py                  the working tree with HEAD
    scripts/blast_radius.py main             the working tree with main
    scripts/blast_radius.py v1 v2            two commits

No cluster is contacted. Exit status:
    0   nothing protected is lost
    1   a volume would be deleted in any environment; or in a protected environment, the platform or Argo CD, an object
        would be deleted, be rejected by the API server, or lose its owner or its DNS name; or a workload would start
        there with another image than the previous environment runs
    2   not everything could be compared, or a revision cannot be read
"""

import argparse
import sys
from pathlib import Path

from gitops import terminal
from gitops.clone import check_top
from gitops.comparison import compare_revisions
from gitops.report import as_json, as_markdown, as_text
from gitops.terminal import progress
from gitops.text import printable
from gitops.tools import GitOpsError, unreadable

REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> int:
    """Compare, print the report, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="blast_radius.py"
    )
    parser.add_argument("before", nargs="?", default="HEAD", help="a commit; default: HEAD")
    parser.add_argument("after", nargs="?", help="another commit; default: the working tree")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const=as_json, help="print JSON")
    form.add_argument("--markdown", dest="form", action="store_const", const=as_markdown, help="print Markdown")
    parser.add_argument("--brief", action="store_true", help="leave out the differences")
    arguments = parser.parse_args()
    progress.start()
    progress.show("Reading both revisions")
    try:
        check_top(REPOSITORY)
        report = compare_revisions(REPOSITORY, arguments.before, arguments.after or "")
        text = (arguments.form or as_text)(report, not arguments.brief)
    except GitOpsError as error:
        progress.stop()
        print(printable(str(error)), file=sys.stderr)
        return 2
    except Exception as error:
        progress.stop()
        print(f"Cannot be compared: {printable(unreadable(error))}", file=sys.stderr)
        return 2
    progress.print(text)
    return report.status


if __name__ == "__main__":
    sys.exit(terminal.run(main))
