"""Line endings: a clone on Windows has the rendered bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repository, examples, render


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(("git", "-C", folder, *arguments), check=True)


def clone_as_on_windows(folder: Path, clone: Path) -> Repository:
    """Commit a folder and clone it with the default setting of Git for Windows."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Render")
    git(folder, "-c", "core.autocrlf=true", "clone", "--quiet", str(folder), str(clone))
    return Repository("clone", clone, {})


def files_with_carriage_returns(clone: Repository) -> list[Path]:
    """Return the files of the working tree that contain a CR."""
    files = [file for file in clone.files if file.parts[0] != ".git"]
    assert files
    return [file for file in files if b"\r" in (clone.path / file).read_bytes()]


@pytest.fixture
def rendered(template: Path, tmp_path: Path) -> Path:
    return render(template, examples()["minimal"], tmp_path / "rendered")


def test_a_clone_on_windows_has_no_carriage_return(rendered: Path, tmp_path: Path) -> None:
    clone = clone_as_on_windows(rendered, tmp_path / "clone")
    assert files_with_carriage_returns(clone) == []


def test_without_gitattributes_a_clone_on_windows_has_carriage_returns(rendered: Path, tmp_path: Path) -> None:
    (rendered / ".gitattributes").unlink()
    clone = clone_as_on_windows(rendered, tmp_path / "clone")
    assert files_with_carriage_returns(clone) != []
