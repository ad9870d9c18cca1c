"""Find objects that continue, or probably continue, under another name."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from gitops.objects import Object, api_group, containers, repository_of

# With this share of equal fields, two objects of one kind are probably the same under two names.
ALIKE = 0.6
# Fields that do not distinguish two objects of one kind and namespace.
SAME_OR_NAMED = {".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"}

# Objects by identity, and their names without the hash of their content by identity.
Objects = dict[str, Object]
Names = dict[str, str]


def regenerated(before: Objects, after: Objects, names: tuple[Names, Names]) -> dict[str, str]:
    """Return the old and new identities of objects whose name differs only in the hash of their content.

    An object whose old name still occurs in another object does not count, since that object loses it.
    """
    old = _by_base(names[0].items() - names[1].items())
    new = _by_base(names[1].items() - names[0].items())
    text = json.dumps(list(after.values()), default=str)
    result = {}
    for base, keys in old.items():
        others = new.get(base, [])
        if len(keys) == len(others) == 1 and keys != others and not _occurs(_name(before[keys[0]]), text):
            result[keys[0]] = others[0]
    return result


def renamed(deleted: Objects, added: Objects) -> dict[str, str]:
    """Return the identities of deleted objects, each with the added object that probably replaces it."""
    pairs = sorted(
        ((_likeness(old, new), key, other) for key, old in deleted.items() for other, new in added.items()),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    # A Deployment that becomes a StatefulSet keeps its name.
    result = {key: other for key in deleted for other in added if _is_converted(deleted[key], added[other])}
    for likeness, key, other in pairs:
        if likeness >= ALIKE and key not in result and other not in result.values():
            result[key] = other
    return result


def _is_converted(old: Object, new: Object) -> bool:
    """Whether objects of two kinds run the same pods under one name."""
    places = [(_name(item), item["metadata"].get("namespace"), api_group(item)) for item in (old, new)]
    return places[0] == places[1] and old["kind"] != new["kind"] and any(containers(old)) and any(containers(new))


def _by_base(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return identities by their form without a hash."""
    result: dict[str, list[str]] = {}
    for key, name in names:
        result.setdefault(f"{key.rpartition('/')[0]}/{name}", []).append(key)
    return result


def _likeness(old: Object, new: Object) -> float:
    """Return the share of equal fields of two objects, apart from their names."""
    if (api_group(old), old["kind"]) != (api_group(new), new["kind"]):
        return 0
    programs = [{repository_of(container["image"]) for container in containers(item)} for item in (old, new)]
    if programs[0] != programs[1] and not programs[0] & programs[1]:
        return 0
    names = re.compile("|".join(_word(_name(item)).pattern for item in (old, new)))
    fields = [Counter(_fields(item, names)) for item in (old, new)]
    return (fields[0] & fields[1]).total() / max(1, (fields[0] | fields[1]).total())


def _fields(value: Any, names: re.Pattern[str], path: str = "") -> Iterator[tuple[str, str]]:
    if path in SAME_OR_NAMED:
        return
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _fields(child, names, f"{path}.{key}")
    elif isinstance(value, list):
        for child in value:
            yield from _fields(child, names, f"{path}[]")
    else:
        yield path, names.sub("<name>", str(value))


def _occurs(name: str, text: str) -> bool:
    return bool(_word(name).search(text))


def _word(name: str) -> re.Pattern[str]:
    """Return a pattern that matches a name, but not a part of another one."""
    return re.compile(rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])")


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])
