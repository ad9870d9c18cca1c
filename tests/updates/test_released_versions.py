"""Update from every released version to the working tree."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.guards import compared
from tests.support.repository import ROOT, snapshot
from tests.support.updates.repository import Repository, differences, seeds
from tests.support.updates.versions import PARTS, Versions, unpack

pytestmark = [pytest.mark.proof, pytest.mark.usefixtures("downloads")]

NEXT = "v9999.0.0"


def released() -> list[str]:
    """Return the tags of this repository; none if it is not a Git repository."""
    command = ["git", "-C", str(ROOT), "tag", "--list", "v*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.split() if (ROOT / ".git").exists() else []


NONE = pytest.mark.skip(
    f"there is no {'tag v*' if (ROOT / '.git').exists() else '.git'} in {ROOT}: no update from a released version to "
    "this one was checked"
)


def become_the_working_tree(template: Path) -> None:
    for part in PARTS:
        path = template / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    snapshot(template)


@pytest.mark.parametrize("tag", released() or [pytest.param("", id="none", marks=NONE)])
def test_an_untouched_repository_becomes_what_a_fresh_copy_is(tag: str, tmp_path: Path) -> None:
    unpack(tag, tmp_path, "examples")
    versions = Versions.start(tmp_path / "template", lambda folder: unpack(tag, folder, *PARTS), tag)
    versions.release("now", become_the_working_tree, after=tag, tag=NEXT)
    migrates = "_migrations" in yaml.safe_load((ROOT / "copier.yml").read_text())
    for example in sorted((tmp_path / "examples").glob("*.yaml")):
        answers = yaml.safe_load(example.read_text())
        repository = Repository.copy(versions, tmp_path / example.stem, answers, tag)
        original = Path(shutil.copytree(repository.path, tmp_path / f"{example.stem}-original"))
        repository.update(NEXT, trust=migrates)
        assert [notice.text for notice in compared(original, repository.path) if notice.is_serious] == []
        files = repository.files()
        fresh = Repository.copy(versions, tmp_path / f"{example.stem}-fresh", repository.answers(), NEXT).files()
        assert differences(files, fresh) <= seeds(files)
