"""Report once what several Applications have in common, such as the environments of a workload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gitops.changes import Change
from gitops.text import all_of


def named(changes: Iterable[Change]) -> str:
    """Return the names of Applications as people say them, such as: shop in dev, staging and prod, and root."""
    places: dict[str, list[str]] = {}
    for change in changes:
        name, place = _parts(change)
        places.setdefault(name, []).extend([place] if place else [])
    groups = [f"{name} in {all_of(found)}" if found else name for name, found in places.items()]
    return ("; " if any(places.values()) else ", ").join(groups)


def grouped_items(changes: Iterable[Change], field: str) -> Iterator[str]:
    """Return each entry of a field of changes once, with the Applications that have it."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        for item in getattr(change, field):
            groups.setdefault((_parts(change)[0], item), []).append(change)
    yield from (f"{named(members)}: {item}" for (_, item), members in groups.items())


def grouped_differences(changes: Iterable[Change]) -> list[tuple[str, str]]:
    """Return each difference once: a heading with the Applications that have it, and the text of the first."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.difference:
            groups.setdefault(_without_names(change), []).append(change)
    return [(_heading(members), members[0].difference) for members in groups.values()]


def _heading(members: list[Change]) -> str:
    shown = f" (the same in each; shown for {members[0].application})" if len(members) > 1 else ""
    return named(members) + shown


def _parts(change: Change) -> tuple[str, str]:
    """Return a workload with its environment, or an add-on with its cluster; other Applications have no place."""
    if change.workload:
        return change.workload, change.environment
    addon = change.application.removesuffix(f"-{change.cluster}")
    return (addon, change.cluster) if addon != change.application else (addon, "")


def _without_names(change: Change) -> str:
    """Return a difference with placeholders for the names of its Application, namespace, cluster and environment."""
    names = {change.application, change.namespace, change.cluster, change.environment} - {""}
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.sub(rf"(?<![A-Za-z0-9])({'|'.join(longest_first)})(?![A-Za-z0-9])", "\0", change.difference)
