"""Versions of the template and repositories rendered from them: made once, cloned for each test that changes one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
import yaml
from hypothesis import HealthCheck, Phase, settings

from tests.conftest import examples
from tests.updates.changes import (
    KINDS,
    add_a_document,
    add_a_last_line,
    remove_a_document,
    rename_directories,
    reword_every_comment,
)
from tests.updates.repository import Answers, Repository, differences, seeds
from tests.updates.versions import FIRST, Change, Versions

EXAMPLES = examples()

# Updates are slow, and answers too large to search for smaller ones that fail.
few = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Render(Protocol):
    def __call__(self, answers: Answers, tag: str = FIRST) -> Repository: ...


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    return Versions.snapshot(tmp_path_factory.mktemp("versions") / "template")


@pytest.fixture(scope="session")
def render(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders a version once per set of answers, and gives each caller a clone of its own."""
    known: dict[str, Repository] = {}

    def rendered(answers: Answers, tag: str = FIRST) -> Repository:
        folder = tmp_path_factory.mktemp("repository")
        key = tag + yaml.safe_dump(answers)
        if key not in known:
            known[key] = Repository.copy(versions, folder / "original", answers, tag)
        return known[key].clone(folder / "clone")

    return rendered


def is_fresh(repository: Repository, tag: str, render: Render) -> bool:
    """Whether it is a fresh copy byte for byte, but for what is made only once; no folder is left behind, either."""
    files, fresh = repository.files(), render(repository.answers(), tag)
    return differences(files, fresh.files()) <= seeds(files) and repository.folders() <= fresh.folders()


def together(*changes: Change) -> Change:
    def change(template: Path) -> None:
        for each in changes:
            each(template)

    return change


@pytest.fixture(scope="session")
def next_version(versions: Versions) -> str:
    change = together(reword_every_comment, add_a_last_line, add_a_document, remove_a_document)
    return versions.release("next", change)


@pytest.fixture(scope="session")
def moved_version(versions: Versions, next_version: str) -> str:
    """Follows the next version, and needs trust: directories have other names."""
    tag = versions.upcoming
    return versions.release("moved", lambda template: rename_directories(template, tag), after=next_version)


@pytest.fixture(scope="session")
def later_version(versions: Versions, moved_version: str) -> str:
    return versions.release("later", reword_every_comment, after=moved_version)


@pytest.fixture(scope="session")
def history(versions: Versions) -> list[str]:
    """The first version, and one after the other that brings each kind of change."""
    tags = [FIRST]
    for name, change in KINDS.items():
        tags.append(versions.release(name, change, after=tags[-1]))
    return tags
