"""Rendering is pure: it needs no network, and rendering again changes nothing.

Equal answers give equal bytes: tests/answers/test_properties.py. No trust is needed: tests/answers/test_sources.py.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from copier import run_copy
from pytest_copie.plugin import Copie

from tests.support.cases import Answers, cases
from tests.support.combined import combine
from tests.support.repository import Repository, examples, render, town


def tree(path: Path) -> dict[str, bytes]:
    """Return all files and their bytes."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_rendering_needs_no_network(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert render(template, examples()["stages"], tmp_path / "repository").is_dir()


def test_a_trusted_render_of_the_working_tree_is_what_an_untrusted_copy_gives(
    copie: Copie, repositories: Callable[[str], Repository]
) -> None:
    result = copie.copy(extra_answers=examples()["minimal"])
    assert (result.exception, result.exit_code) == (None, 0)
    assert result.project_dir is not None
    files = tree(result.project_dir)
    repository = repositories("minimal")
    assert {*files} == {file.as_posix() for file in repository.files}
    differing = {name for name in files if files[name] != (repository.path / name).read_bytes()}
    assert differing == {".copier-answers.yml"}  # It records the template's path.


def test_a_second_copy_over_the_first_changes_nothing(template: Path, tmp_path: Path) -> None:
    path = render(template, examples()["stages"], tmp_path / "repository")
    before = tree(path)
    run_copy(str(template), path, defaults=True, overwrite=True, quiet=True)
    assert tree(path) == before


def reversed_keys(value: Any) -> Any:
    """Return a value whose maps have their keys in the opposite order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "answers",
    [town(), *[pytest.param(c.answers, id=c.cases[0], marks=pytest.mark.proof) for c in combine(cases("valid"))]],
)
def test_the_order_of_keys_changes_nothing(answers: Answers, template: Path, tmp_path: Path) -> None:
    once = tree(render(template, answers, tmp_path / "once"))
    assert tree(render(template, reversed_keys(answers), tmp_path / "again")) == once


def test_the_installed_command_renders_the_same(template: Path, stages: Repository, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    data.write_text(yaml.safe_dump(stages.answers, sort_keys=False))
    command = [str(Path(sys.executable).with_name("copier")), "copy", "--defaults", "--quiet", "--data-file", str(data)]
    subprocess.run([*command, str(template), str(tmp_path / "repository")], check=True, capture_output=True)
    assert tree(tmp_path / "repository") == tree(stages.path)
