"""Rename a directory or file of a rendered repository, and keep what people changed and added there.

    move.py <answers file> <old path> <new path>

`copier update` alone renders the new path and deletes the old one, edits included. `git mv` is not enough: Copier then
finds two new files of the same name, and each difference between them is a conflict.
So this migration runs twice, inside the repository. Before Copier renders, it only checks that no file is in the way,
because the answers are not checked yet. Afterwards it moves the users' own files, and merges their changes of a
generated file into its successor, based on what the old version rendered.
A `*` in the old path is any one name, and the same name in the new path.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import copier
import yaml
from pathspec import PathSpec

TEMPLATE = Path(__file__).parents[2]


def git(*arguments: str, text: str = "") -> str:
    return subprocess.run(("git", *arguments), input=text.encode(), check=True, stdout=subprocess.PIPE).stdout.decode()


def names(*arguments: str) -> set[str]:
    return {name for name in git(*arguments, "-z").split("\0") if name}


def remove_empty(folder: Path) -> None:
    with suppress(OSError):
        while folder != Path():
            folder.rmdir()
            folder = folder.parent


@dataclass(frozen=True)
class Move:
    answers_file: str
    old: str
    new: str

    def place(self, path: str) -> str:
        """Return the new path of a file; '' if it stays."""
        match = re.fullmatch(re.escape(self.old).replace(r"\*", "([^/]+)") + "(/.+)?", path, re.DOTALL)
        if not match:
            return ""
        *between, rest = match.groups("")
        return re.sub(r"\*", lambda _: between.pop(0), self.new) + rest

    @cached_property
    def generated(self) -> dict[str, bytes]:
        """Return the files that the old version rendered at the old path, without seeded ones."""
        settings = yaml.safe_load((TEMPLATE / "copier.yml").read_text())
        seeds = PathSpec.from_lines("gitwildmatch", settings.get("_skip_if_exists", []))
        recorded = yaml.safe_load(git("show", f"HEAD:./{self.answers_file}"))
        answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
        files = {}
        with tempfile.TemporaryDirectory() as folder:
            version = os.environ["VERSION_FROM"]
            copier.run_copy(recorded["_src_path"], folder, answers, vcs_ref=version, defaults=True, quiet=True)
            for file in sorted(Path(folder).rglob("*")):
                path = file.relative_to(folder).as_posix()
                place = self.place(path)
                if place and file.is_file() and not seeds.match_file(place):
                    files[path] = file.read_bytes()
        return files

    def before(self) -> None:
        for path in sorted(names("ls-files")):
            new = self.place(path)
            if new and Path(new).exists():
                sys.exit(
                    f"{path} is called {new} in this version of the template, but both are there. "
                    "Keep one of them, commit that, and update again."
                )

    def after(self) -> None:
        committed = names("ls-tree", "-r", "--name-only", "HEAD")
        unmerged = names("diff", "--name-only", "--diff-filter=U")
        for path in sorted(committed - self.generated.keys()):
            if self.place(path):
                move(path, self.place(path))
        for path, base in self.generated.items():
            new = self.place(path)
            if new in unmerged:
                # Users had moved it already, and Copier merged it without a base.
                Path(new).write_bytes(content(f":3:./{new}"))
                git("reset", "--quiet", "HEAD", "--", new)
            if not Path(new).is_file():
                continue
            if path in committed or new in committed:
                merge(content(f"HEAD:./{path if path in committed else new}"), base, Path(new))
            else:
                Path(new).unlink()
                remove_empty(Path(new).parent)


def content(revision: str) -> bytes:
    return subprocess.run(("git", "show", revision), check=True, stdout=subprocess.PIPE).stdout


def move(path: str, new: str) -> None:
    """Move a file that is not generated: the user's own, or a seeded one, keeping the user's version."""
    git("checkout", "--quiet", "HEAD", "--", path)
    Path(new).parent.mkdir(parents=True, exist_ok=True)
    git("mv", "--force", path, new)
    remove_empty(Path(path).parent)


def merge(mine: bytes, base: bytes, new: Path) -> None:
    """Merge the users' changes of a file into the rendered one, and report a conflict to Git as Copier does."""
    labels = ("-L", "before updating", "-L", "last update", "-L", "after updating")
    with tempfile.TemporaryDirectory() as folder:
        ours, origin = Path(folder, "ours"), Path(folder, "origin")
        ours.write_bytes(mine)
        origin.write_bytes(base)
        stages = [git("hash-object", "-w", "--", str(file)).strip() for file in (origin, ours, new)]
        conflicts = subprocess.run(("git", "merge-file", *labels, ours, origin, new)).returncode
        new.write_bytes(ours.read_bytes())
    if conflicts:
        mode = "100755" if os.access(new, os.X_OK) else "100644"
        lines = [f"{mode} {stage} {number}\t{new.as_posix()}\n" for number, stage in enumerate(stages, 1)]
        git("update-index", "--index-info", text="".join(lines))


if __name__ == "__main__":
    renamed = Move(*sys.argv[1:])
    if os.environ["STAGE"] == "before":
        renamed.before()
    else:
        renamed.after()
