"""Find differences that are the same but for the names of their applications."""

from __future__ import annotations

from gitops.changes import Change


def grouped(changes: list[Change]) -> list[tuple[list[str], str]]:
    """Return each difference once: the names of the applications that have it, and the text of the first."""
    groups: dict[str, tuple[list[str], str]] = {}
    for change in changes:
        if change.difference:
            key = _without_names(change)
            groups.setdefault(key, ([], change.difference))[0].append(change.application)
    return list(groups.values())


def _without_names(change: Change) -> str:
    text = change.difference
    for name in sorted({change.application, change.namespace, change.cluster} - {""}, key=len, reverse=True):
        text = text.replace(name, "\0")
    return text
