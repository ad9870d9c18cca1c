"""Rendering is pure: no trust, no network, and equal answers give equal bytes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from copier import run_copy
from pytest_copie.plugin import Copie

from tests.conftest import ROOT, examples, render


def tree(path: Path) -> dict[str, bytes]:
    """All files and their bytes."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", examples())
def test_every_example_renders_as_a_new_project(copie: Copie, name: str) -> None:
    result = copie.copy(extra_answers=examples()[name])
    assert result.exception is None
    assert result.exit_code == 0
    assert result.project_dir is not None
    assert (result.project_dir / "argo/root-application.yaml").is_file()


def test_nothing_in_the_template_asks_for_trust() -> None:
    settings = yaml.safe_load((ROOT / "copier.yml").read_text())
    assert not {"_tasks", "_jinja_extensions", "_migrations"} & settings.keys()


def test_rendering_needs_no_network(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert render(template, examples()["stages"], tmp_path / "repository").is_dir()


def test_equal_answers_give_equal_bytes_whatever_their_order(template: Path, tmp_path: Path) -> None:
    answers = examples()["stages"]
    first = tree(render(template, answers, tmp_path / "first"))
    backwards = dict(reversed(answers.items()))
    assert tree(render(template, backwards, tmp_path / "second")) == first


def test_the_order_of_workloads_does_not_matter_to_their_files(template: Path, tmp_path: Path) -> None:
    answers = examples()["stages"]
    first = tree(render(template, answers, tmp_path / "first"))
    second = tree(render(template, answers | {"workloads": answers["workloads"][::-1]}, tmp_path / "second"))
    assert {name for name in first if first[name] != second.get(name)} == {".copier-answers.yml"}
    assert first.keys() == second.keys()


def test_a_second_copy_over_the_first_changes_nothing(template: Path, tmp_path: Path) -> None:
    path = render(template, examples()["stages"], tmp_path / "repository")
    before = tree(path)
    run_copy(str(template), path, defaults=True, overwrite=True, quiet=True)
    assert tree(path) == before
