"""The tasks that render, run by the real mise: update, answers and add-workload."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.support.mise import MISE, mise_variables
from tests.support.repository import examples
from tests.support.updates.repository import ANSWERS_FILE, Render, Repository

pytestmark = pytest.mark.proof
INVENTORY = "docs/inventory.md"
DRAFT = "answers.yml"
Task = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(render: Render) -> Repository:
    return render(examples()["minimal"])


@pytest.fixture
def variables(repository: Repository, home: Path) -> dict[str, str]:
    return dict(os.environ) | mise_variables(repository.path, home) | {"COLUMNS": "80"}


@pytest.fixture
def task(repository: Repository, variables: dict[str, str]) -> Task:
    """Run a task with a sed script as the editor."""

    def run(*words: str, sed: str = "") -> subprocess.CompletedProcess[str]:
        variables["EDITOR"] = f"sed -i.old '{sed}'"
        command: list[str | Path] = [MISE, "run", "--quiet", *words]
        result = subprocess.run(command, cwd=repository.path, env=variables, capture_output=True, text=True)
        assert "Traceback" not in result.stderr, result.stderr
        return result

    return run


def test_a_workload_is_added_by_five_replies(repository: Repository, variables: dict[str, str]) -> None:
    terminal = pexpect.spawn(
        str(MISE), ["run", "--quiet", "add-workload"], cwd=str(repository.path), env=variables, encoding="utf-8",
        timeout=300, dimensions=(24, 80), echo=False,
    )  # fmt: skip
    for prompt, reply in (
        ("Name: ", "whoami"),
        ("whoami exists: choose another name", "Pay"),
        ("Pay is not a workload name", "pay"),
        ("Image with its tag or digest: ", "ghcr.io/acme/pay"),
        ("has no tag: write a whole version", "ghcr.io/acme/pay:1.0.0"),
        ("Port that the container listens on, or none [none]: ", "8080"),
        ("or none [pay]: ", ""),
        ("HTTP path that returns 200 when it is healthy, or none [none]: ", "/healthz"),
    ):
        terminal.expect_exact(prompt)
        terminal.sendline(reply)
    terminal.expect_exact("new files: apps/workloads/pay/")
    terminal.expect_exact("pay in dev: namespace pay-dev, host https://pay.dev.example.com")
    terminal.expect(r"Blast radius: .*1 is new")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    added = {"name": "pay", "image": "ghcr.io/acme/pay:1.0.0", "port": 8080, "health": "/healthz"}
    assert repository.answers()["workloads"] == [*examples()["minimal"]["workloads"], added]
    others = {file for file in repository.changed() if not file.startswith("apps/workloads/pay/")}
    assert others == {ANSWERS_FILE, INVENTORY, "apps/platform/policies/base/hosts.yaml"}
    assert not (repository.path / DRAFT).exists()


def test_answers_are_edited_and_a_refused_edit_is_kept(repository: Repository, task: Task) -> None:
    result = task("answers", sed="s/^domain: .*/domain: example_com/")
    assert result.returncode == 1
    assert "example_com" in result.stdout + result.stderr
    assert "Correct and apply them: mise run answers." in result.stderr
    assert repository.changed() == set()
    assert "domain: example_com\n" in repository.text(DRAFT)
    result = task("answers", sed="s/^domain: .*/domain: example.dev/")
    assert result.returncode == 0, result.stderr
    assert f"Continuing with {DRAFT}" in result.stdout
    assert f" {INVENTORY} " in result.stdout
    # A workload gets another host.
    assert "Blast radius: " in result.stdout and " change" in result.stdout
    assert repository.answers()["domain"] == "example.dev"
    assert "whoami.dev.example.dev" in repository.text(INVENTORY)
    assert not (repository.path / DRAFT).exists()


def test_an_update_names_the_files_with_conflicts_and_what_to_run(
    repository: Repository, next_version: str, task: Task
) -> None:
    line = next(line for line in repository.text("docs/images.md").splitlines() if line.startswith("# "))
    repository.write("docs/images.md", repository.text("docs/images.md").replace(line, f"{line}, mine"))
    repository.commit()
    result = task("update", next_version)
    assert repository.yaml(ANSWERS_FILE)["_commit"] == next_version
    assert repository.conflicts()
    assert result.returncode == 1
    listed = result.stdout.partition("\nConflicts in ")[2].splitlines()
    assert {line.strip() for line in listed if line.startswith("  ")} == repository.conflicts()
    assert "Next: mise run validate, then mise run blast-radius." in result.stdout


def test_an_update_passes_options_on_and_may_change_nothing(repository: Repository, task: Task) -> None:
    result = task("update", "--no-such-option")
    assert result.returncode == 1 and "Unknown switch --no-such-option" in result.stdout + result.stderr
    result = task("update", "v9.9.9")
    assert result.returncode == 1 and "\nNothing was changed: see the message above.\n" in result.stderr
    assert "ValueError: Unknown revision: 'v9.9.9'\n" in result.stderr
    result = task("update", repository.yaml(ANSWERS_FILE)["_commit"], "--skip-tasks")
    assert result.returncode == 0 and "No file changed." in result.stdout
    assert repository.changed() == set()
