"""The template on Linux, macOS and Windows: stored files, and shell scripts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support import platforms
from tests.support.repository import ROOT

SCRIPTS = [ROOT / ".ci/run", ROOT / "Makefile", *sorted((ROOT / "tools").glob("*.sh"))]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "tools/README.md"]


def git_lists(*options: str) -> list[str]:
    """Return the files of this repository that Git lists."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", *options], check=True, capture_output=True, text=True)
    return listed.stdout.rstrip("\0").split("\0")


def test_every_system_can_store_the_paths() -> None:
    assert list(platforms.problems_of_paths(git_lists(), platforms.LONGEST_PATH)) == []


@pytest.mark.parametrize("path", ["a/aux.md", "a/b:c", "a/b?", "a/b*", "a/b.", "a/b ", "a/B", "a/" + "b" * 180])
def test_a_path_that_not_every_system_can_store_is_named(path: str) -> None:
    assert len(list(platforms.problems_of_paths(["a/b", path], platforms.LONGEST_PATH))) == 1


def test_git_stores_files_only_and_no_links() -> None:
    assert {entry.split()[0] for entry in git_lists("--stage")} == {"100644", "100755"}


def test_a_clone_has_lf_on_every_system() -> None:
    for entry in git_lists("--eol"):
        stored, _, attributes, *_ = entry.split()
        assert stored in ("i/lf", "i/none", "i/-text"), entry
        assert attributes == "attr/text=auto" and " eol=lf" in entry, entry


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_run_on_macos(script: Path) -> None:
    assert platforms.only_on_linux(script.read_text()) == []


@pytest.mark.parametrize("line", ["sed -i s/a/b/ f", "grep -oP a", "readlink -f a", 'a "${b[@]}"', "mapfile -t a"])
def test_what_macos_does_not_run_is_named(line: str) -> None:
    assert platforms.only_on_linux(f"set -e\n{line}\n") == [line]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_commands_run_on_macos(document: Path) -> None:
    for snippet in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        assert platforms.only_on_linux(snippet) == []
