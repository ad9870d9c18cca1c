"""Attacks through a commit to one workload: `validate` rejects each one before the merge."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import checks
from tests.support import attacks
from tests.support.attacks import Attack
from tests.support.checkout import committed
from tests.support.repository import render

pytestmark = pytest.mark.proof
Problems = dict[str, list[str]]


@pytest.fixture(scope="module")
def repository(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a rendered repository with a victim, and the workload that each attack is a copy of."""
    return committed(render(template, attacks.ANSWERS, tmp_path_factory.mktemp("attacks") / "repository"))


@pytest.fixture(scope="module")
def problems(repository: Path, downloads: None, tmp_path_factory: pytest.TempPathFactory) -> Problems:
    """Return the report of the checks for a repository with every attack, each in a separate workload."""
    attacked = Path(shutil.copytree(repository, tmp_path_factory.mktemp("attacked") / "repository"))
    for attack in attacks.commits():
        attacks.commit(attack, attacked, repository)
    return {result.id: result.problems for result in checks.run(attacked)}


def test_the_repository_passes_without_them(repository: Path, downloads: None) -> None:
    assert {result.id: result.problems for result in checks.run(repository) if result.problems} == {}


@pytest.mark.parametrize("attack", attacks.commits(), ids=lambda attack: attack.name)
def test_a_check_refuses_it(attack: Attack, problems: Problems) -> None:
    assert attack.checks
    for check in attack.checks:
        own = [problem for problem in problems[check] if names(attack)(problem)]
        assert own, f"{attack.about}: {check} has no problem with it"


def names(attack: Attack) -> Callable[[str], bool]:
    """Return whether a problem is one of an attack: it names its application or its folder."""
    return lambda problem: f"{attack.namespace}" in problem or f"{attack.folder}/" in problem
