"""Print which pinned GitHub actions are behind, or are not the commit that their comment names. Needs a network.

python -m tools.outdated
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKFLOWS = (".github/workflows", "template/.github/workflows")
PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v[\d.]+)$", re.MULTILINE)
VERSION = re.compile(r"refs/tags/(v\d+\.\d+\.\d+)(\^\{\})?$")
TIMEOUT_SECONDS = 60


def released(action: str) -> dict[str, str]:
    """Return the commits of an action's versions, by version.

    Raises:
        subprocess.CalledProcessError: if GitHub cannot be reached.
    """
    command = ["git", "ls-remote", "--tags", f"https://github.com/{action}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS).stdout
    commits = {}
    # An annotated tag has two lines: the tag, then its commit.
    for commit, name in (line.split("\t") for line in output.splitlines()):
        if match := VERSION.fullmatch(name):
            commits[match[1]] = commit
    return commits


def problems(root: Path) -> list[str]:
    """Return a line for each pin that is behind, or whose commit is not that of its version."""
    pins = {
        (match["action"], match["commit"], match["version"])
        for folder in WORKFLOWS
        for file in (root / folder).glob("*.y*ml*")
        for match in PIN.finditer(file.read_text())
    }
    lines = []
    for action, commit, version in sorted(pins):
        commits = released(action)
        newest = max(commits, key=lambda name: [int(part) for part in name[1:].split(".")])
        if commits.get(version) != commit:
            lines.append(f"{action}: {commit} is not {version}")
        if newest != version:
            lines.append(f"{action}: {version} is pinned, {newest} is current ({commits[newest]})")
    return lines


if __name__ == "__main__":
    found = problems(ROOT)
    print("\n".join(found) or "Every pinned action is current.")
    sys.exit(bool(found))
