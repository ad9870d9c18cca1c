"""The command that lists outdated pins of actions, against a local Git server."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tools import outdated


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Publish an action in two versions, one tag annotated, and return their commits."""
    action = tmp_path / "github.com/acme/setup"
    action.mkdir(parents=True)

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(action), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    commits = {}
    for version, options in {"v1.9.0": [], "v1.10.0": ["--annotate", "--message", "1.10"]}.items():
        git("commit", "--quiet", "--allow-empty", "--message", version)
        git("tag", *options, version)
        commits[version] = git("rev-parse", "HEAD")
    git("tag", "v1")
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "file://{tmp_path}/github.com/"]\n  insteadOf = https://github.com/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    return commits


def pin(root: Path, commit: str, version: str) -> None:
    """Write a workflow that uses the action."""
    workflow = root / "template/.github/workflows/validate.yaml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.write_text(f"steps:\n  - uses: acme/setup@{commit} # {version}\n")


def test_a_current_pin_is_no_problem(releases: dict[str, str], tmp_path: Path) -> None:
    pin(tmp_path, releases["v1.10.0"], "v1.10.0")
    assert outdated.problems(tmp_path) == []


def test_an_old_pin_is_named_with_the_current_version(releases: dict[str, str], tmp_path: Path) -> None:
    pin(tmp_path, releases["v1.9.0"], "v1.9.0")
    assert outdated.problems(tmp_path) == [f"acme/setup: v1.9.0 is pinned, v1.10.0 is current ({releases['v1.10.0']})"]


def test_a_commit_that_is_not_the_version_is_named(releases: dict[str, str], tmp_path: Path) -> None:
    pin(tmp_path, releases["v1.9.0"], "v1.10.0")
    assert outdated.problems(tmp_path) == [f"acme/setup: {releases['v1.9.0']} is not v1.10.0"]


def test_tools_are_compared_with_their_tags(
    releases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outdated, "REPOSITORIES", dict.fromkeys(("old", "current", "unknown"), "acme/setup"))
    (tmp_path / "template").mkdir()
    (tmp_path / outdated.MISE).write_text('[tools]\nold = "1.9.0"\ncurrent = "1.10.0"\nunknown = "2.0.0"\n')
    assert outdated.tool_problems(tmp_path) == [
        "old: 1.9.0 is pinned, 1.10.0 is current",
        "unknown: 2.0.0 is not a version of acme/setup",
    ]


def test_each_tool_has_a_repository() -> None:
    tools = tomllib.loads((outdated.ROOT / outdated.MISE).read_text())["tools"]
    assert outdated.REPOSITORIES.keys() == tools.keys()


def test_the_pins_of_this_repository_are_all_read() -> None:
    workflows = [file for folder in outdated.WORKFLOWS for file in (outdated.ROOT / folder).glob("*.yaml*")]
    lines = [line for file in workflows for line in file.read_text().splitlines() if "uses: " in line]
    assert lines
    assert [line for line in lines if not outdated.PIN.search(line)] == []
