"""Create a Git repository of the template with tagged versions, as users see it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.repository import ROOT, snapshot

FIRST = "v1.0.0"
PARTS = ("copier.yml", "hooks", "template")

Change = Callable[[Path], None]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def unpack(tag: str, folder: Path, *parts: str) -> None:
    """Extract parts of a released version of this repository."""
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", tag, *parts], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


@dataclass
class Versions:
    """A Git repository of the template: its first version, and the versions that tests release after it."""

    path: Path
    _known: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, path: Path, fill: Change, tag: str = FIRST) -> Versions:
        path.mkdir(parents=True)
        fill(path)
        git(path, "init", "--quiet", "--initial-branch=main")
        versions = cls(path)
        versions._tag(tag)
        return versions

    @classmethod
    def snapshot(cls, path: Path) -> Versions:
        """Start with the working tree."""

        def fill(folder: Path) -> None:
            snapshot(folder)

        return cls.start(path, fill)

    @property
    def upcoming(self) -> str:
        """Return the tag of the version that is released next."""
        return f"v1.{len(self._known) + 1}.0"

    def release(self, name: str, change: Change, after: str = FIRST, tag: str = "") -> str:
        """Release a version after another one, changed by `change`, unless it is released already. Return its tag."""
        if name not in self._known:
            tag = tag or self.upcoming
            git(self.path, "checkout", "--quiet", "--detach", after)
            change(self.path)
            self._tag(tag)
            self._known[name] = tag
        return self._known[name]

    def _tag(self, tag: str) -> None:
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", tag)
        git(self.path, "tag", tag)
