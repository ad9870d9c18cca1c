#!/bin/sh
# /// script
# requires-python = ">=3.11"
# dependencies = ["copier==9.19.1", "pyyaml==6.0.3"]
# ///
""":"
. "${0%/*}/uv.sh"
":"""

from __future__ import annotations

__doc__ = """Render this repository again, with a newer version of its template or with other answers.

    scripts/render.py update [VERSION]    upgrade the template; Copier gets all other options, such as --trust
    scripts/render.py answers [FILE]      edit the answers in $EDITOR, or take them from a file, and apply them
    scripts/render.py add-workload        prompt for a workload, and add it

Start with a clean working tree. Nothing is committed.
Exit status: 0 if the files are rendered, 1 if not, or if there are conflicts.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from gitops import terminal
from gitops.answers import DRAFT, check_no_draft, read_answers, recorded_text, start_draft
from gitops.newworkload import QUESTIONS, NewWorkload, Question
from gitops.rendering import CURRENT, blast_radius, check_ready, conflicts, print_changes, update
from gitops.text import printable
from gitops.tools import GitOpsError
from gitops.tree import ANSWERS

REPOSITORY = Path(__file__).resolve().parent.parent
KEPT = f"Your answers are in {DRAFT}. Correct and apply them: mise run answers. Or delete the file."


def upgrade(version: str, options: list[str]) -> int:
    """Upgrade the template, and return the exit status."""
    try:
        update(REPOSITORY, *([f"--vcs-ref={version}"] if version else []), *options)
    except GitOpsError as error:
        raise GitOpsError(f"{error}\nIf that version needs a newer Copier: uvx copier update --defaults") from None
    if print_changes(REPOSITORY):
        print("\nNext: mise run validate, then mise run blast-radius. Commit if both are as you expect.")
    return 1 if conflicts(REPOSITORY) else 0


def apply(file: Path, name: str, workload: str = "") -> int:
    """Apply the answers in a file at this version of the template, and return the exit status."""
    answers = read_answers(file.read_text(encoding="utf-8"), name)
    if answers == read_answers(recorded_text(REPOSITORY), ANSWERS):
        print("The answers have not changed: nothing to apply.")
        return 0
    update(REPOSITORY, f"--vcs-ref={CURRENT}", f"--data-file={file}")
    print_changes(REPOSITORY)
    if conflicts(REPOSITORY):
        return 1
    if workload:
        print_places(workload)
    print(f"\nBlast radius: {blast_radius(REPOSITORY)}", flush=True)
    print("Next: mise run validate, and mise run blast-radius for all of it. Then commit.")
    return 0


def apply_draft(workload: str = "") -> int:
    """Apply the draft, and delete it once it is rendered. Return the exit status."""
    draft = REPOSITORY / DRAFT
    try:
        status = apply(draft, DRAFT, workload)
    except GitOpsError as error:
        raise GitOpsError(f"{error}\n{KEPT}") from None
    draft.unlink()
    return status


def edit() -> int:
    """Have a person edit the answers, apply them, and return the exit status."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    if not shutil.which(editor[0]):
        raise GitOpsError(f"The editor {editor[0]} is not installed: set EDITOR, such as EDITOR=nano")
    if start_draft(REPOSITORY):
        print(f"Continuing with {DRAFT} from an earlier attempt. To start over, delete it.", flush=True)
    if subprocess.run([*editor, str(REPOSITORY / DRAFT)], check=False).returncode:
        raise GitOpsError(f"The editor failed, so nothing was applied. {KEPT}")
    return apply_draft()


def ask(workload: NewWorkload, question: Question, default: str | None) -> Any:
    """Ask until the reply is valid, and return its value."""
    while True:
        try:
            reply = input(f"{question.prompt}{f' [{default}]' if default else ''}: ")
            return workload.value(question, reply or default or "")
        except GitOpsError as error:
            print(f"  {printable(str(error))}")


def given(options: dict[str, str | None], workload: NewWorkload, question: Question, default: str | None) -> Any:
    """Return the value of an option, or of its default."""
    reply = options[question.field] if options[question.field] is not None else default
    if reply is None:
        raise GitOpsError(f"--{question.field} is missing")
    return workload.value(question, reply)


def add_workload(options: dict[str, str | None]) -> int:
    """Add a workload to the answers, apply them, and return the exit status."""
    answers = read_answers(recorded_text(REPOSITORY), ANSWERS)
    check_no_draft(REPOSITORY)
    workload = NewWorkload(REPOSITORY, answers)
    is_asked = all(value is None for value in options.values()) and sys.stdin.isatty()
    try:
        added = workload.collect(partial(ask, workload) if is_asked else partial(given, options, workload))
    except EOFError:
        raise GitOpsError("Nothing was changed.") from None
    start_draft(REPOSITORY, answers | {"workloads": [*(answers.get("workloads") or []), added]})
    return apply_draft(added["name"])


def print_places(workload: str) -> None:
    """Print where a workload runs, as the inventory has it."""
    inventory = (REPOSITORY / "docs/inventory.md").read_text(encoding="utf-8")
    print()
    for row in re.findall(rf"^\| `{workload}` \|.*$", inventory, re.MULTILINE):
        _, _, environment, namespace, host, *_ = (cell.strip(" `<>") for cell in row.split("|"))
        print(f"{workload} in {environment}: namespace {namespace}, host {host}")


def main() -> int:
    """Render, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="render.py"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("update", help="upgrade the template")
    command.add_argument("version", nargs="?", default="", help="a tag of the template; default: the newest")
    command = commands.add_parser("answers", help="edit the answers and apply them")
    command.add_argument("file", nargs="?", help=f"a file with answers; default: edit those of {ANSWERS}")
    command = commands.add_parser("add-workload", help="prompt for a workload, and add it")
    for question in QUESTIONS:
        command.add_argument(f"--{question.field}", metavar=question.field.upper(), help=question.prompt)
    arguments, others = parser.parse_known_args()
    if others and arguments.command != "update":
        parser.error(f"unknown: {' '.join(others)}")
    try:
        check_ready(REPOSITORY)
        if arguments.command == "update":
            return upgrade(arguments.version, others)
        if arguments.command == "add-workload":
            return add_workload({question.field: getattr(arguments, question.field) for question in QUESTIONS})
        if not arguments.file:
            return edit()
        file = Path(arguments.file).resolve()
        return apply_draft() if file == REPOSITORY / DRAFT else apply(file, arguments.file)
    except (GitOpsError, OSError) as error:
        print("\n".join(printable(line) for line in str(error).split("\n")), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nNothing was changed.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(terminal.run(main))
