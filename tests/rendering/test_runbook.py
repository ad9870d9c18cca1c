"""A drill types each command of the runbook, or this file lists the reason why none can."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.checkout import committed
from tests.support.pages import blocks, commands
from tests.support.repository import ROOT, Repository

PAGE = "docs/runbook.md"
NO_AWS = "AWS is never touched"
NO_LOGS = "no container runs, so no pod has a log"
NO_NETWORK = "the sandbox has no DNS, no certificates and no load balancer"
# By heading and place below it: why no drill types these commands.
NOT_TYPED = {
    ("Before you type", 0): NO_AWS,
    ("Logs and events", 1): NO_LOGS,
    ("A workload does not answer", 1): NO_NETWORK,
    ("Certificates", 0): NO_NETWORK,
    ("DNS", 0): NO_NETWORK,
    ("The load balancer is missing", 1): NO_AWS,
    ("From AWS Secrets Manager", 1): NO_LOGS,
    ("Argo CD is down, locked or lost", 1): NO_LOGS,
    ("Upgrade Kubernetes", 0): NO_AWS,
    ("Upgrade Kubernetes", 1): NO_AWS,
    ("Upgrade Kubernetes", 2): NO_AWS,
    ("Upgrade Kubernetes", 3): NO_AWS,
}
DRILLS = [*(ROOT / "tests/cluster").glob("test_*.py"), ROOT / "tests/support/cluster/runbook.py"]
TYPED = {
    (heading, int(number))
    for drill in DRILLS
    for heading, number in re.findall(r'\.type\("([^"]+)", (\d+)', drill.read_text())
}


def sections(repository: Repository) -> dict[str, str]:
    """Return the text below each heading of the runbook."""
    _, *parts = re.split(r"^##+ (.+)$", (repository.path / PAGE).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def shown(repository: Repository) -> set[tuple[str, int]]:
    """Return the heading and the place of every block of commands."""
    return {
        (heading, number) for heading, text in sections(repository).items() for number, _ in enumerate(blocks(text))
    }


def test_every_command_is_typed_in_a_drill_or_cannot_be(repository: Repository) -> None:
    neither = shown(repository) - TYPED - NOT_TYPED.keys()
    assert not neither, "type them in tests/cluster, or say in NOT_TYPED why that is impossible"


@pytest.fixture(scope="module")
def everything(repositories: Callable[[str], Repository]) -> set[tuple[str, int]]:
    """All blocks: those with and without the operator for secrets."""
    return shown(repositories("stages")) | shown(repositories("addons"))


def test_no_drill_and_no_reason_is_for_a_command_that_is_gone(everything: set[tuple[str, int]]) -> None:
    assert TYPED - everything == set()
    assert NOT_TYPED.keys() - everything == set()
    assert NOT_TYPED.keys() & TYPED == set()


# Sections without a symptom.
EXPLAINING = {"Before you type", "Logs and events", "Refresh now", "Pause self-heal and resume", "Upgrade Kubernetes"}


def test_every_entry_says_what_to_see_how_to_stop_the_damage_and_how_to_fix_it(stages: Repository) -> None:
    text = (stages.path / PAGE).read_text()
    entries = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    for heading, entry in zip(entries[::2], entries[1::2], strict=True):
        if heading in EXPLAINING or heading == "What to alert on":
            continue
        has_fix = "**Fix**" in entry or "| fix |" in entry or "cause and fix |" in entry
        assert has_fix and ("**See**" in entry or "**Stop the damage**" in entry), heading


def test_commands_are_in_blocks_where_they_can_be_pasted(stages: Repository) -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", (stages.path / PAGE).read_text(), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"`((?:kubectl|aws)[^`]* --[^`]*)`", prose) == []


def test_a_rollback_publishes_the_revert_only_whatever_is_checked_out(stages: Repository, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path / "clone"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "origin").mkdir()
    (tmp_path / "origin/file").write_text("good")
    committed(tmp_path / "origin")
    subprocess.run(["git", "clone", "--quiet", tmp_path / "origin", tmp_path / "clone"], check=True)
    subprocess.run(["git", "-C", tmp_path / "origin", "switch", "--quiet", "--detach"], check=True)
    (tmp_path / "clone/file").write_text("bad")
    git("commit", "--quiet", "--all", "--message", "Bad release")
    git("push", "--quiet", "origin", "main")
    git("switch", "--quiet", "--create", "feature")
    git("commit", "--quiet", "--allow-empty", "--message", "Unreviewed")
    rollback = commands(stages.path / PAGE, "Roll back now")[1].replace("<bad-commit>", "main")
    subprocess.run(["bash", "-c", rollback], cwd=tmp_path / "clone", check=True, capture_output=True)
    assert git("log", "--format=%s", "origin/main").split("\n") == ['Revert "Bad release"', "Bad release", "Render"]
    assert git("show", "origin/main:file") == "good"
