"""Change one thing of an object somewhere: a field that its schema knows, to a value of the right type.

Most results match the schema. Kubernetes' own validation decides whether they are valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from gitops.schemas import Schema

Object = dict[str, Any]
# A part of an object, and its schema.
Site = tuple[Any, Object]

TEXTS = (
    "",
    "a",
    "tool",
    "other",
    "A_b",
    "a.b",
    "-a",
    "..",
    "../a",
    "/a",
    "a/b",
    "a" * 64,
    "a" * 254,
    "http",
    "10.0.0.1",
)
QUANTITIES: tuple[Any, ...] = ("1", "100m", "1Gi", "0", "-1", "1.5", "abc", "1e3", 2, "20Mi", "10u", "", "1 Gi", "+1")
NUMBERS = (-1, 0, 1, 2, 5, 30, 80, 100, 101, 600, 3600, 8080, 70000, 2**31 - 1)
EITHER = (0, 1, 8080, 70000, -1, "http", "25%", "0%", "101%", "a-name-that-is-too-long", "8080", "", "%", "a--b")
KEYS = ("a", "app", "example.com/a", "A_b.c", "a b", "", "-a", "a" * 64, "cpu", "memory", "storage", "hugepages-2Mi")
OPAQUE = ("Time", "MicroTime", "FieldsV1", "RawExtension")
# Users never write these.
LEFT_OUT = {
    *("status", "apiVersion", "kind", "metadata", "ephemeralContainers", "template", "windowsOptions", "os"),
    # Some of their values depend on feature gates and other APIs.
    *("seLinuxChangePolicy", "resourceClaims", "dataSource", "dataSourceRef", "successPolicy"),
    # Their valid values depend on the cluster.
    *("ipFamilies", "ipFamilyPolicy", "clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort"),
}


def changed(item: Object, schema: Schema, random: Random) -> Object:
    """Return an object with one or two changes."""
    result = deepcopy(item)
    for _ in range(random.choice((1, 1, 1, 2))):
        sites = list(_sites(result, schema.root, schema))
        _change(*random.choice(sites), schema, random)
    return result


def _sites(node: Any, part: Object, schema: Schema) -> Iterator[Site]:
    """Return every part of an object that has parts, with its schema; metadata only of the object itself."""
    part = _resolved(part, schema)
    if isinstance(node, dict):
        yield node, part
        for key, child in node.items():
            below = part.get("properties", {}).get(key) or part.get("additionalProperties")
            if isinstance(below, dict) and key not in ("managedFields", "status"):
                yield from _sites(child, below, schema)
    elif isinstance(node, list) and node:
        yield node, part
        for child in node:
            yield from _sites(child, part.get("items", {}), schema)


def _change(node: Any, part: Object, schema: Schema, random: Random) -> None:
    if isinstance(node, list):
        entry = random.choice(node)
        if random.random() < 0.5:
            node.append(deepcopy(entry))
        else:
            node[random.randrange(len(node))] = value(part.get("items", {}), schema, random, "")
        return
    known = [key for key in part.get("properties", {}) if key not in LEFT_OUT]
    if "managedFields" in part.get("properties", {}):
        known = ["annotations", "labels"]
    if random.random() < 0.15 and (removable := _optional(node, known, part)):
        del node[random.choice(removable)]
    elif known:
        key = random.choice(known)
        node[key] = value(part["properties"][key], schema, random, key)
    elif isinstance(part.get("additionalProperties"), dict):
        node[random.choice(KEYS)] = value(part["additionalProperties"], schema, random, "")


def _optional(node: Object, known: list[str], part: Object) -> list[str]:
    """Return the fields of a part that its schema does not require."""
    return [key for key in known if key in node and key not in part.get("required", [])]


def value(part: Object, schema: Schema, random: Random, field: str, depth: int = 0) -> Any:
    """Return a value that matches a schema, in most cases."""
    name = str(part.get("$ref", "")).rpartition(".")[2]
    described = part.get("description", "")
    part = _resolved(part, schema)
    described += part.get("description", "")
    kinds = part.get("type", [])
    kind = next((k for k in ([kinds] if isinstance(kinds, str) else kinds) if k != "null"), "")
    if name == "Quantity":
        return random.choice(QUANTITIES)
    if name == "IntOrString":
        return random.choice(EITHER)
    if name in OPAQUE:
        return None
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "integer":
        return random.choice(NUMBERS)
    if kind == "array":
        return [value(part["items"], schema, random, field, depth + 1) for _ in range(random.choice((0, 1, 1, 2)))]
    if kind == "object" and "properties" in part:
        optional = [key for key in part["properties"] if key not in LEFT_OUT]
        chosen = random.sample(optional, min(len(optional), random.choice((0, 1, 1, 2)) if depth < 3 else 0))
        fields = dict.fromkeys([*part.get("required", []), *chosen])
        return {key: value(part["properties"][key], schema, random, key, depth + 1) for key in fields}
    if kind == "object":
        below = part.get("additionalProperties")
        return {random.choice(KEYS): value(below, schema, random, "") for _ in range(1) if isinstance(below, dict)}
    # The values of an enumeration are in its description.
    words = re.findall(r"\b[A-Z][A-Za-z]{2,}\b", described)
    return random.choice([*TEXTS, *words, *words])


def _resolved(part: Object, schema: Schema) -> Object:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    return schema.definitions[name] if name else part
