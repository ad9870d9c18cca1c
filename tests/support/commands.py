"""Run Copier's command in this process, as a user types it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

COLORS = re.compile(r"\x1b\[[0-9;]*m")
Copy = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """The result of a run of Copier's command."""

    status: int
    stdout: str
    stderr: str

    @property
    def message(self) -> str:
        """Return the message of the checks if nothing can be printed, without Copier's quotes."""
        (line,) = [line for line in self.stderr.splitlines() if "has no attribute" in line]
        return str(ast.literal_eval(line.split(" has no attribute ", 1)[1]))

    @property
    def listed(self) -> list[str]:
        """Return the lines of the list of problems, without its first and its last."""
        return self.stderr.split(" with the answers:\n\n", 1)[1].split("\n\nNothing was written: ", 1)[0].splitlines()

    @property
    def problems(self) -> list[str]:
        """Return the problems, from the list or from the single line that replaces it."""
        if "has no attribute" in self.stderr:
            return self.message.split(" with the answers: ", 1)[1].split(" • ")
        entries = re.sub(r"\n {4}", " ", "\n".join(self.listed)).split("\n")
        return [entry.removeprefix("  ") for entry in entries]
