"""Run the tools that mise.toml pins, and report why something cannot be read or built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# How many characters of a tool's error message are shown.
MESSAGE_LENGTH = 600


class GitOpsError(Exception):
    """Something cannot be read or built. The message says what, and why."""


class UnavailableError(GitOpsError):
    """A tool or a server is missing, so nothing is known about the repository itself."""


def run(
    *command: str,
    folder: Path | None = None,
    stdin: str = "",
    variables: dict[str, str] | None = None,
    reports: bool = False,
) -> str:
    """Run a tool and return its output.

    Args:
        command: The tool and its arguments.
        folder: The working directory.
        stdin: The text that the tool reads.
        variables: Further environment variables.
        reports: Whether the tool exits with an error when it reports problems on its output. Any other failure then
            names the tool.

    Raises:
        UnavailableError: if the tool is not installed.
        GitOpsError: with the tool's error message, if it fails.
    """
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | (variables or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise UnavailableError(f"{command[0]} is not installed: run `mise install`") from None
    if result.returncode and not (reports and result.stdout):
        message = " ".join((result.stderr or result.stdout).split())[:MESSAGE_LENGTH]
        raise GitOpsError(f"{command[0]}: {message}" if reports else message)
    return result.stdout
