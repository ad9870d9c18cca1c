"""Edit many files at random like users, and compute the expected result of each edit after an update."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from random import Random

from tests.support.updates.repository import ANSWERS_FILE, Files, Repository, differences, seeds
from tests.support.updates.template_changes import OVERLAYS, PLATFORM

Place = Callable[[str], str]


def same_place(file: str) -> str:
    return file


def moved_place(file: str) -> str:
    """Return the path of a file in the version that renames directories."""
    for old, new in (OVERLAYS, PLATFORM):
        pattern = re.escape(old).replace(r"\*", "([^/]+)") + "/"
        file = re.sub(f"^{pattern}", new.replace("*", r"\1") + "/", file)
    return file


def lines_apart(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the numbers of lines that both versions have, at least one such line away from any difference."""
    found = []
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        first = 0 if block.a == block.b == 0 else 1
        at_the_end = block.a + block.size == len(old) and block.b + block.size == len(new)
        found += [(block.a + n, block.b + n) for n in range(first, block.size - (0 if at_the_end else 1))]
    return found


def lines_replaced(old: list[str], new: list[str]) -> list[int]:
    """Return the numbers of lines that the new version replaces."""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [number for code, first, last, _, _ in codes if code == "replace" for number in range(first, last)]


@dataclass
class Edits:
    """The expected files after an update, and the lines of both sides where a conflict is expected."""

    expected: Files
    conflicts: dict[str, set[bytes]] = field(default_factory=dict)

    def broken(self, repository: Repository) -> set[str]:
        """Return the files that differ from what is expected. A conflict must have the lines of both sides."""
        files, conflicts = repository.files(), repository.conflicts()
        merged = self.expected.keys() - self.conflicts.keys()
        torn = {file for file in conflicts & self.conflicts.keys() if not lines_of(files[file]) >= self.conflicts[file]}
        wrong = differences(files, self.expected) - {ANSWERS_FILE} - self.conflicts.keys()
        return wrong | torn | (conflicts & merged) | (self.conflicts.keys() - conflicts)


def lines_of(text: bytes) -> set[bytes]:
    return set(text.splitlines(keepends=True))


def live_in(repository: Repository, new: Files, place: Place, random: Random, steps: bool = False) -> Edits:
    """Edit, delete and add files, and commit that.

    Args:
        new: The files of a fresh copy of the newer version.
        place: Returns the path of a file in the newer version.
        steps: Whether the update goes through versions in between. Edits that could conflict there are left out.
    """
    old = repository.files()
    edits = Edits({file: text for file, text in new.items() if file != ANSWERS_FILE})
    for file in old.keys() - {ANSWERS_FILE}:
        path, successor = repository.path / file, place(file)
        if file in seeds(old):
            # A deleted one comes back.
            if not steps and random.random() < 0.5:
                path.unlink()
            else:
                edits.expected[successor] = b"tuned: by people\n"
                path.write_bytes(edits.expected[successor])
        elif successor in new:
            mine, theirs = (text.splitlines(keepends=True) for text in (old[file].decode(), new[successor].decode()))
            apart, replaced = lines_apart(mine, theirs), lines_replaced(mine, theirs)
            fate = random.choice(["delete"] + ["edit apart"] * 5 * bool(apart) + ["edit the same"] * 5 * bool(replaced))
            if fate == "delete":
                path.unlink()
                del edits.expected[successor]
            elif fate == "edit apart":
                number, their_number = random.choice(apart)
                theirs[their_number] = mine[number] = f"{mine[number].rstrip()} By people.\n"
                edits.expected[successor] = "".join(theirs).encode()
                path.write_text("".join(mine))
            elif not steps:
                number = random.choice(replaced)
                mine[number] = f"{mine[number].rstrip()} By people.\n"
                edits.conflicts[successor] = {line.encode() for line in (mine[number], *theirs)}
                path.write_text("".join(mine))
    for folder in repository.folders():
        file = f"{folder}/people's own.txt"
        repository.write(file)
        edits.expected[place(file)] = b"made by hand\n"
    if not steps:
        for file in new.keys() - {place(file) for file in old}:
            repository.write(file)
            edits.conflicts[file] = {b"made by hand\n"} | lines_of(new[file])
    repository.commit()
    return edits
