"""Answers that look odd but are right are accepted, and nothing of them gets lost on the way into the repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import Answers, Case, cases
from .conftest import Copy
from .rendered import ANSWERS_FILE, assert_has_the_answers, recorded


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.name)
def test_an_odd_answer_is_accepted_and_survives(
    case: Case, copy: Copy, find_problems: Callable[[Answers], list[str]], tmp_path: Path
) -> None:
    outcome = copy(case.answers, tmp_path / "repository", "--quiet")
    assert outcome.status == 0, outcome.stderr
    assert_has_the_answers(tmp_path / "repository", case.answers)
    assert find_problems(recorded(tmp_path / "repository")) == []


def test_what_anchors_share_is_recorded_as_if_it_had_been_spelt_out(copy: Copy, tmp_path: Path) -> None:
    (shared,) = [case.answers for case in cases("valid") if case.name == "fields-shared-by-anchors"]
    assert shared["workloads"][0]["env"] is shared["workloads"][1]["env"]
    copy(shared, tmp_path / "shared", "--quiet")
    copy(json.loads(json.dumps(shared)), tmp_path / "spelt-out", "--quiet")
    assert (tmp_path / "shared" / ANSWERS_FILE).read_bytes() == (tmp_path / "spelt-out" / ANSWERS_FILE).read_bytes()
