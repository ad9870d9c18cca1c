"""Write the contract with the infrastructure: the schema of the answers that it provides.

python -m tools.contract
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "hooks/answers.schema.json"
CONTRACT = ROOT / "docs/infrastructure/infrastructure.schema.json"
# Keywords for our own checks only.
NOTE = re.compile("x-.*")


def without_notes(node: Any) -> Any:
    """Return a schema without our own keywords."""
    if isinstance(node, dict):
        return {name: without_notes(inner) for name, inner in node.items() if not NOTE.fullmatch(name)}
    return [without_notes(inner) for inner in node] if isinstance(node, list) else node


def references(node: Any) -> set[str]:
    """Return the definitions that a schema names."""
    return set(re.findall(r'"#/definitions/(\w+)"', json.dumps(node)))


def contract() -> dict[str, Any]:
    """Return the schema of an answers file with the answers of the infrastructure only."""
    schema = json.loads(SCHEMA.read_text())
    properties = {name: node for name, node in schema["properties"].items() if node.get("x-source") == "infrastructure"}
    names, used = references(properties), set[str]()
    while names - used:
        used |= names
        names = {inner for name in used for inner in references(schema["definitions"][name])}
    result = {
        "$schema": schema["$schema"],
        "title": "Answers of the AWS EKS GitOps template that belong to the infrastructure",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "definitions": {name: node for name, node in schema["definitions"].items() if name in used},
    }
    return dict(without_notes(result))


def text() -> str:
    """Return the content of the contract's file."""
    return json.dumps(contract(), indent=2) + "\n"


if __name__ == "__main__":
    CONTRACT.write_text(text())
