"""Find references to keys of Secrets, whose names can look like secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

# The fields of a reference in the answers: `{secret: app, key: token-2024}`.
ANSWER = {"secret", "key", "optional"}
# The fields of an ExternalSecret that name a secret of the store.
OF_STORE = {"extract", "remoteRef"}


def lines_with_references(file: Path) -> set[int]:
    """Return the lines of a YAML file on which a mapping names a Secret or one of its keys."""
    if file.suffix not in (".yaml", ".yml"):
        return set()
    try:
        documents = list(yaml.compose_all(file.read_text(), yaml.CSafeLoader))
    except (UnicodeDecodeError, yaml.YAMLError):
        return set()
    return {line for document in documents for line in _lines(document, "")}


def _lines(node: yaml.Node | None, parent: str) -> Iterator[int]:
    """Yield the lines of the texts of each reference below a node.

    Args:
        node: A part of a document.
        parent: The field that the part is the value of, or an element of.
    """
    if isinstance(node, yaml.SequenceNode):
        for element in node.value:
            yield from _lines(element, parent)
    if isinstance(node, yaml.MappingNode):
        fields = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        is_item = parent == "items" and {"key", "path"} <= fields.keys() <= {"key", "path", "mode"}
        is_answer = {"secret", "key"} <= fields.keys() <= ANSWER
        is_external = parent in OF_STORE or {"secretKey", "remoteRef"} <= fields.keys()
        if parent.endswith("KeyRef") or is_item or is_answer or is_external:
            yield from (value.start_mark.line + 1 for value in fields.values())
        for name, value in fields.items():
            yield from _lines(value, name)
