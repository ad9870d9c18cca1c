"""Changes, additions and deletions of users in any file survive updates."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import up_to
from tests.support.repository import examples
from tests.support.updates.repository import Render
from tests.support.updates.user_edits import live_in, moved_place, same_place

EXAMPLES = examples()

seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("example", [pytest.param("ccore", marks=pytest.mark.proof), "stages"])
@up_to(2)
@given(seed=seeds)
def test_edits_are_merged_and_only_those_of_the_same_line_are_conflicts(
    example: str, seed: int, next_version: str, render: Render
) -> None:
    repository = render(EXAMPLES[example])
    edits = live_in(repository, render(EXAMPLES[example], next_version).files(), same_place, Random(seed))
    repository.update(next_version)
    assert edits.broken(repository) == set()
    assert repository.markers() == edits.conflicts.keys()


@pytest.mark.proof
@up_to(2)
@given(seed=seeds)
def test_a_renamed_directory_takes_edits_along(seed: int, later_version: str, render: Render) -> None:
    repository = render(EXAMPLES["stages"])
    edits = live_in(repository, render(EXAMPLES["stages"], later_version).files(), moved_place, Random(seed))
    repository.update(later_version, trust=True)
    assert edits.broken(repository) == set()
    assert repository.markers() == edits.conflicts.keys()


@pytest.mark.proof
@up_to(1)
@given(seed=seeds)
def test_edits_survive_one_version_after_the_other(
    seed: int, next_version: str, moved_version: str, later_version: str, render: Render
) -> None:
    repository = render(EXAMPLES["stages"])
    new = render(EXAMPLES["stages"], later_version).files()
    edits = live_in(repository, new, moved_place, Random(seed), steps=True)
    repository.update(next_version)
    repository.commit()
    repository.update(moved_version, trust=True)
    repository.commit()
    repository.update(later_version)
    assert edits.broken(repository) == set()
