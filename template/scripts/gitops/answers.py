"""Read the recorded answers, and keep an edited copy of them in a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from gitops.tools import GitOpsError
from gitops.tree import ANSWERS

# Git ignores this file.
DRAFT = "answers.yml"
BASED_ON = "# Based on the recorded answers "
HEADER = """\
# yaml-language-server: $schema=.copier-answers.schema.json
# All answers of this repository. docs/answers.md describes each one. Save and close the editor to apply them.
# A workload, environment or cluster that you leave out is removed.
"""


def recorded_text(repository: Path) -> str:
    """Return the answers as Copier recorded them, without what it records besides.

    Raises:
        GitOpsError: if the repository has left its template.
    """
    try:
        lines = (repository / ANSWERS).read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        raise GitOpsError(
            f"{ANSWERS} is missing, so this repository no longer follows its template: edit the files themselves"
        ) from None
    return "".join(line for line in lines if not line.startswith(("_", "#")))


def read_answers(text: str, name: str) -> dict[str, Any]:
    """Return the answers in a text.

    Raises:
        GitOpsError: if it is not a map of answers.
    """
    try:
        answers = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise GitOpsError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(answers, dict):
        raise GitOpsError(f"{name} has no answers: write one per line, such as domain: example.com")
    return answers


def check_no_draft(repository: Path) -> None:
    """Refuse to replace the file with the edited answers.

    Raises:
        GitOpsError: if it exists.
    """
    if (repository / DRAFT).exists():
        raise GitOpsError(
            f"{DRAFT} exists and may have edits that were not applied. Rename or delete it, then repeat. "
            f"To apply it as it is: mise run answers {DRAFT}"
        )


def start_draft(repository: Path, answers: dict[str, Any] | None = None) -> bool:
    """Write the file to edit, and return whether it was there already, from an earlier attempt.

    Args:
        repository: The repository.
        answers: The answers to write; by default the recorded ones.

    Raises:
        GitOpsError: if there is such a file that starts from other recorded answers.
    """
    recorded = recorded_text(repository)
    base = BASED_ON + hashlib.sha256(recorded.encode()).hexdigest()[:12]
    path = repository / DRAFT
    if answers is None and path.exists() and base in path.read_text(encoding="utf-8").splitlines():
        return True
    check_no_draft(repository)
    text = recorded if answers is None else yaml.safe_dump(answers, sort_keys=False, allow_unicode=True, width=1000)
    path.write_text(f"{HEADER}{base}\n{text}", encoding="utf-8", newline="\n")
    return False
