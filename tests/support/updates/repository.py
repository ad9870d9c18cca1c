"""Change a rendered repository like users and Copier."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import copier
import yaml

from tests.support.repository import ROOT
from tests.support.updates.template_changes import PLATFORM
from tests.support.updates.versions import FIRST, Versions, git

ANSWERS_FILE = ".copier-answers.yml"
SEEDED = yaml.safe_load((ROOT / "copier.yml").read_text())["_skip_if_exists"]
SEEDED += [pattern.replace(*PLATFORM) for pattern in SEEDED]

Answers = dict[str, Any]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Repository:
    """A repository that Copier updates without prompts, and with trust only if a test sets it."""

    path: Path
    versions: Versions

    @classmethod
    def copy(cls, versions: Versions, path: Path, answers: Answers, tag: str = FIRST) -> Repository:
        copier.run_copy(str(versions.path), path, data=answers, vcs_ref=tag, defaults=True, quiet=True)
        git(path, "init", "--quiet", "--initial-branch=main")
        repository = cls(path, versions)
        repository.commit()
        return repository

    def clone(self, path: Path) -> Repository:
        shutil.copytree(self.path, path, symlinks=True)
        return Repository(path, self.versions)

    def update(self, tag: str | copier.VcsRef, answers: Answers | None = None, trust: bool = False) -> None:
        """Update to another version of the template, and with other answers if some are given."""
        copier.run_update(self.path, data=answers, vcs_ref=tag, defaults=True, overwrite=True, quiet=True, unsafe=trust)

    def answer(self, answers: Answers) -> None:
        """Change answers at the same version of the template."""
        self.update(copier.VcsRef.CURRENT, answers)

    def answers(self) -> Answers:
        return {name: value for name, value in self.yaml(ANSWERS_FILE).items() if not name.startswith("_")}

    def commit(self) -> None:
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", "Commit")

    def undo(self) -> None:
        """Undo an interrupted update with the documented command."""
        git(self.path, "reset", "--quiet", "--hard")
        git(self.path, "clean", "--quiet", "-fd")

    def changed(self) -> set[str]:
        """Return the files that differ from the last commit."""
        lines = git(self.path, "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z").split("\0")
        return {line[3:] for line in lines if line}

    def conflicts(self) -> set[str]:
        """Return the files that Git lists as unmerged."""
        return set(git(self.path, "diff", "--name-only", "--diff-filter=U").splitlines())

    def markers(self) -> set[str]:
        """Return the files in which `git diff --check`, which the documentation recommends, finds conflict markers."""
        command = ["git", "-C", str(self.path), "diff", "--check"]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        return {line.split(":")[0] for line in lines if "conflict marker" in line}

    def files(self) -> Files:
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.path).parts
        }

    def folders(self) -> set[str]:
        return {
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_dir() and ".git" not in path.relative_to(self.path).parts
        }

    def text(self, file: str) -> str:
        return (self.path / file).read_text()

    def yaml(self, file: str) -> Any:
        return yaml.safe_load(self.text(file))

    def write(self, file: str, text: str = "made by hand\n") -> None:
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, file: str, old: str, new: str) -> None:
        text = self.text(file)
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times, not once"
        self.write(file, text.replace(old, new))


def differences(one: Files, other: Files) -> set[str]:
    """Return the files that only one of them has, or whose bytes differ."""
    return {file for file in one.keys() | other.keys() if one.get(file) != other.get(file)}


def seeds(files: Files) -> set[str]:
    """Return the files that the template creates once and never changes again."""
    return {file for file in files if any(Path(file).match(pattern) for pattern in SEEDED)}


def set_tag(repository: Repository, file: str, tag: str) -> None:
    """Set the tag of the first image of an overlay, like a bot."""
    text, count = re.subn(r"(?m)^(    newTag: ).+$", rf"\g<1>{tag}", repository.text(file), count=1)
    assert count == 1, f"{file} has no newTag"
    repository.write(file, text)


class Render(Protocol):
    """Render a version once per set of answers, and return a clone for each caller."""

    def __call__(self, answers: Answers, tag: str = FIRST) -> Repository: ...


def is_fresh(repository: Repository, tag: str, render: Render) -> bool:
    """Return whether a repository equals a fresh copy, except for seeded files, and has no folder left over."""
    files, fresh = repository.files(), render(repository.answers(), tag)
    return differences(files, fresh.files()) <= seeds(files) and repository.folders() <= fresh.folders()
