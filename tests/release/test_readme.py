"""The files and make targets in README.md and CONTRIBUTING.md exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import ROOT, Repository

README = (ROOT / "README.md").read_text()
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def shown_tree() -> list[str]:
    """Return the paths of the tree that README.md shows."""
    (block,) = re.findall(r"<!-- tree -->\n\n```text\n\S+/\n(.*?)```", README, re.DOTALL)
    folders: dict[int, str] = {0: ""}
    paths = []
    for line in block.splitlines():
        match = re.match(r"([│ ]*)[├└]── (\S+)", line)
        assert match, line
        depth = len(match[1]) // 4
        folders[depth + 1] = folders[depth] + match[2]
        paths.append(folders[depth + 1])
    return paths


def test_the_tree_is_what_a_copy_renders(repositories: Callable[[str], Repository]) -> None:
    rendered = repositories("minimal").path
    paths = shown_tree()
    assert len(paths) > 20
    for path in paths:
        assert (rendered / path).is_dir() if path.endswith("/") else (rendered / path).is_file(), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_targets_of_make_exist(document: Path) -> None:
    text = document.read_text()
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    commands = re.findall(r"`make ([^`]+)`", text) + re.findall(r"^make (.+)$", shell, re.MULTILINE)
    words = [word for command in commands for word in re.sub(r"\w+='.*?'|#.*", "", command).split()]
    assert {word for word in words if "=" not in word} <= TARGETS


def test_the_help_of_make_fits_a_terminal_of_80_columns() -> None:
    for target, text in re.findall(r"^([a-z-]+):.* ## (.+)$", MAKEFILE, re.MULTILINE):
        assert len(f"{f'make {target}':18} {text}") <= 80, target
