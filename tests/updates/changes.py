"""What newer versions of the template change, whatever its files hold at the moment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def reword_every_comment(template: Path) -> None:
    """A new version that touches nearly every file, and no line that says something to a machine."""
    for file in (template / "template").rglob("*"):
        if file.is_file():
            file.write_text(re.sub(r"(?m)^( *# .+)$", r"\1 Reworded.", file.read_text()))


def add_a_document(template: Path) -> None:
    (template / "template/docs/new.md.jinja").write_text("# What is new in [[ model.repository.name ]]\n")


def remove_a_document(template: Path) -> None:
    (template / "template/docs/domain-configuration.md.jinja").unlink()


def edit(template: Path, file: str, old: str, new: str) -> None:
    path = template / file
    text = path.read_text()
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new))


def edit_schema(template: Path, *keys: str, **fields: Any) -> None:
    """Sets fields of the schema's node that `keys` lead to."""
    path = template / "hooks/answers.schema.json"
    schema = json.loads(path.read_text())
    node = schema
    for key in keys:
        node = node[key]
    node.update(fields)
    path.write_text(json.dumps(schema, indent=2))
