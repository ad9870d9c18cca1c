"""The rendered repository's own checks accept every scenario, and every valid case of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases
from tests.support.combined import Combination, combine
from tests.support.own_checks import Validate
from tests.support.repository import Repository, render

COMBINATIONS = combine(cases("valid"))


def test_every_scenario_passes(repository: Repository, validate: Validate) -> None:
    assert validate(repository.path) == {}


@pytest.mark.proof
def test_policies_admit_every_scenario(repository: Repository, validate: Validate) -> None:
    assert validate(repository.path, is_kyverno_built=True) == {}


@pytest.mark.proof
@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.cases[0])
def test_policies_admit_unusual_answers(
    combination: Combination, validate: Validate, template: Path, tmp_path: Path
) -> None:
    repository = render(template, combination.answers, tmp_path / "repository")
    assert validate(repository, is_kyverno_built=True) == {}
