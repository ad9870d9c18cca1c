"""Copier's command, run in this process as a user types it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

COLORS = re.compile(r"\x1b\[[0-9;]*m")
Copy = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """How a run of Copier's command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def message(self) -> str:
        """Return what the checks print, without the quotes in which Copier shows it."""
        (line,) = [line for line in self.stderr.splitlines() if "has no attribute" in line]
        return str(ast.literal_eval(line.split(" has no attribute ", 1)[1]))

    @property
    def problems(self) -> list[str]:
        return self.message.split(" with the answers: ", 1)[1].split(" • ")
