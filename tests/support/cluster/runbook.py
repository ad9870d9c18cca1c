"""Type the commands of a rendered runbook, like a person on call."""

from __future__ import annotations

import re

from tests.support.cluster.stack import Stack

PAGE = "runbook.md"


class Runbook:
    """The runbook, with the variables of one workload in one environment.

    A drill names each block that it types by its heading and its place below it. `tests/rendering/test_runbook.py`
    reads these calls, so both are written out.
    """

    def __init__(self, stack: Stack, workload: str, environment: str) -> None:
        self._stack = stack
        text = (stack.checkout.work / "docs" / PAGE).read_text()
        (self._variables,) = re.findall(rf"`(export environment={environment} [^`]+)`", text)
        self.type("Before you type", 1, workload=workload)
        (variables,) = stack.documented(PAGE, "Before you type")[1:]
        self._variables += "\n" + filled(variables, workload=workload)

    def type(self, heading: str, number: int, **names: str) -> str:
        """Type a block of commands, and return what it prints. `names` replace its placeholders."""
        block = self._stack.documented(PAGE, heading)[number]
        return self._stack.type(f"{self._variables}\n{filled(block, **names)}")


def filled(commands: str, **names: str) -> str:
    """Return commands with their placeholders replaced, such as <workload>; `bad_commit` replaces <bad-commit>."""
    return re.sub(r"<([a-z-]+)>", lambda placeholder: names[placeholder[1].replace("-", "_")], commands)
