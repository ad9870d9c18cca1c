"""A repository is rendered only at the top of a Git repository, because Argo CD reads paths from there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cases import minimal
from tests.support.checkout import committed
from tests.support.commands import Copy


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    """A repository with a name that is a pattern for `fileglob`."""
    path = tmp_path / "Größe [1]"
    (path / "deploy").mkdir(parents=True)
    (path / "README.md").touch()
    return committed(path)


def test_a_folder_of_another_repository_is_refused_with_what_to_do(outer: Path, copy: Copy) -> None:
    outcome = copy(minimal(), outer / "deploy/gitops")
    (problem,) = outcome.problems
    assert problem == (
        f"the folder {outer}/deploy/gitops is inside the repository {outer}, and Argo CD reads paths from the root of "
        "a repository; choose another folder, or make it a repository first: "
        f"git init '{outer}/deploy/gitops'"
    )
    assert not (outer / "deploy/gitops").exists()


def test_a_relative_path_is_looked_at_from_here(outer: Path, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outer / "deploy")
    assert "is inside the repository" in copy(minimal(), Path("gitops")).problems[0]


PLACES: dict[str, Callable[[Path, Path], None]] = {
    "a repository of its own": lambda _, place: git(place.parent, "init", place.name),
    "a worktree": lambda outer, place: git(outer, "worktree", "add", str(place)),
    "a submodule": lambda outer, place: git(
        outer, "-c", "protocol.file.allow=always", "submodule", "add", str(outer), str(place.relative_to(outer))
    ),
    "beside a repository": lambda outer, place: git(place.parent, "init", "other"),
}


@pytest.mark.parametrize("what", PLACES)
def test_a_repository_of_its_own_is_rendered_wherever_it_is(outer: Path, copy: Copy, what: str) -> None:
    place = outer / "deploy/gitops" if what != "beside a repository" else outer.parent / "gitops"
    PLACES[what](outer, place)
    assert copy(minimal(), place, "--quiet", "--overwrite").status == 0
    assert (place / "argo/root-application.yaml").is_file()


def test_the_top_of_a_repository_is_rendered_into(outer: Path, copy: Copy) -> None:
    assert copy(minimal(), outer, "--quiet", "--overwrite").status == 0
