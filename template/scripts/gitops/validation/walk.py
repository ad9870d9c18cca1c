"""Walk over an object along its schema, and apply the rules for the type of each part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.schemas import Schema
from gitops.validation.terms import Problem, Rule, element, joined, repeated

TYPES = ("io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.", "io.k8s.")
# Defaults that the API server sets before it compares the keys of a list.
DEFAULTS = {"protocol": "TCP"}
# References without a name are a valid map key.
UNNAMED = "io.k8s.api.core.v1.LocalObjectReference"
STARTS = re.compile(r"self\.startsWith\('([^']*)'\)")
# Types whose parts Kubernetes does not validate.
UNREAD = (
    "autoscaling.v2.MetricIdentifier",
    "core.v1.ClusterTrustBundleProjection",
    "core.v1.PodCertificateProjection",
)
# The API server truncates larger numbers, so that the live object differs from Git.
LIMITS = {"int32": 2**31, "int64": 2**63}


def walk(node: Any, schema: Object, root: Schema, rules: dict[str, tuple[Rule, ...]]) -> Iterator[Problem]:
    """Return the problems of an object and all of its parts, each with its path.

    Args:
        node: The object, or a part of it. It matches its schema, and has no nulls.
        schema: The schema of the part.
        root: The schema with its definitions.
        rules: The rules by type.
    """
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    for rule in rules.get(_short(name), ()):
        yield from rule(node)
    below = root.definitions[name] if name else schema
    rules = {} if _short(name) in UNREAD else rules
    yield from _repetitions(node, schema)
    yield from _starts(node, below)
    if isinstance(node, int) and abs(node) >= LIMITS.get(below.get("format", ""), abs(node) + 1):
        yield "", f"{node} is too large"
    for field, part, of_part in _parts(node, below):
        yield from ((joined(field, path), message) for path, message in walk(part, of_part, root, rules))


def _starts(node: Any, schema: Object) -> Iterator[Problem]:
    """Evaluate the only CEL rule that workloads' custom resources have. The API server evaluates others."""
    for entry in schema.get("x-kubernetes-validations") or []:
        match = STARTS.fullmatch(entry["rule"])
        if match and isinstance(node, str) and not node.startswith(match[1]):
            yield "", f"{node} must begin with {match[1]}"


def _short(name: str) -> str:
    prefix = next((prefix for prefix in TYPES if name.startswith(prefix)), "")
    return name.removeprefix(prefix)


def _parts(node: Any, schema: Object) -> Iterator[tuple[str, Any, Object]]:
    """Return the parts of an object, each with its name and its schema."""
    if isinstance(node, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, part in node.items():
            if of_part := properties.get(key) or (others if isinstance(others, dict) else None):
                yield (key if key in properties else f"[{key}]"), part, of_part
    elif isinstance(node, list) and isinstance(schema.get("items"), dict):
        for index, part in enumerate(node):
            named = element("", part, index) if isinstance(part, dict) else f"[{index}]"
            yield named, part, schema["items"]


def _repetitions(node: Any, schema: Object) -> Iterator[Problem]:
    """Find elements with the same keys in a list that is a map: server-side apply refuses them."""
    if not isinstance(node, list):
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        if UNNAMED not in str(schema["items"]) and not all(part.keys() & {*keys} for part in node):
            yield "", f"each entry needs {' and '.join(keys)}"
        entries = [tuple(part.get(key, DEFAULTS.get(key, "")) for key in keys) for part in node]
    elif schema.get("x-kubernetes-list-type") == "set":
        entries, keys = [(part,) for part in node if not isinstance(part, dict | list)], ["the value"]
    else:
        return
    for values in repeated(entries):
        named = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
        yield "", f"two entries have {named}: remove or rename one"
