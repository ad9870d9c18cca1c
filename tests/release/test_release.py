"""The release script checks a version before it tags it, and creates the text of its GitHub release."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.repository import ROOT

CHANGELOG = """# Changelog

## [Unreleased]

- Not yet.

## [1.10.0] - 2026-03-02

### Added

- A newer thing.

## [1.1.0] - 2026-02-01

- An older thing.

## [1.0.0] - 2026-01-01
"""
NOTES = "### Added\n\n- A newer thing.\n"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(("git", "-C", folder, *arguments), check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A committed repository with the release script and a changelog."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/release.sh", tmp_path / "tools")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "UPGRADING.md").write_text("# Upgrading\n\n## 1.0.0\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Release")
    return tmp_path


def release(clone: Path, action: str, version: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((clone / "tools/release.sh", action, version), capture_output=True, text=True)


def test_notes_are_the_section_of_the_version(clone: Path) -> None:
    assert release(clone, "notes", "1.10.0").stdout == NOTES
    assert release(clone, "notes", "1.1.0").stdout == "- An older thing.\n"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("1.2.0", "CHANGELOG.md has no section '## [1.2.0] - <date>'"),
        ("1.0.0", "or nothing in it"),
        ("1x1.0", "name a version like 1.2.3"),
        ("Unreleased", "name a version like 1.2.3"),
    ],
)
def test_a_version_without_notes_is_refused(clone: Path, version: str, message: str) -> None:
    result = release(clone, "notes", version)
    assert result.returncode == 1 and result.stdout == ""
    assert message in result.stderr


def test_a_version_is_tagged_once_and_never_an_older_one(clone: Path) -> None:
    assert release(clone, "tag", "1.10.0").returncode == 0
    assert git(clone, "tag", "--list") == "v1.10.0\n"
    assert "v1.10.0 is tagged already" in release(clone, "check", "1.10.0").stderr
    assert "v1.10.0 is newer than v1.1.0" in release(clone, "tag", "1.1.0").stderr


def test_a_version_needs_a_clean_tree_and_its_headings(clone: Path) -> None:
    assert release(clone, "check", "1.0.0").returncode == 0
    assert "CHANGELOG.md has no heading '## [2.0.0] - " in release(clone, "check", "2.0.0").stderr
    (clone / "CHANGELOG.md").write_text(CHANGELOG.replace("[1.10.0]", "[2.0.0]"))
    assert "the working tree has changes" in release(clone, "check", "2.0.0").stderr
    git(clone, "commit", "--quiet", "--all", "--message=Release 2.0.0")
    assert "UPGRADING.md has no heading '## 2.0.0'" in release(clone, "check", "2.0.0").stderr


def test_the_workflow_makes_a_release_of_the_tag_with_its_notes(clone: Path, tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    (script,) = [step["run"] for step in workflow["jobs"]["release"]["steps"] if "run" in step]
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\necho "$@"\nfor last; do :; done\ncat "$last"\n')
    gh.chmod(0o755)
    path = f"{gh.parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GITHUB_REF_NAME": "v1.10.0", "RUNNER_TEMP": str(tmp_path)}
    result = subprocess.run(("bash", "-ec", script), cwd=clone, env=environment, capture_output=True, text=True)
    command, _, notes = result.stdout.partition("\n")
    assert command.startswith("release create v1.10.0 --verify-tag ")
    assert notes == NOTES
