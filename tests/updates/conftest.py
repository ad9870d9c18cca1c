"""Versions of the template and repositories rendered from them: made once, cloned for each test that changes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import examples
from tests.updates.changes import add_a_document, remove_a_document, reword_every_comment
from tests.updates.repository import Answers, Repository
from tests.updates.versions import Versions

EXAMPLES = examples()

Render = Callable[[Answers], Repository]


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    return Versions.snapshot(tmp_path_factory.mktemp("versions") / "template")


@pytest.fixture(scope="session")
def render(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders the first version once per set of answers, and gives each caller a clone of its own."""
    known: dict[str, Repository] = {}

    def rendered(answers: Answers) -> Repository:
        folder = tmp_path_factory.mktemp("repository")
        key = yaml.safe_dump(answers)
        if key not in known:
            known[key] = Repository.copy(versions, folder / "original", answers)
        return known[key].clone(folder / "clone")

    return rendered


@pytest.fixture(scope="session")
def next_version(versions: Versions) -> str:
    def change(template: Path) -> None:
        reword_every_comment(template)
        add_a_document(template)
        remove_a_document(template)

    return versions.release("next", change)
