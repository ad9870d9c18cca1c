"""Find the values that a chart does not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gitops import builds, downloads
from gitops.applications import Application
from gitops.objects import CRD, Object, load_yaml
from gitops.tools import GitOpsError
from gitops.tree import Tree

KeyPath = tuple[str, ...]


def unread_values(tree: Tree, application: Application, source: Object, objects: list[Object]) -> Iterator[str]:
    """Return the keys of a chart's values files that the chart does not read, with the file of each.

    Helm rejects a key that the chart's schema forbids. A key that neither the schema nor the chart's own values list
    can still be copied into an object unchanged (`toYaml`): then its name is in the rendered objects. If it is not,
    the chart is rendered without the key, and the key is unread if the objects are the same. Without a key that the
    chart requires, nothing is rendered, so it counts as read.

    Args:
        tree: The repository.
        application: The Application.
        source: Its source that is a chart.
        objects: The objects that it builds.
    """
    defaults, schema = _defaults_and_schema(
        downloads.chart(source["repoURL"], source["chart"], source["targetRevision"])
    )
    names = set(_keys([item for item in objects if item["kind"] != CRD]))
    for values_file in builds.value_files(tree, application, source):
        for key in _unlisted(_read_values(values_file), defaults, schema, schema):
            if key[-1] not in names and _builds_alike(tree, _without(application, source, key), objects):
                yield (
                    f"{values_file.relative_to(tree.path)}: {'.'.join(key)} has no effect: "
                    f"chart {source['chart']} {source['targetRevision']} does not read it"
                )


def _builds_alike(tree: Tree, application: Application, objects: list[Object]) -> bool:
    try:
        return builds.build(tree, application) == objects
    except GitOpsError:
        return False


@cache
def _defaults_and_schema(chart: Path) -> tuple[Object, Object]:
    file = chart / "values.schema.json"
    return _read_values(chart / "values.yaml"), json.loads(file.read_text()) if file.exists() else {}


def _read_values(file: Path) -> Object:
    documents = load_yaml(file.read_text(), file.name) if file.exists() else []
    return dict(documents[0]) if documents else {}


def _unlisted(values: Object, defaults: Object, schema: Object, root: Object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Return the keys that neither the chart's own values nor its schema list.

    A map without listed keys, such as annotations, is copied into an object unchanged.
    """
    schema = _resolved(schema, root)
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key, value in values.items():
        default = defaults.get(key)
        inner = _resolved(properties.get(key, others if isinstance(others, dict) else {}), root)
        if key not in defaults and key not in properties and not isinstance(others, dict):
            yield (*path, key)
        elif isinstance(value, dict) and (default or inner.get("properties") or inner.get("additionalProperties")):
            yield from _unlisted(value, default if isinstance(default, dict) else {}, inner, root, (*path, key))


def _resolved(schema: Any, root: Object) -> Object:
    while isinstance(schema, dict) and "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema if isinstance(schema, dict) else {}


def _without(application: Application, source: Object, key: KeyPath) -> Application:
    """Return the Application with one value of its chart unset."""
    value: Any = None
    for part in reversed(key):
        value = {part: value}
    helm = source["helm"] | {"valuesObject": _merged(source["helm"].get("valuesObject", {}), value)}
    sources = [other | {"helm": helm} if other == source else other for other in application.sources]
    spec = {name: field for name, field in application.spec.items() if name != "source"} | {"sources": sources}
    return replace(application, manifest=application.manifest | {"spec": spec})


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _keys(node: Any) -> Iterator[str]:
    """Return every key in objects."""
    if isinstance(node, dict):
        yield from node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _keys(child)
