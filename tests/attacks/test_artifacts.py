"""Attacks through the artifacts of another job: the job with a token treats them as data, or rejects them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pipelines import Runner, run_github_job, workflow
from tests.support.repository import examples, render

ARTIFACTS = sorted(Path(__file__).with_name("artifacts").glob("*.yaml"))
NAMES = {"validate": "blast-radius", "promote": "promotion"}
TOOLS = ("git", "gh")
# Output goes into a file. Git prints what the push job expects.
STAND_IN = """#!/bin/sh
printf '%s\\n' "$0" "$@" >> "$HOME/called"
for word; do [ ! -f "$word" ] || cp "$word" "$HOME/sent"; done
case "$*" in *ls-tree*) echo "100644 blob x";; esac
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def repository(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, examples()["stages"], tmp_path_factory.mktemp("artifacts") / "repository")


@pytest.fixture
def runner(repository: Path, tmp_path: Path) -> Runner:
    """A runner with stand-ins for the programs that jobs with a token call."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).write_text(STAND_IN)
        (tmp_path / "bin" / tool).chmod(0o755)
    variables = {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    variables |= {"GITHUB_REPOSITORY": "acme/platform", "GITHUB_SHA": COMMIT, "GITHUB_REF_NAME": "main"}
    values: defaultdict[str, str] = defaultdict(lambda: "value")
    values["github.event.pull_request.head.sha"] = COMMIT
    values["needs.blast-radius.outputs.artifact"] = "blast-radius"
    values["needs.prepare.outputs.artifact"] = "promotion"
    return Runner(repository, tmp_path, variables, values)


def write(folder: Path, attack: dict[str, Any]) -> None:
    """Write the files of an artifact."""
    folder.mkdir(parents=True)
    for name, text in attack.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name, target in attack.get("links", {}).items():
        (folder / name).symlink_to(target)


@pytest.mark.parametrize("file", ARTIFACTS, ids=lambda file: file.stem)
def test_the_job_with_a_token_refuses_it(file: Path, runner: Runner, tmp_path: Path) -> None:
    attack = yaml.safe_load(file.read_text())
    write(runner.artifact(NAMES[attack["workflow"]]), attack)
    result = run_github_job(runner, workflow(runner.repository, attack["workflow"]), attack["job"])
    assert result.returncode == 1, attack["about"]
    assert "The artifact has no file" in result.stdout
    assert not (tmp_path / "called").exists(), attack["about"]


def test_a_comment_names_its_commit_and_is_bounded(runner: Runner, tmp_path: Path) -> None:
    write(runner.artifact("blast-radius"), {"files": {"blast-radius.md": "$(touch stolen)\n`id`\n" + "x" * 1_000_000}})
    assert run_github_job(runner, workflow(runner.repository, "validate"), "comment").returncode == 0
    sent = (tmp_path / "sent").read_text()
    assert sent.startswith(f"Blast radius of commit {COMMIT}:\n\n$(touch stolen)\n`id`\nxxx")
    # GitHub accepts 65,536 characters.
    assert 60_000 < len(sent) < 65_000
    assert not list(tmp_path.rglob("stolen"))


def test_the_text_of_a_request_is_bounded(runner: Runner, tmp_path: Path) -> None:
    texts = {"kustomization.yaml": "a: b\n", "message.txt": "x" * 1_000_000, "description.md": "x" * 1_000_000}
    texts |= {"replaced.txt": ""}
    write(runner.artifact("promotion"), {"files": texts})
    assert run_github_job(runner, workflow(runner.repository, "promote"), "push").returncode == 0
    assert len((tmp_path / "sent").read_text()) == 60_000
    assert len((runner.job_folder("push") / "message.txt").read_text()) == 2000


@pytest.mark.parametrize("replaced", ["HEAD", "refs/heads/main", "0 --force", "$(id)"])
def test_a_push_replaces_a_commit_and_nothing_else(runner: Runner, replaced: str, tmp_path: Path) -> None:
    texts = dict.fromkeys(("kustomization.yaml", "message.txt", "description.md"), "text") | {"replaced.txt": replaced}
    write(runner.artifact("promotion"), {"files": texts})
    result = run_github_job(runner, workflow(runner.repository, "promote"), "push")
    assert result.returncode == 1
    assert "The artifact does not name the commit that it replaces" in result.stdout
    assert not (tmp_path / "called").exists()
