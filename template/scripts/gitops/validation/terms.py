"""Building blocks of rules. A rule checks a part of an object, and yields the problems in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops.objects import Object

Problem = tuple[str, str]
Rule = Callable[[Any], Iterator[Problem]]
Grammar = Callable[[Any], str]


def exactly_one(*fields: str, may_lack: bool = False) -> Rule:
    """Require exactly one of several fields."""

    def rule(node: Object) -> Iterator[Problem]:
        present = [field for field in fields if field in node]
        if len(present) > 1:
            yield "", f"{' and '.join(present)} exclude each other: {removal(present[0])}"
        if not present and not may_lack:
            yield "", f"needs one of {', '.join(fields)}"

    return rule


def removal(field: str) -> str:
    """Return the advice to remove a field by a patch."""
    return f"keep one. A patch of Kustomize removes a field of its base with {field}: null"


def required(*fields: str) -> Rule:
    """Require fields that are not empty. The schema lists those that must exist."""
    return lambda node: ((field, "must be set") for field in fields if node.get(field) in ("", None, [], {}))


def choice(field: str, *values: str, even_if_empty: bool = False) -> Rule:
    """Limit a field to several texts. Empty text counts as unset by default."""

    def rule(node: Object) -> Iterator[Problem]:
        if field in node and node[field] not in values and (node[field] or even_if_empty):
            yield field, f"{node[field] or '(empty)'} is not one of {', '.join(values)}"

    return rule


def valid(check: Grammar, *fields: str, even_if_empty: bool = False) -> Rule:
    """Check fields, and each element of lists, with a grammar. Empty text counts as unset by default."""

    def rule(node: Object) -> Iterator[Problem]:
        for field in fields:
            value = node.get(field)
            for element in value if isinstance(value, list) else [value] if value or even_if_empty else []:
                if element is not None and (message := check(element)):
                    yield field, f"{element if element != '' else '(empty)'} {message}"

    return rule


def keys(check: Grammar, field: str) -> Rule:
    """Check the keys of a map with a grammar."""
    return lambda node: (
        (field, f"key {key or '(empty)'} {message}") for key in node.get(field) or {} if (message := check(key))
    )


def values(check: Grammar, field: str) -> Rule:
    """Check the values of a map with a grammar."""
    return lambda node: (
        (f"{field}[{key}]", f"{value} {message}")
        for key, value in (node.get(field) or {}).items()
        if (message := check(value))
    )


def at_least(lowest: int, *fields: str) -> Rule:
    """Require minimum numbers."""
    return between(lowest, 2**63, *fields)


def between(lowest: int, highest: int, *fields: str) -> Rule:
    """Limit numbers, and each element of lists, to a range."""

    def rule(node: Object) -> Iterator[Problem]:
        for field in fields:
            value = node.get(field)
            for number in value if isinstance(value, list) else [value]:
                if number is not None and not lowest <= number <= highest:
                    limit = f"at least {lowest}" if highest == 2**63 else f"from {lowest} to {highest}"
                    yield field, f"{number} must be {limit}"

    return rule


def optional(field: str, *rules: Rule) -> Rule:
    """Apply rules to a field, if it is set."""

    def apply(node: Object) -> Iterator[Problem]:
        if field in node:
            yield from below(field, node[field], *rules)

    return apply


def below(field: str, node: Any, *rules: Rule) -> Iterator[Problem]:
    """Apply rules to a field, and return the problems with its path."""
    for rule in rules:
        for path, message in rule(node):
            yield joined(field, path), message


def joined(path: str, field: str) -> str:
    """Return the path of a field."""
    return f"{path}.{field}" if path and field and not field.startswith("[") else path + field


def element(field: str, entry: Any, index: int) -> str:
    """Return the name of a list element in messages."""
    named = [str(entry[key]) for key in ("name", "mountPath", "containerPort", "port") if entry.get(key)]
    return f"{field}[{named[0] if named else index}]"


def each(node: Object, field: str) -> Iterator[tuple[str, Object]]:
    """Return the elements of a list of maps, each with its name in messages."""
    for index, entry in enumerate(node.get(field) or []):
        yield element(field, entry, index), entry


def repeated(entries: list[Any]) -> list[Any]:
    """Return the entries that occur more than once."""
    return list(dict.fromkeys(entry for entry in entries if entries.count(entry) > 1))
