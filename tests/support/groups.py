"""Decide which tests share a worker: those with the same expensive fixture, otherwise those of a file."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from _pytest.nodeid import NodeId, coerce_node_id
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# During scheduling, the id of a test ends with its group.
SEPARATOR = "@"
GROUP, PLAIN_ID = pytest.StashKey[str](), pytest.StashKey[NodeId]()


def shared_fixtures(item: pytest.Item, folder: Path) -> set[str]:
    """Return the session fixtures of a folder's conftest that a test uses, except those built from others."""
    definitions = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    shared = {
        name: given[-1]
        for name, given in definitions.items()
        if given[-1].scope == "session" and _file_of(given[-1].func) == folder / "conftest.py"
    }
    return {name for name, definition in shared.items() if not shared.keys() & set(definition.argnames)}


def _file_of(function: Any) -> Path:
    return Path(inspect.unwrap(function).__code__.co_filename)


def assign(items: list[pytest.Item], folder: Path) -> None:
    """Give each test of a folder its group, and put the largest group first.

    Tests of one group run in the order of the collection.
    """
    for item in items:
        if item.path.is_relative_to(folder) and (names := shared_fixtures(item, folder)):
            item.stash[GROUP] = "+".join(sorted(names))
    sizes = Counter(group_of(item) for item in items)
    items.sort(key=lambda item: (group_of(item) is None, -sizes[group_of(item)], group_of(item) or ""))


def group_of(item: pytest.Item | None) -> str | None:
    """Return the group of a test, or None if it has none."""
    return item.stash.get(GROUP, None) if item else None


def show(items: list[pytest.Item]) -> None:
    """Write the groups into the ids of tests: the scheduling process knows only the ids."""
    for item in items:
        if group := group_of(item):
            item.stash[PLAIN_ID] = item._id
            item._id = coerce_node_id(f"{item.nodeid}{SEPARATOR}{group}")


def hide(items: list[pytest.Item]) -> None:
    """Revert `show`, so that reports have plain ids."""
    for item in items:
        item._id = item.stash.get(PLAIN_ID, item._id)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Schedule groups, then files, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        _, separator, group = test.rpartition(SEPARATOR)
        # The values of parameters may have the separator, too: no group has a bracket.
        return group if separator and not group.endswith("]") else file
