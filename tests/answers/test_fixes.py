"""The fix of each error fits on a line of the terminal, and it works."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from jinja2 import Environment

from tests.support.advice import follow
from tests.support.cases import ROOT, Answers, Case, cases

COLUMNS = 80
ANSWERS = json.loads((ROOT / "hooks/answers.schema.json").read_text())["properties"]
INVALID = cases("invalid")
# Answers that can have several problems at their prompt.
SEVERAL = {"clusters", "environments", "workloads"}
# The fix is an example, which conflicts with another answer of the case.
EXAMPLES = {"environment-name-boolean", "external-secrets-as-a-text"}
# Other fixes need a decision, such as "rename one of them".
FEWEST_FOLLOWED = 230

Brief = Callable[[str, list[str]], str]


@pytest.fixture(scope="session")
def brief(jinja: Environment) -> Brief:
    """Return what Copier shows at the prompt of an answer."""
    macro = jinja.from_string("[% from 'hooks/given/listed.jinja' import brief %][[ brief(name, problems) ]]")
    return lambda name, problems: (
        f"Validation error for question '{name}': " + macro.render(name=name, problems=problems).strip()
    )


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_a_fix_fits_into_a_terminal_and_works(
    case: Case,
    brief: Brief,
    find_lines: Callable[[Answers], list[str]],
    find_problems: Callable[[Answers], list[str]],
) -> None:
    for line in find_lines(case.answers):
        name = next((name for name in ANSWERS if line.startswith((f"{name}:", f"{name}[", f"{name}."))), "")
        if name:  # An unknown name has no prompt.
            assert_fits(brief(name, [line]), line)
            assert_fits(brief(name, [line] * 10), line)
            assert brief(name, [line] * 10).endswith(" (+9)") or name not in SEVERAL
        if (answers := follow(case.answers, line.split("\t")[0])) is not None and case.name not in EXAMPLES:
            place = line.split(": ")[0] + ": "
            assert not [problem for problem in find_problems(answers) if problem.startswith(place)]


def assert_fits(message: str, line: str) -> None:
    fixes = [fix.replace(", in quotes", "").replace('"', "") for fix in line.rpartition("; ")[2].split("\t")]
    shown = message.partition("': ")[2].replace('"', "")
    assert len(message) <= COLUMNS, message
    assert shown.startswith(tuple(fixes)) or " -> " in shown, message
    assert ", in quotes" not in shown, message


def test_most_fixes_can_be_followed() -> None:
    fixes = [follow(case.answers, case.expect[0]) for case in INVALID if "missing (without" not in case.expect[0]]
    assert sum(answers is not None for answers in fixes) >= FEWEST_FOLLOWED
