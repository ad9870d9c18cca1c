"""Unusual but valid answers are accepted and rendered without loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answers import ANSWERS_FILE, assert_has_the_answers, recorded
from tests.support.cases import Answers, Case, cases
from tests.support.combined import Combination, combine
from tests.support.commands import Copy
from tests.support.platforms import problems_of_files
from tests.support.repository import render

VALID = cases("valid")
COMBINATIONS = combine(VALID)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_an_unusual_answer_is_accepted(case: Case, find_problems: Callable[[Answers], list[str]]) -> None:
    assert find_problems(case.answers) == []


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.cases[0])
def test_unusual_answers_are_rendered_as_given(
    combination: Combination, template: Path, tmp_path: Path, find_problems: Callable[[Answers], list[str]]
) -> None:
    rendered = render(template, combination.answers, tmp_path / "repository")
    assert_has_the_answers(rendered, combination.answers)
    assert find_problems(recorded(rendered)) == []
    assert problems_of_files(rendered) == []


def test_values_shared_by_anchors_are_recorded_in_full(copy: Copy, tmp_path: Path) -> None:
    (shared,) = [case.answers for case in VALID if case.name == "fields-shared-by-anchors"]
    assert shared["workloads"][0]["env"] is shared["workloads"][1]["env"]
    copy(shared, tmp_path / "shared", "--quiet")
    copy(json.loads(json.dumps(shared)), tmp_path / "in-full", "--quiet")
    assert (tmp_path / "shared" / ANSWERS_FILE).read_bytes() == (tmp_path / "in-full" / ANSWERS_FILE).read_bytes()
