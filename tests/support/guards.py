"""Return what `blast_radius.py` reports about projects and Argo CD's own access, without building anything."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gitops.admission import Notice, notices
from gitops.applications import Application, read_applications
from gitops.followed import moves
from gitops.objects import Object
from gitops.tree import Tree


@cache
def read(folder: Path) -> tuple[Tree, dict[str, Application]]:
    """Return a rendered repository and its Applications."""
    tree = Tree(folder, folder.name)
    result = read_applications(tree)
    assert not result.problems + result.unavailable
    return tree, result.by_name


def compared(before: Path, after: Path, objects: dict[str, list[Object]] | None = None) -> list[Notice]:
    """Return the report about a change, with some objects that Applications have before it."""
    (tree_before, old), (tree_after, new) = read(before), read(after)
    built = []
    for name in sorted(old.keys() | new.keys()):
        items: dict[str, Object] = {str(item): item for item in (objects or {}).get(name, [])}
        built.append(((old.get(name), new.get(name)), [items, {}]))
    places = {application.place for application in old.values()}
    return [*notices(tree_before, tree_after, built), *moves(tree_before, tree_after, places, None)]
