"""A killed update can be undone and repeated."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from copier.errors import UserMessageError

from tests.support.repository import examples
from tests.support.updates.repository import Render, Repository

pytestmark = pytest.mark.proof

EXAMPLES = examples()

MINIMAL = EXAMPLES["minimal"]
OVERLAY = "apps/workloads/whoami/overlays/dev/kustomization.yaml"

# Precedes Git in the PATH: kills all processes of the update at its nth call.
GIT = """#!/bin/sh
echo "$*" >> "$CALLS"
[ "$(wc -l < "$CALLS")" -eq "$LAST" ] && kill -s KILL 0
exec {git} "$@"
"""

Update = Callable[..., list[str]]


@pytest.fixture
def update(tmp_path: Path) -> Update:
    """Update like a user, and return the calls of Git. If a number is set, kill the update at that call."""
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin/git"
    shim.write_text(GIT.format(git=shutil.which("git")))
    shim.chmod(0o755)

    def run(repository: Repository, tag: str, last: int = 0) -> list[str]:
        calls = tmp_path / "calls"
        calls.write_text("")
        (tmp_path / "temporary").mkdir(exist_ok=True)
        own = {"CALLS": str(calls), "LAST": str(last), "TMPDIR": str(tmp_path / "temporary")}
        own["PATH"] = f"{shim.parent}:{os.environ['PATH']}"
        command = [sys.executable, "-m", "copier", "update", "--quiet", "--defaults", "--trust", "--vcs-ref", tag]
        process = subprocess.run(
            command, cwd=repository.path, env=os.environ | own, start_new_session=True, capture_output=True
        )
        assert (process.returncode == 0) == (last == 0), process.stderr
        return calls.read_text().splitlines()

    return run


def points(calls: list[str]) -> dict[str, int]:
    """Return the numbers of calls at which each phase of the update starts or runs."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for number, call in enumerate(calls, 1):
        name = re.sub(r"^-c \S+ ", "", call).split()[0]
        first.setdefault(name, number)
        last[name] = number
    tree, apply = first["write-tree"], first["apply"]
    return {
        "the migration looks around": first["ls-files"],
        "the project is rendered": tree + (apply - tree) // 3,
        "the diff is applied": apply,
        "a conflict is recorded": first["update-index"],
        "the migration moves a file": first["mv"],
        "the migration merges a file": last["merge-file"],
    }


def test_a_killed_update_is_undone_by_git_and_can_be_repeated(
    update: Update, moved_version: str, render: Render, tmp_path: Path
) -> None:
    """Kill it repeatedly, each time a little later, in the same repository."""
    repository = render(MINIMAL)
    repository.replace(OVERLAY, "newTag: v1.11.0", "newTag: v1.12.0")
    repository.write(OVERLAY.replace("kustomization", "own"))
    repository.write("README.md", "By people: " + repository.text("README.md"))
    repository.commit()
    before = repository.files()
    whole = repository.clone(tmp_path / "whole")
    calls = update(whole, moved_version)
    assert whole.conflicts() == {"README.md"}

    dirty = {}
    for point, number in points(calls).items():
        update(repository, moved_version, number)
        dirty[point] = bool(repository.changed())
        if dirty[point]:
            with pytest.raises(UserMessageError, match="dirty"):
                repository.update(moved_version, trust=True)
        repository.undo()
        assert repository.files() == before, point
    assert list(dirty.values()) == [False] + [True] * 5, dirty

    assert update(repository, moved_version) and repository.files() == whole.files()
