"""Read sets of answers from tests/answers: each file has the differences from the smallest example."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "answers"
Answers = dict[str, Any]


def minimal() -> Answers:
    """Return a copy of the smallest example."""
    return dict(yaml.safe_load((ROOT / "examples" / "minimal.yaml").read_text()))


@dataclass(frozen=True)
class Case:
    """A set of answers with its expected problems.

    A file replaces whole answers with `answers`, fields of the first workload with `workload`, and omits `without`.
    """

    name: str
    answers: Answers
    expect: tuple[str, ...] = ()
    changes_first_workload: bool = False

    @classmethod
    def read(cls, path: Path) -> Case:
        given = _load(path.read_text())
        assert given.keys() <= {"expect", "answers", "workload", "without"}, path
        answers = minimal() | given.get("answers", {})
        if "workload" in given:
            answers["workloads"][0] |= given["workload"]
        for name in given.get("without", []):
            del answers[name]
        expect = given.get("expect", [])
        expected = tuple([expect] if isinstance(expect, str) else expect)
        return cls(path.stem, copy.deepcopy(answers), expected, "workload" in given)


def cases(folder: str) -> list[Case]:
    """Return all cases of a folder of tests/answers, by name."""
    return [Case.read(path) for path in sorted((FOLDER / folder).glob("*.yaml"))]


def _load(text: str) -> Answers:
    try:
        return dict(yaml.load(text, yaml.CSafeLoader))
    except yaml.YAMLError:  # libyaml refuses lone surrogates.
        return dict(yaml.safe_load(text))
