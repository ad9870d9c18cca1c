"""Evaluate IAM policies as documented by AWS, for the operators that the template uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Policy = dict[str, Any]
# The context of a request: the values of each condition key.
Context = dict[str, list[str]]


def listed(value: Any) -> list[Any]:
    """Return a list of a value that policies may write with or without a list."""
    return value if isinstance(value, list) else [value]


def is_like(value: str, pattern: str) -> bool:
    """Return whether a value matches a pattern with the wildcards * and ?."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(letter, re.escape(letter)) for letter in pattern), value) is not None


def _is_in(values: Iterable[str], wanted: list[str], matches: Callable[[str, str], bool]) -> list[bool]:
    return [any(matches(value, each) for each in wanted) for value in values]


def holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    """Return whether a request meets one condition."""
    values = context.get(key, [])
    if operator == "Null":
        return (not values) == (wanted == ["true"])
    every = operator.startswith("ForAllValues:")
    name = operator.removeprefix("ForAllValues:")
    matches: Callable[[str, str], bool] = is_like if name.endswith("Like") else str.__eq__
    assert name in ("StringEquals", "StringLike", "StringNotLike"), operator
    found = _is_in(values, wanted, matches)
    if name == "StringNotLike":
        return not any(found)
    return all(found) if every else len(values) == 1 and all(found)


def is_allowed(policy: Policy, action: str, resource: str, context: Context) -> bool:
    """Return whether a statement of a policy allows an action on a resource."""
    for statement in policy["Statement"]:
        conditions = statement.get("Condition", {})
        if (
            statement.get("Effect", "Allow") == "Allow"
            and any(is_like(action, each) for each in listed(statement["Action"]))
            and any(is_like(resource, each) for each in listed(statement["Resource"]))
            and all(holds(op, key, listed(v), context) for op, keys in conditions.items() for key, v in keys.items())
        ):
            return True
    return False
