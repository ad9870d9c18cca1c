"""Check objects with the schemas, then with the rules of Kubernetes' own validation."""

from __future__ import annotations

from typing import Any

from gitops import schemas, validation

Object = dict[str, Any]
VERSION = "1.36"


def schema_of(item: Object, crds: list[Object] | None = None, version: str = VERSION) -> schemas.Schema:
    """Return the schema of an object of an existing kind."""
    schema = schemas.schema_of(version, crds or [], item)
    assert schema, item["kind"]
    return schema


def problems(item: Object, version: str = VERSION) -> list[str]:
    """Return the problems of an object that matches its schema."""
    found = validation.problems(item, schema_of(item, version=version))
    return [f"{path}: {message}" if path else message for path, message in found]


def refusals(items: list[Object], version: str = VERSION) -> list[list[str]]:
    """Return for each object why it is rejected: by its schema, otherwise by the rules."""
    result: list[list[str]] = [[] for _ in items]
    index = {id(item): number for number, item in enumerate(items)}
    for item, problem in schemas.problems_of(version, [], items):
        result[index[id(item)]].append(problem)
    return [found or problems(item, version) for item, found in zip(items, result, strict=True)]
