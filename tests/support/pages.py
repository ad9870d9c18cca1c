"""The commands that a page of a rendered repository's documentation shows."""

from __future__ import annotations

import re
from pathlib import Path


def commands(page: Path, heading: str) -> list[str]:
    """Return the shell commands below a heading, block by block."""
    below = page.read_text().split(f" {heading}\n", 1)[1]
    section = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^( *)```sh\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks]
