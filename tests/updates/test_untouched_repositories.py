"""Any update turns an untouched repository into a fresh copy of the newer version."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import up_to
from tests.support.repository import ROOT, examples
from tests.support.strategies import answers
from tests.support.updates.repository import Answers, Files, Render, Repository, differences, is_fresh, seeds
from tests.support.updates.template_changes import KINDS
from tests.support.updates.versions import FIRST

EXAMPLES = examples()

LATER = range(1, len(KINDS) + 1)


def updated(repository: Repository, *tags: str) -> Files:
    """Return the result of several updates in a row. Each keeps the answers that it knows."""
    for tag in tags:
        before = repository.answers()
        repository.update(tag)
        after = repository.answers()
        assert {name: before[name] for name in before if name in after}.items() <= after.items()
        repository.commit()
    return repository.files()


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_change_arrives(kind: str, history: list[str], render: Render) -> None:
    number = list(KINDS).index(kind)
    before, after = history[number : number + 2]
    repository = render(EXAMPLES["minimal"], before)
    was = repository.files()
    files = updated(repository, after)
    assert is_fresh(repository, after, render)
    assert not differences(files, was) & seeds(was)


@pytest.mark.parametrize("example", EXAMPLES)
def test_all_kinds_of_change_arrive_at_once(example: str, history: list[str], render: Render) -> None:
    repository = render(EXAMPLES[example])
    was = repository.files()
    questions = json.loads((ROOT / "hooks/answers.schema.json").read_text())["properties"]
    assert repository.answers().keys() == questions.keys(), "what is not recorded falls to a default that changes"
    files = updated(repository, history[-1])
    assert is_fresh(repository, history[-1], render)
    assert not differences(files, was) & seeds(was)
    assert len(differences(files, was)) > len(was) / 2, "the versions change too little to prove anything"


@pytest.mark.proof
@up_to(3)
@given(answers(), st.sampled_from(list(combinations(LATER, 2))))
def test_any_way_leads_to_the_same(
    history: list[str], render: Render, answers: Answers, numbers: tuple[int, int]
) -> None:
    between, last = (history[number] for number in numbers)
    direct, by_way = render(answers, FIRST), render(answers, FIRST)
    assert updated(direct, last) == updated(by_way, between, last)
    assert is_fresh(direct, last, render)
