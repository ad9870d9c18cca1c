"""What the tests of the answers share: Copier's command in this process, and the checks without Copier around them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier._cli import CopierApp
from copier._main import Worker
from jinja2 import Environment

from .cases import Answers

COLORS = re.compile(r"\x1b\[[0-9;]*m")
Copy = Callable[..., "Outcome"]
Macro = Callable[..., Any]


@dataclass(frozen=True)
class Outcome:
    """How a run of Copier's command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def message(self) -> str:
        """What the checks said, out of the quotes in which Copier shows it."""
        (line,) = [line for line in self.stderr.splitlines() if "has no attribute" in line]
        return str(ast.literal_eval(line.split(" has no attribute ", 1)[1]))

    @property
    def problems(self) -> list[str]:
        return self.message.split(" with the answers: ", 1)[1].split(" • ")


@pytest.fixture
def copy(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Copy:
    """Runs `copier copy` with the given answers, as a user does: without trust."""

    def run(answers: Answers, destination: Path, *options: str) -> Outcome:
        data = tmp_path / "answers.yaml"
        data.write_text(yaml.safe_dump(answers, sort_keys=False))
        command = ["copier", "copy", "--defaults", "--data-file", str(data), *options, str(template), str(destination)]
        _, status = CopierApp.run(command, exit=False)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, COLORS.sub("", captured.err))

    return run


@pytest.fixture(scope="session")
def jinja(template: Path) -> Environment:
    """Jinja as Copier sets it up for this template."""
    with Worker(src_path=str(template)) as worker:
        return worker.jinja_env


@pytest.fixture(scope="session")
def find_problems(jinja: Environment) -> Callable[[Answers], list[str]]:
    """The checks of all answers, without Copier around them."""
    find = jinja.from_string("[% from 'hooks/checks.jinja' import find %][[ find(answers) ]]")
    return lambda answers: json.loads(find.render(answers=answers))


@pytest.fixture(scope="session")
def list_fault(jinja: Environment) -> Callable[[str], str]:
    """What is wrong with a text that is to be a list."""
    macro = jinja.from_string("[% from 'hooks/lists.jinja' import list_fault %][[ list_fault(text) ]]")
    return lambda text: macro.render(text=text)
