"""The locks of rendered repositories, and the release check that they are complete."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools import locks

SUM = "sha256:" + "0" * 64
MISE_TOML = """[tools]
helm = "4.3.1"

[settings]
lockfile_platforms = ["linux-x64", "macos-arm64"]
"""
MISE_LOCK = f"""[[tools.helm]]
version = "4.3.1"
backend = "aqua:helm/helm"

[tools.helm."platforms.linux-x64"]
checksum = "{SUM}"
url = "https://get.helm.sh/helm-v4.3.1-linux-amd64.tar.gz"

[tools.helm."platforms.macos-arm64"]
checksum = "{SUM}"
url = "https://get.helm.sh/helm-v4.3.1-darwin-arm64.tar.gz"
"""


def test_every_script_has_a_complete_lock() -> None:
    scripts = {script.name for script in (ROOT / "template/scripts").glob("*.py")}
    assert {"blast_radius.py", "promote.py", "validate.py"} <= scripts
    assert list(locks.script_problems(ROOT / "template/scripts")) == []


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with one script and its lock."""
    for file in ("promote.py", "promote.py.lock"):
        shutil.copy(ROOT / "template/scripts" / file, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("promote.py", "pyyaml==6.0.3", "pyyaml", "promote.py: pin pyyaml with =="),
        ("promote.py", "pyyaml==6.0.3", "pyyaml==6.0.2", "promote.py.lock is of another header of promote.py"),
        ("promote.py", '">=3.11"', '">=3.12"', "promote.py.lock is of another header of promote.py"),
        ("promote.py.lock", "pypi.org/simple", "mirror.test/simple", "does not come from https://pypi.org/simple"),
        (
            "promote.py.lock",
            "files.pythonhosted.org",
            "files.mirror.test",
            "is not below https://files.pythonhosted.org",
        ),
        ("promote.py.lock", 'hash = "sha256:', 'other = "sha256:', "has no checksum"),
        ("promote.py.lock", 'hash = "sha256:', 'hash = "md5:', "has no checksum"),
    ],
)
def test_a_lock_that_does_not_fit_is_named(scripts: Path, file: str, old: str, new: str, problem: str) -> None:
    assert list(locks.script_problems(scripts)) == []
    text = (scripts / file).read_text()
    assert old in text
    (scripts / file).write_text(text.replace(old, new, 1))
    assert problem in "\n".join(locks.script_problems(scripts))


def test_a_missing_lock_is_named(scripts: Path) -> None:
    (scripts / "promote.py.lock").unlink()
    assert list(locks.script_problems(scripts)) == ["promote.py.lock is missing: run make locks"]


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("", "", []),
        ('"4.3.1"', '"4.3.0"', ["mise.lock does not have exactly helm 4.3.1: run make locks"]),
        ("platforms.macos-arm64", "platforms.macos-x64", ["mise.lock has no checksum of helm 4.3.1 for macos-arm64"]),
        (SUM, "", ["mise.lock has no checksum of helm 4.3.1 for linux-x64"]),
        ("https://", "http://", ["mise.lock has no checksum of helm 4.3.1 for linux-x64"]),
        ("tools.helm", "tools.other", ["mise.lock does not have exactly helm 4.3.1: run make locks"]),
    ],
)
def test_a_tool_without_a_checksum_is_named(tmp_path: Path, old: str, new: str, problems: list[str]) -> None:
    (tmp_path / "mise.toml").write_text(MISE_TOML)
    changed = MISE_LOCK.replace(old, new) if old.startswith("tools.") else MISE_LOCK.replace(old, new, 1)
    (tmp_path / "mise.lock").write_text(changed)
    assert list(locks.tool_problems(tmp_path)) == problems


def test_only_the_lock_of_the_tools_may_be_missing_before_a_release(
    record_property: Callable[[str, object], None],
) -> None:
    problems = list(locks.tool_problems(ROOT / "template"))
    # It is created on a machine with access to GitHub. An existing lock is complete.
    assert problems in ([], ["mise.lock is missing: run make locks on a machine that reaches GitHub"])
    record_property("measured", problems[0] if problems else "mise.lock is complete")


def test_a_release_needs_every_lock() -> None:
    commands = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "release", "VERSION=1.0.0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    check = next(number for number, command in enumerate(commands) if "tools.locks --check" in command)
    assert check < next(number for number, command in enumerate(commands) if "release.sh tag" in command)
