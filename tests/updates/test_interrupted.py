"""An update that is killed halfway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from copier.errors import UserMessageError

from tests.updates.conftest import EXAMPLES, Render
from tests.updates.repository import Repository, differences, seeds
from tests.updates.versions import Versions


def kill_when_it_writes(file: str, repository: Repository, tag: str, temporary: Path) -> None:
    """Starts an update as a person does, and kills it when a certain new file is there."""
    command = [sys.executable, "-m", "copier", "update", "--quiet", "--defaults", "--vcs-ref", tag]
    with subprocess.Popen(command, cwd=repository.path, env=os.environ | {"TMPDIR": str(temporary)}) as update:
        while not (repository.path / file).exists() and update.poll() is None:
            time.sleep(0.005)
        update.kill()


def test_a_killed_update_is_undone_by_git_and_can_be_repeated(
    render: Render, next_version: str, versions: Versions, tmp_path: Path
) -> None:
    repository = render(EXAMPLES["minimal"])
    before = repository.files()
    kill_when_it_writes("docs/new.md", repository, next_version, tmp_path)
    assert repository.changed()
    with pytest.raises(UserMessageError, match="dirty"):
        repository.update(next_version)
    repository.undo()
    assert repository.files() == before

    repository.update(next_version)
    fresh = Repository.copy(versions, tmp_path / "fresh", EXAMPLES["minimal"], next_version).files()
    assert differences(repository.files(), fresh) == seeds(fresh)
