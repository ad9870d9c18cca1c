"""Versions of the template and repositories rendered from them: made once, cloned for each test that changes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path
from types import CodeType

import pytest
import yaml
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.sandbox import SandboxedEnvironment

from tests.conftest import examples
from tests.updates.changes import add_a_document, remove_a_document, reword_every_comment
from tests.updates.repository import Answers, Repository
from tests.updates.versions import Versions

EXAMPLES = examples()

Render = Callable[[Answers], Repository]


@pytest.fixture(scope="session", autouse=True)
def a_machine_without_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither Git's nor Copier's settings of the person who runs the tests matter."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "copier.yml").write_text("{}\n")
    (folder / "gitconfig").write_text("[user]\n  name = A Test\n  email = test@example.com\n[gc]\n  auto = 0\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "copier.yml"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
        yield


class Compiled(BytecodeCache):
    """Jinja's own cache of compiled templates, kept in memory and shared by the many clones that Copier makes."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], CodeType | None] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Compiling takes half the time of a render, and an update renders three times."""
    with pytest.MonkeyPatch.context() as patch:
        init = partialmethod(SandboxedEnvironment.__init__, bytecode_cache=Compiled())
        patch.setattr(SandboxedEnvironment, "__init__", init)
        yield


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
