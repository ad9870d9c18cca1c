"""Valid answers are accepted and rendered; all others are rejected with a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.answers import ANSWERS_FILE, assert_has_the_answers
from tests.support.cases import Answers
from tests.support.properties import up_to
from tests.support.repository import render
from tests.support.strategies import HOSTILE, answers, anything, spoilt

FindProblems = Callable[[Answers], list[str]]


def files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@up_to(200)
@given(given_answers=answers())
def test_valid_answers_have_no_problems(given_answers: Answers, find_problems: FindProblems) -> None:
    assert find_problems(given_answers) == []


@up_to(200)
@given(given_answers=spoilt() | st.dictionaries(st.text(max_size=5), anything))
def test_whatever_is_given_the_checks_answer_in_single_lines(
    given_answers: Answers, find_problems: FindProblems
) -> None:
    for problem in find_problems(given_answers):
        assert problem == problem.strip() and "\n" not in problem
        assert problem.isprintable() and len(problem) < 1000


@up_to(20)
@given(given_answers=answers())
def test_valid_answers_render_to_yaml_that_says_the_same(given_answers: Answers, template: Path) -> None:
    with TemporaryDirectory() as folder:
        assert_has_the_answers(render(template, given_answers, Path(folder) / "repository"), given_answers)


@up_to(10)
@given(given_answers=answers())
def test_equal_answers_give_equal_bytes_whatever_their_order(given_answers: Answers, template: Path) -> None:
    # An object that occurs twice, as with YAML anchors, becomes two equal objects through JSON.
    reversed_answers = json.loads(json.dumps(dict(reversed(given_answers.items()))))
    with TemporaryDirectory() as folder:
        once = render(template, given_answers, Path(folder) / "one")
        again = render(template, reversed_answers, Path(folder) / "somewhere" / "else")
        assert files(once) == files(again)


@up_to(10)
@given(given_answers=answers().filter(lambda given_answers: len(given_answers["workloads"]) > 1))
def test_the_order_of_workloads_changes_no_file_but_the_recorded_answers(
    given_answers: Answers, template: Path
) -> None:
    reordered = given_answers | {"workloads": given_answers["workloads"][::-1]}
    with TemporaryDirectory() as folder:
        once = files(render(template, given_answers, Path(folder) / "one"))
        again = files(render(template, reordered, Path(folder) / "two"))
    assert {name for name in once | again if once.get(name) != again.get(name)} <= {ANSWERS_FILE}


# --- a text instead of a list, as on the command line --------------------------------------------------------------

SIGNS = st.sampled_from(
    [*"[]{}:,-?#&*!|>'\"%@`=<~ \n\t", ": ", ", ", "- ", " #", "a", "b: c", "''", '""', "\\", *HOSTILE]
)


@up_to(1500)
@given(text=st.lists(SIGNS, max_size=8).map("".join).map(lambda inner: f"[{inner}]") | st.text(max_size=10))
def test_text_in_brackets_that_passes_is_a_list_to_the_parser(text: str, list_fault: Callable[[str], str]) -> None:
    if text.strip().startswith("[") and not list_fault(text):
        assert isinstance(yaml.safe_load(text), list)


@up_to(200)
@given(given_answers=answers())
def test_a_list_of_names_passes_as_json_and_as_yaml(given_answers: Answers, list_fault: Callable[[str], str]) -> None:
    for name in ("clusters", "environments", "workloads"):
        names = [entry["name"] if isinstance(entry, dict) else entry for entry in given_answers[name]]
        assert list_fault(yaml.safe_dump(names, default_flow_style=True, width=10**6)) == ""
        assert list_fault(json.dumps(names)) == ""
        assert list_fault(json.dumps(names, separators=(",", ":"))) == ""
