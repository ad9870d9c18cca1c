"""Change and push a clone of the origin that Argo CD reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.cluster import layout

KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


class Checkout:
    """A working clone and its origin.

    Attributes:
        work: The folder of the working clone.
        origin: The bare repository.
    """

    def __init__(self, rendered: Path, work: Path, origin: Path) -> None:
        """Copy a rendered repository and push it as the first commit."""
        self.work, self.origin = work, origin
        shutil.copytree(rendered, work)
        origin.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin], check=True)
        if not (work / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(origin))
        self.push("Render the platform")

    def git(self, *arguments: str) -> str:
        """Run Git in the working clone and return what it prints."""
        return subprocess.run(["git", *arguments], cwd=self.work, check=True, capture_output=True, text=True).stdout

    @property
    def head(self) -> str:
        """Return the revision of the working clone."""
        return self.git("rev-parse", "HEAD").strip()

    def files_of_commits(self, since: str) -> set[str]:
        """Return the files that commits have changed since a revision, even if later commits reverted it."""
        return set(self.git("log", "-m", "--name-only", "--format=", f"{since}...HEAD").split("\n")) - {""}

    def push(self, message: str) -> None:
        """Commit all changes, and push them."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "--force", "origin", "HEAD:main")

    def restore(self, revision: str) -> bool:
        """Restore the files of a revision without a commit, and return whether any file changed."""
        self.git("read-tree", "--reset", "-u", revision)
        self.git("clean", "--force", "-d", "--quiet")
        return bool(self.git("diff", "--cached", "--name-only", "HEAD"))

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        text = (self.work / path).read_text()
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        (self.work / path).write_text(text.replace(old, new))

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with its content."""
        target = self.work / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    def write(self, path: str, item: Any) -> None:
        """Write an object as a file."""
        write(self.work / path, item)

    def add_by_hand(self, workload: str, *items: dict[str, Any]) -> None:
        """Create a workload of some objects in dev, like users who do not use the answers."""
        add_by_hand(self.work, workload, *items)

    def replace_all(self, rendered: Path) -> None:
        """Replace all files with those of another rendered repository."""
        for entry in self.work.iterdir():
            if entry.name != ".git":
                self.delete(entry.name)
        shutil.copytree(rendered, self.work, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))


def write(file: Path, item: Any) -> None:
    """Write an object as a file, and create its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(item))


def add_by_hand(repository: Path, workload: str, *items: dict[str, Any], environment: str = "dev") -> None:
    """Create a workload of some objects, each in a file with its name."""
    overlay = repository / layout.overlay(workload, environment)
    files = {f"{item['metadata']['name']}.yaml": item for item in items}
    assert len(files) == len(items)
    for name, item in files.items():
        write(overlay / name, item)
    write(overlay / "kustomization.yaml", KUSTOMIZATION | {"resources": [*files]})
