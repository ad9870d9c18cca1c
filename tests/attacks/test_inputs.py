"""Attacks through inputs of the promotion: each is rejected before a tool sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import committed
from tests.support.pipelines import Runner, pipeline, run_github_job, run_gitlab_job, workflow
from tests.support.repository import examples, render

INPUTS = sorted(Path(__file__).with_name("inputs").glob("*.yaml"))
VALID = {"WORKLOAD": "shop", "FROM": "dev", "TO": "staging"}
# A stand-in for each tool records its calls.
TOOLS = ("mise", "uv", "git", "gh", "apt-get")
STAND_IN = '#!/bin/sh\nprintf "%s\\n" "$0" "$@" >> "$HOME/called"\n'


@pytest.fixture(scope="module", params=["github", "gitlab"])
def repository(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a file that a workload's developer made executable."""
    path = tmp_path_factory.mktemp("inputs") / "repository"
    render(template, examples()["stages"] | {"ci": request.param}, path)
    run = path / "apps/workloads/evil/overlays/dev/run.sh"
    run.parent.mkdir(parents=True)
    run.write_text(STAND_IN)
    run.chmod(0o755)
    return committed(path)


def start(repository: Path, folder: Path, inputs: Mapping[str, str]) -> tuple[list[int], str]:
    """Start a promotion, and return the status of each job and the tool calls."""
    for tool in TOOLS:
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / tool).write_text(STAND_IN)
        (folder / "bin" / tool).chmod(0o755)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, check=True, text=True)
    commits = {"GITHUB_SHA": commit.stdout.strip(), "CI_COMMIT_SHA": commit.stdout.strip()}
    branches = {"GITHUB_REF": "refs/heads/main", "CI_COMMIT_BRANCH": "main"}
    variables = {"HOME": str(folder), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    runner = Runner(repository, folder, variables | commits | branches)
    if (repository / ".gitlab-ci.yml").exists():
        runner.environment = {**runner.environment, **inputs}
        content = pipeline(repository)
        statuses = [run_gitlab_job(runner, content, job).returncode for job in ("prepare", "push")]
    else:
        names = {"WORKLOAD": "inputs.workload", "FROM": "inputs.from", "TO": "inputs.to"}
        skips = {"inputs.skip-stages && 'yes' || ''": ""}
        runner.values = {expression: inputs[name] for name, expression in names.items()} | skips
        statuses = [run_github_job(runner, workflow(repository, "promote"), "prepare").returncode]
    called = folder / "called"
    return statuses, called.read_text() if called.exists() else ""


def test_names_reach_the_tools(repository: Path, tmp_path: Path) -> None:
    _, called = start(repository, tmp_path, VALID)
    assert "scripts/promote.py\n--branch\n--\nshop\ndev\nstaging\n" in called


@pytest.mark.parametrize("file", INPUTS, ids=lambda file: file.stem)
def test_no_tool_sees_the_input(repository: Path, file: Path, tmp_path: Path) -> None:
    attack: dict[str, Any] = yaml.safe_load(file.read_text())
    assert attack["inputs"].keys() == VALID.keys()
    statuses, called = start(repository, tmp_path, attack["inputs"])
    assert all(statuses), attack["about"]
    assert called == "", attack["about"]
    assert not list(tmp_path.rglob("stolen")), attack["about"]


def test_no_message_repeats_the_input(repository: Path, tmp_path: Path) -> None:
    if not (repository / ".gitlab-ci.yml").exists():
        values = dict.fromkeys(("inputs.workload", "inputs.from", "inputs.to"), "::add-mask::x")
        runner = Runner(repository, tmp_path, {}, values)
        assert "::" not in run_github_job(runner, workflow(repository, "promote"), "prepare").stdout
