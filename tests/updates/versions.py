"""The template as its users meet it: a Git repository with tagged versions."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import snapshot

FIRST = "v1.0.0"

Change = Callable[[Path], None]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass
class Versions:
    """A snapshot of the working tree, tagged v1.0.0, and whatever versions tests make of it."""

    path: Path
    _known: dict[str, str] = field(default_factory=dict)

    @classmethod
    def snapshot(cls, path: Path) -> Versions:
        path.mkdir(parents=True)
        snapshot(path)
        git(path, "init", "--quiet", "--initial-branch=main")
        versions = cls(path)
        versions._tag(FIRST)
        return versions

    def release(self, name: str, change: Change) -> str:
        """The tag of a version that follows v1.0.0 directly and differs from it by `change`."""
        if name not in self._known:
            git(self.path, "checkout", "--quiet", "--detach", FIRST)
            change(self.path)
            self._known[name] = f"v1.{len(self._known) + 1}.0"
            self._tag(self._known[name])
        return self._known[name]

    def _tag(self, tag: str) -> None:
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--message", tag)
        git(self.path, "tag", tag)
