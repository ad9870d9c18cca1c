#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml"]
# ///
"""What must hold before a change is merged. One line per check; exit status 1, and what to do, if one fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from gitops import ANSWERS, digest, listed

REPOSITORY = Path(__file__).resolve().parent.parent
# The lines around what Git cannot merge; those of equals signs are headings elsewhere.
MARKER = re.compile(r"^(<{7}|\|{7}|>{7})( |$)", re.MULTILINE)
RENDERED = "_rendered."


def conflicts() -> list[str]:
    """Files that an update or a merge left half done."""
    found = []
    for name in listed(REPOSITORY):
        file = REPOSITORY / name
        if name.endswith(".rej"):
            found.append(f"{name}: is what could not be merged; put what is in it where it belongs, and delete it")
        elif file.is_file() and (marker := MARKER.search(file.read_bytes().decode(errors="replace"))):
            line = file.read_bytes()[: marker.start()].count(b"\n") + 1
            found.append(f"{name}:{line}: has a conflict marker; decide for one side, and delete the markers")
    return found


def edited_answers() -> list[str]:
    """Answers that were changed in their file, which renders nothing."""
    file = REPOSITORY / ANSWERS
    if not file.exists():
        return []
    try:
        recorded = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        return [f"{ANSWERS}: is not valid YAML: {' '.join(str(error).split())}"]
    sums = {name: value for name, value in recorded.items() if name.startswith(RENDERED)}
    now = {}
    for name, value in recorded.items():
        if isinstance(value, list):
            for entry in value:
                item = entry.get("name") if isinstance(entry, dict) else entry
                now[f"{RENDERED}{name}.{item}"] = digest(entry)
        elif not name.startswith("_"):
            now[f"{RENDERED}{name}"] = digest(value)
    edited = sorted(name for name in sums.keys() | now.keys() if sums and sums.get(name) != now.get(name))
    return [
        f"{ANSWERS}: {name.removeprefix(RENDERED)} was edited here, which renders nothing; "
        "undo that and follow docs/operations.md, Change an answer"
        for name in edited
    ]


CHECKS: dict[str, Callable[[], list[str]]] = {
    "nothing is left of a conflict": conflicts,
    "the answers are those that were rendered": edited_answers,
}


def main() -> int:
    """Run every check, and say what each found."""
    failed = 0
    for name, check in CHECKS.items():
        problems = check()
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok':6} {name}")
        for problem in problems:
            print(f"       {problem}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
