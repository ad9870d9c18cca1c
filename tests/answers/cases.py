"""Sets of answers, each a file that says how it differs from the smallest example."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
Answers = dict[str, Any]


def minimal() -> Answers:
    """The smallest example, to be changed at will."""
    return dict(yaml.safe_load((ROOT / "examples" / "minimal.yaml").read_text()))


@dataclass(frozen=True)
class Case:
    """Replaced are whole answers by `answers`, fields of the first workload by `workload`; `without` leaves out."""

    name: str
    answers: Answers
    expect: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Case:
        given = yaml.safe_load(path.read_text())
        assert given.keys() <= {"expect", "answers", "workload", "without"}, path
        answers = minimal() | given.get("answers", {})
        if "workload" in given:
            answers["workloads"][0] |= given["workload"]
        for name in given.get("without", []):
            del answers[name]
        expect = given.get("expect", [])
        return cls(path.stem, copy.deepcopy(answers), tuple([expect] if isinstance(expect, str) else expect))


def cases(folder: str) -> list[Case]:
    """All cases of a folder beside this file, by name."""
    return [Case.read(path) for path in sorted((HERE / folder).glob("*.yaml"))]
