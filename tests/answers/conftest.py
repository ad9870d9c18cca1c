"""Provide Copier's command in this process, and the checks of answers without Copier."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from copier._cli import CopierApp
from copier._main import Worker
from jinja2 import Environment

from tests.support.cases import Answers
from tests.support.commands import COLORS, Copy, Outcome
from tests.support.terminal import Person, start_copier


@pytest.fixture
def copy(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Copy:
    """Return a function that runs `copier copy` with answers, like a user: without trust."""

    def run(answers: Answers, destination: Path, *options: str) -> Outcome:
        data = tmp_path / "answers.yaml"
        data.write_text(yaml.safe_dump(answers, sort_keys=False))
        command = ["copier", "copy", "--defaults", "--data-file", str(data), *options]
        _, status = CopierApp.run([*command, os.path.relpath(template), str(destination)], exit=False)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, COLORS.sub("", captured.err))

    return run


@pytest.fixture(scope="session")
def jinja(template: Path) -> Environment:
    """Return Jinja with Copier's settings for this template."""
    with Worker(src_path=str(template)) as worker:
        return worker.jinja_env


@pytest.fixture(scope="session")
def find_lines(jinja: Environment) -> Callable[[Answers], list[str]]:
    """Return the checks of all answers, without Copier: problems, each with a shorter fix after a tab."""
    find = jinja.from_string("[% from 'hooks/rules/all.jinja' import find %][[ find(answers) ]]")
    return lambda answers: [line.strip() for line in find.render(answers=answers).split("\n") if line.strip()]


@pytest.fixture(scope="session")
def find_problems(find_lines: Callable[[Answers], list[str]]) -> Callable[[Answers], list[str]]:
    """Return the checks of all answers, without Copier."""
    return lambda answers: [line.split("\t")[0] for line in find_lines(answers)]


@pytest.fixture(scope="session")
def list_fault(jinja: Environment) -> Callable[[str], str]:
    """Return the macro that finds the problem of a text that should be a list."""
    macro = jinja.from_string("[% from 'hooks/given/lists.jinja' import list_fault %][[ list_fault(text) ]]")
    return lambda text: macro.render(text=text)


@pytest.fixture
def sit_down(template: Path, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Yield a function that starts `copier copy` in a terminal."""
    terminals = []

    def start(*options: str, columns: int = 240) -> Person:
        arguments = ["copy", *options, str(template), str(tmp_path / "repository")]
        terminals.append(start_copier(arguments, tmp_path, columns=columns))
        return Person(terminals[-1])

    yield start
    for terminal in terminals:
        terminal.close(force=True)
