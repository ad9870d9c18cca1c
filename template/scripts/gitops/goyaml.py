"""Read YAML as Argo CD and Kubernetes do. They differ from PyYAML in scalars and keys.

`y` is true, `1e3` is 1000 and `0o17` is 15; `2024-01-31` and `12:30` are text; a key is always text.
Source: resolve.go of go.yaml.in/yaml/v2, and sigs.k8s.io/yaml, which converts the result to JSON.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

PREFIX = "tag:yaml.org,2002:"
TRUE = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
FALSE = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
NULL = {"", "~", "null", "Null", "NULL"}
INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
NUMBER = re.compile(rf"{INTEGER.pattern}|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# JSON writes larger numbers with an exponent, and reads them as numbers with a fraction.
LARGE = 1e21
BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Number:
    """Matches numbers like a regular expression, but ignores underscores."""

    @staticmethod
    def match(text: str) -> bool:
        return bool(NUMBER.fullmatch(text.replace("_", "")))


def _resolvers() -> dict[str, list[tuple[str, Any]]]:
    """Return the types that a plain scalar may have, by its first character."""
    result: dict[str, list[tuple[str, Any]]] = {}
    for tag, words in (("bool", TRUE | FALSE), ("null", NULL)):
        expression = re.compile(f"({'|'.join(map(re.escape, sorted(words)))})\\Z")
        for first in {word[:1] for word in words}:
            result.setdefault(first, []).append((PREFIX + tag, expression))
    for first in "+-.0123456789":
        result.setdefault(first, []).append((PREFIX + "int", _Number))
    result["<"] = [(PREFIX + "merge", re.compile(r"<<\Z"))]
    return result


class Loader(BASE):  # type: ignore[misc]
    """A loader whose scalars have the types that Go gives them, and whose keys are text, as in JSON."""

    yaml_implicit_resolvers = _resolvers()

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a map whose keys are text."""
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
            node.value = [(self._as_text(key), value) for key, value in node.value]
        return super().construct_mapping(node, deep)

    def _as_text(self, key: yaml.Node) -> yaml.Node:
        if key.tag == f"{PREFIX}str":
            return key
        value = self.construct_object(key)
        if not isinstance(value, str | int | float):
            raise yaml.constructor.ConstructorError("while reading a map", key.start_mark, "a key must be text")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return yaml.ScalarNode(f"{PREFIX}str", text, key.start_mark, key.end_mark)


def describe(error: Exception) -> str:
    """Return the line and the problem of a YAML error, without the parser's own words for the text."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"line {mark.line + 1}: {problem}" if mark and problem else " ".join(str(error).split())


def to_number(text: str) -> int | float:
    """Return a number with a fraction or an exponent, as Go converts it to JSON."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < LARGE else value


def _number(loader: Any, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node).replace("_", "")
    if INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        value: int | float = int(digits, 8 if re.match("0[0-7]", digits) else 0)
        value = value if value < 2**64 else float(digits)
        return -value if text.startswith("-") else value
    try:
        return to_number(text)
    except ValueError:
        raise yaml.constructor.ConstructorError(None, None, f"{text} is no number", node.start_mark) from None


Loader.add_constructor(f"{PREFIX}int", _number)
Loader.add_constructor(f"{PREFIX}float", _number)
Loader.add_constructor(f"{PREFIX}bool", lambda loader, node: loader.construct_scalar(node) in TRUE)
# `<<` as a value is text.
for _name in ("merge", "value", "timestamp"):
    Loader.add_constructor(f"{PREFIX}{_name}", BASE.construct_yaml_str)
