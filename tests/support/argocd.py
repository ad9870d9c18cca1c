"""Return what Argo CD creates from a rendered repository, computed by the repository's own package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gitops import builds
from gitops.applications import Application, Applications, read_applications
from gitops.tree import Tree
from tests.support.repository import Document, Repository

_trees: dict[Path, Tree] = {}


def _tree(repository: Repository) -> Tree:
    return _trees.setdefault(repository.path, Tree(repository.path, "rendered"))


@cache
def _applications(path: Path) -> Applications:
    return read_applications(_trees[path])


def applications(repository: Repository) -> dict[str, Application]:
    """Return every Application by its name."""
    result = _applications(_tree(repository).path)
    assert (result.problems, result.unavailable) == ([], [])
    return result.by_name


def objects(repository: Repository, application: Application) -> list[Document]:
    """Return what an Application applies."""
    return builds.build(_tree(repository), application)
