"""Apply the fix in an error message to the answers, like a user who copies it."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import yaml

from tests.support.cases import Answers

_EXAMPLE = re.compile(r"(?:use|add) .*\b(?:such as|like) (?P<value>.+)")
# "use [a, b]", "use amd64 or arm64", "add cluster: main", "set replicas: 1, and add volumes".
_VALUE = re.compile(
    r"(?:use|add|set|put it in quotes:) (?:a name or )?"
    r"(?P<value>(?:\w+: )?(?:\"[^\"]*\"|\[.*\]|\{.*\}|[^\s,]+))(?:(?:,? or |, | for | \(none\) )[^:]*)?"
)


def follow(answers: Answers, problem: str) -> Answers | None:
    """Return the answers with the fix of a problem; none if the fix needs a decision of the user."""
    place, _, text = problem.partition(": ")
    what, _, fix = text.rpartition("; ")
    result = copy.deepcopy(answers)
    container, key = _find(result, place)
    name = re.match(r'the name (".*?(?<!\\)"|\S+) is (?!used)', what)
    if name and isinstance(inner := container[key] if isinstance(container, list) else container.get(key), dict):
        container, key = inner, _known_key(inner, name[1])
    else:
        name = None
    if removed := re.fullmatch(r"(?:.* or )?remove (?!them)(it|one|\w+)", fix):
        _remove(container, removed[1] if isinstance(container, dict) and removed[1] in container else key)
    elif version := re.fullmatch(r"use a full version such as (\S+)", fix):
        container[key] = f"{container[key].rpartition(':')[0]}:{version[1]}"
    is_key = bool(re.search("is not (a known (field|answer)|an environment of this workload)", what))
    if removed or version:
        pass
    elif known := re.fullmatch(r"did you mean (.*)\?", fix):
        _replace(container, key, known[1], is_key=is_key)
    elif fix == "remove the quotes":
        container[key] = yaml.safe_load(container[key])
    elif fix == "put it in quotes":
        _replace(container, key, str(key if name else container[key]).lower(), is_key=bool(name))
    elif length := re.fullmatch(r"shorten it to ([0-9]+) characters", fix):
        shorter = (key if name else container[key])[: int(length[1])].rstrip(".-")
        _replace(container, key, shorter, is_key=bool(name))
    elif given := _EXAMPLE.fullmatch(fix) or _VALUE.fullmatch(fix):
        return _write(result, container, key, given["value"], bool(name), is_key)
    else:
        return None
    return result


def _write(result: Answers, container: Any, key: Any, text: str, is_name: bool, is_key: bool) -> Answers | None:
    """Write the value of a fix; a known field replaces an unknown one."""
    if re.search(r"^a-z|<|\.\.\.|\{\w+(, \w+)*\}", text):
        return None
    value = _first_of_range(yaml.safe_load(text))
    if isinstance(value, dict) and not text.startswith("{"):
        if is_key:
            _remove(container, key)
        container |= value
    else:
        _replace(container, key, value, is_key=is_name or is_key)
    return result


def _first_of_range(value: Any) -> Any:
    """Return the first number of a range such as 1-100, and any other value unchanged."""
    span = re.fullmatch(r"([0-9]+)-[0-9]+", value) if isinstance(value, str) else None
    return int(span[1]) if span else value


def _find(answers: Any, place: str) -> tuple[Any, Any]:
    """Return the map or list that has the last part of a place, and its key there."""
    container, rest = answers, place
    while True:
        key, rest = _next(container, rest)
        if not rest:
            return container, key
        if isinstance(container[key], str):  # A name instead of a map.
            container[key] = {"name": container[key]}
        container = container[key]


def _next(container: Any, place: str) -> tuple[Any, str]:
    """Split the first part from a place. Keys may have dots: the longest existing key wins."""
    if isinstance(container, list):
        index, rest = re.match(r"\[([0-9]+)\]\.?(.*)", place).groups()  # type: ignore[union-attr]
        return int(index), rest
    for key in sorted(container, key=lambda key: -len(str(key))):
        if re.match(re.escape(str(key)) + r"(?:[.\[]|$)", place):
            return key, place[len(str(key)) :].removeprefix(".")
    return place, ""


def _known_key(container: Any, shown: str) -> Any:
    """Return the key that a problem shows."""
    name = json.loads(shown) if shown[0] == '"' else shown
    return next(key for key in container if key == name or json.dumps(key) == name or str(key) == name)


def _remove(container: Any, key: Any) -> None:
    if isinstance(container, list) or key in container:
        del container[key]


def _replace(container: Any, key: Any, value: Any, is_key: bool) -> None:
    if is_key:
        container[value] = container.pop(key)
    else:
        container[key] = value
