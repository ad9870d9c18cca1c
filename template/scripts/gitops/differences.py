"""Print the differences between objects."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from pathlib import Path

import yaml

from gitops.objects import Object
from gitops.tools import run


def difference(before: list[Object], after: list[Object]) -> str:
    """Return the differences between objects: by field with dyff, or by line if it is not installed."""
    texts = [yaml.safe_dump_all(items, sort_keys=True) if items else "" for items in (before, after)]
    if not shutil.which("dyff"):
        lines = difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), lineterm="", n=2)
        return "\n".join(list(lines)[2:])
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("before.yaml", "after.yaml")]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, "utf-8")
        command = ["dyff", "between", "--omit-header", "--color=off", "--output=github", *map(str, files)]
        return run(*command).strip("\n")
