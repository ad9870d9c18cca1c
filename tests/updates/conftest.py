"""Provide versions of the template, and repositories that are rendered once and cloned for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.updates.repository import Answers, Render, Repository
from tests.support.updates.template_changes import (
    KINDS,
    add_a_document,
    add_a_last_line,
    remove_a_document,
    rename_directories,
    reword_every_comment,
)
from tests.support.updates.versions import FIRST, Change, Versions


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    return Versions.snapshot(tmp_path_factory.mktemp("versions") / "template")


@pytest.fixture(scope="session")
def render(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Return a function that renders a version once per set of answers, and clones it for each caller."""
    known: dict[str, Repository] = {}

    def rendered(answers: Answers, tag: str = FIRST) -> Repository:
        folder = tmp_path_factory.mktemp("repository")
        key = tag + yaml.safe_dump(answers)
        if key not in known:
            known[key] = Repository.copy(versions, folder / "original", answers, tag)
        return known[key].clone(folder / "clone")

    return rendered


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
    """Release a later version that renames directories, and therefore needs trust."""
    tag = versions.upcoming
    return versions.release("moved", lambda template: rename_directories(template, tag), after=next_version)


@pytest.fixture(scope="session")
def later_version(versions: Versions, moved_version: str) -> str:
    return versions.release("later", reword_every_comment, after=moved_version)


@pytest.fixture(scope="session")
def history(versions: Versions) -> list[str]:
    """Return the first version, and a version after the other with each kind of change."""
    tags = [FIRST]
    for name, change in KINDS.items():
        tags.append(versions.release(name, change, after=tags[-1]))
    return tags
