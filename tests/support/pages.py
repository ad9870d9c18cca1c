"""Read commands from a page of the rendered documentation."""

from __future__ import annotations

import re
from pathlib import Path

BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def pages(repository: Path) -> list[Path]:
    """Return every documentation page of a rendered repository."""
    return [page for pattern in ("*.md", "docs/*.md", "apps/**/*.md") for page in sorted(repository.glob(pattern))]


def blocks(text: str) -> list[str]:
    """Return the shell blocks of a text, without their indentation."""
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in BLOCK.findall(text)]


def commands(page: Path, heading: str) -> list[str]:
    """Return the shell commands below a heading, block by block."""
    below = page.read_text().split(f" {heading}\n", 1)[1]
    return blocks(re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0])
