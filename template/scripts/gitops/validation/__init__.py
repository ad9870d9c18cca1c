"""Check objects by the validation rules of Kubernetes that a schema cannot express.

A rule applies to a type, wherever it occurs. The modules have tables of rules, with the Go source that they follow.
A test compares all of them with the real API server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.objects import Object, api_group
from gitops.schemas import Schema
from gitops.validation import (
    containers,
    data,
    jobs,
    networking,
    pods,
    scaling,
    scheduling,
    selectors,
    services,
    volumes,
    workloads,
)
from gitops.validation.terms import Problem, Rule
from gitops.validation.walk import walk

RULES: dict[str, tuple[Rule, ...]] = {
    **containers.RULES,
    **data.RULES,
    **jobs.RULES,
    **networking.RULES,
    **pods.RULES,
    **scaling.RULES,
    **scheduling.RULES,
    **selectors.RULES,
    **services.RULES,
    **volumes.RULES,
    **workloads.RULES,
}


def problems(item: Object, schema: Schema) -> Iterator[Problem]:
    """Return the fields that the API server rejects in an object that matches its schema, each with a message."""
    item = workloads.with_claims(_without_nulls(item))
    kind = "/".join(filter(None, [api_group(item), item["kind"]]))
    for rule in (data.metadata, *RULES.get(kind, ())):
        yield from rule(item)
    yield from walk(item, schema.root, schema, RULES)


def _without_nulls(node: Any) -> Any:
    """Return a value without nulls, as the API server reads it."""
    if isinstance(node, dict):
        return {key: _without_nulls(value) for key, value in node.items() if value is not None}
    return [_without_nulls(part) for part in node] if isinstance(node, list) else node
