"""Change clones of rendered repositories, and run their scripts."""

from __future__ import annotations

import importlib
import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


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
        """Run one of the repository's scripts: in this process, unless variables are given."""
        if environment:
            return self.process(name, *arguments, **environment)
        module = importlib.import_module(Path(name).stem)
        output, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
            patch.setattr(sys, "argv", [name, *arguments])
            patch.setattr(module, "REPOSITORY", self.path)
            status = module.main()
        return subprocess.CompletedProcess([name, *arguments], status, output.getvalue(), errors.getvalue())

    def process(self, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the repository's scripts as a process."""
        command: list[str | Path] = [sys.executable, self.path / "scripts" / name, *arguments]
        return subprocess.run(command, env=self.environment | environment, capture_output=True, text=True, check=False)

    def blast_radius(self, *arguments: str) -> dict[str, Any]:
        """Return the blast radius of the working tree as JSON, with its changes by Application."""
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

    def write(self, file: str, content: Any) -> None:
        """Write a file: a text, or anything else as JSON."""
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else f"{json.dumps(content)}\n")

    def add(self, *items: dict[str, Any], overlay: str = "apps/workloads/shop/overlays/dev") -> None:
        """Add objects to an overlay."""
        texts = ["".join(f"{key}: {json.dumps(value)}\n" for key, value in item.items()) for item in items]
        self.write(f"{overlay}/added.yaml", "---\n".join(texts))
        self.replace(f"{overlay}/kustomization.yaml", "resources:\n", "resources:\n  - added.yaml\n")

    def become(self, rendered: Path) -> None:
        """Replace the files with those of another render, as an update does."""
        for entry in self.path.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(rendered, self.path, dirs_exist_ok=True)


def added(kind: str, version: str = "v1", **fields: Any) -> dict[str, Any]:
    """Return an object with the name `added`."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "added"}} | fields


def committed(path: Path) -> Path:
    """Turn a folder into a Git repository with one commit of all its files."""
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "Render"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    return path
