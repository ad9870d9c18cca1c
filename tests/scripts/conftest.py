"""Rendered repositories with their scripts, and a world outside that these can reach."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.world import shell
from tests.conftest import examples, render


@dataclass(frozen=True)
class Checkout:
    """A clone of a rendered repository."""

    path: Path
    environment: dict[str, str]

    def git(self, *arguments: str) -> str:
        """Run Git and return what it prints."""
        return subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self) -> str:
        """Commit everything and return the revision."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Commit")
        return self.git("rev-parse", "HEAD")

    def script(self, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the repository's scripts."""
        command: list[str | Path] = [sys.executable, self.path / "scripts" / name, *arguments]
        return subprocess.run(command, env=self.environment | environment, capture_output=True, text=True, check=False)

    def blast_radius(self, *arguments: str) -> dict[str, Any]:
        """What the blast radius says of the working tree, for programs; its changes by Application."""
        result = self.script("blast_radius.py", "--json", *arguments)
        assert result.stdout, result.stderr
        report: dict[str, Any] = json.loads(result.stdout)
        assert report["status"] == result.returncode
        report["changes"] = {change["application"]: change for change in report["changes"]}
        return report

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file."""
        text = (self.path / file).read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (self.path / file).write_text(text.replace(old, new))

    def become(self, rendered: Path) -> None:
        """Have the files of another render, as after an update."""
        for entry in self.path.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(rendered, self.path, dirs_exist_ok=True)


def committed(path: Path) -> Path:
    """A folder as a repository of Git, with one commit of all that it has."""
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "Render"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    return path


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a shell for the scripts."""
    with shell(tmp_path_factory.mktemp("world")) as variables:
        yield variables | {"GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"]}


@pytest.fixture(scope="session")
def stages() -> dict[str, Any]:
    """The answers of the example with three environments on two clusters, of which dev is not protected."""
    return examples()["stages"]


@pytest.fixture(scope="session")
def original(template: Path, stages: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That example, committed."""
    return committed(render(template, stages, tmp_path_factory.mktemp("repository") / "original"))


@pytest.fixture
def checkout(original: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """A clone of it to change."""
    return Checkout(Path(shutil.copytree(original, tmp_path / "clone")), environment)
