"""Queues, trains, pushes and branches other than main start the jobs, which compare the right commits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout
from tests.support.forge import branches, clone, git, printed, promote, runner_of, serve
from tests.support.mise import need_mise
from tests.support.pipelines import Runner, pipeline, run_github_job, run_gitlab_job, workflow
from tests.support.repository import render

DEV, STAGING = (f"apps/workloads/shop/overlays/{name}/kustomization.yaml" for name in ("dev", "staging"))
BRANCH = "promote/shop/dev/staging"
FOLLOWED = "release/1.x"


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_followed_branch_is_checked_when_it_is_pushed(
    ci: str, template: Path, stages: dict[str, Any], tmp_path: Path
) -> None:
    path = render(template, stages | {"ci": ci, "target_revision": FOLLOWED}, tmp_path / "repository")
    if ci == "github":
        content = workflow(path, "validate")
        # YAML 1.1 reads `on` as a boolean.
        assert content[True] == {"pull_request": None, "merge_group": None, "push": {"branches": [FOLLOWED]}}  # type: ignore[index]
        assert "if" not in content["jobs"]["validate"]
        assert content["jobs"]["blast-radius"]["if"] == "github.event_name != 'push'"
        # Entries of a queue and pushes have no number: none of them cancels another.
        assert content["concurrency"]["group"] == "validate-${{ github.event.pull_request.number || github.sha }}"
    else:
        content = pipeline(path)
        rule = f'$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "{FOLLOWED}"'
        assert {"if": rule} in content["workflow"]["rules"]
        assert {"if": '$CI_PIPELINE_SOURCE == "push"'} in content["validate"]["rules"]


@pytest.mark.proof
@pytest.mark.parametrize("origin", ["github"], indirect=True)
def test_the_first_push_is_checked_and_clean(runner: Runner, environment: dict[str, str]) -> None:
    head = git(runner.repository, "rev-parse", "main")
    uv = runner.folder / "bin/uv"
    uv.parent.mkdir()
    # The packages are already installed.
    uv.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    uv.chmod(0o755)
    path = f"{uv.parent}:{environment['PATH']}:{runner.environment['PATH']}"
    runner.environment = {**runner.environment, **environment, "GITHUB_SHA": head, "PATH": path}
    result = run_github_job(runner, workflow(clone(runner), "validate"), "validate")
    lines = result.stdout.splitlines()
    assert result.returncode == 0, printed([result])
    assert len([line for line in lines if line.startswith("ok ")]) > 10
    assert not [line for line in lines if line.startswith("FAIL")]


def commit(reader: Checkout, file: str, old: str, new: str) -> str:
    reader.replace(file, old, new)
    return reader.commit()


@pytest.fixture
def reader(runner: Runner, environment: dict[str, str]) -> Checkout:
    """Return a clone of the repository whose jobs run."""
    return Checkout(clone(runner), environment)


@pytest.mark.proof
@pytest.mark.parametrize("origin", ["github"], indirect=True)
def test_an_entry_of_a_merge_queue_is_compared_with_what_is_below_it(runner: Runner, reader: Checkout) -> None:
    reader.git("switch", "--quiet", "--detach", "origin/main")
    below = commit(reader, STAGING, "name: api\n    count: 2", "name: api\n    count: 3")
    # An entry of two commits, as a queue that rebases has it.
    commit(reader, DEV, "2.8.0-rc.1", "2.9.0")
    reader.write("docs/more.md", "More.\n")
    entry = reader.commit()
    reader.git("push", "--quiet", "origin", f"{entry}:refs/heads/gh-readonly-queue/main/pr-2")
    runner.environment = {**runner.environment, "GITHUB_SHA": entry}
    runner.values = {"github.event.merge_group.base_sha": below}
    for job in ("validate", "blast-radius"):
        definition = workflow(reader.path, "validate")["jobs"][job]
        assert "pull_request" not in definition.get("if", "")
    result = run_github_job(runner, workflow(reader.path, "validate"), "blast-radius")
    report = (runner.artifact("blast-radius") / "blast-radius.md").read_text()
    assert "shop-dev" in report, printed([result])
    assert "shop-staging" not in report


@pytest.mark.proof
@pytest.mark.parametrize("origin", ["gitlab"], indirect=True)
def test_a_request_in_a_merge_train_is_compared_with_those_before_it(runner: Runner, reader: Checkout) -> None:
    reader.git("switch", "--quiet", "--detach", "origin/main")
    reader.write("docs/before.md", "Before.\n")
    before = reader.commit()
    reader.git("switch", "--quiet", "--detach", "origin/main")
    assert reader.script("promote.py", "shop", "dev", "staging", "--branch").returncode == 0
    reader.git("switch", "--quiet", "--detach", before)
    reader.git("merge", "--quiet", "--no-ff", "--message", "Merge", BRANCH)
    train = reader.git("rev-parse", "HEAD")
    reader.git("push", "--quiet", "origin", f"{train}:refs/merge-requests/2/train")
    variables = {
        "CI_COMMIT_SHA": train,
        "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": BRANCH,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    runner.environment = {**runner.environment, **variables}
    result = run_gitlab_job(runner, pipeline(reader.path), "promotion")
    assert result.returncode == 0, printed([result])
    assert "the branch changes nothing else" in result.stdout


@pytest.mark.proof
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_promotion_targets_what_argo_cd_follows(
    ci: str, template: Path, stages: dict[str, Any], tmp_path: Path
) -> None:
    need_mise()
    runner = runner_of(serve(template, stages | {"ci": ci, "target_revision": FOLLOWED}, tmp_path), tmp_path)
    git(runner.repository, "branch", FOLLOWED, "main")
    results = promote(runner, "dev", "staging", branch="main")
    assert results[0].returncode == 1
    assert f"the branch {FOLLOWED}, which Argo CD follows" in printed(results)
    assert branches(runner) == ["main", FOLLOWED]
    writer = Checkout(clone(runner), {})
    writer.git("switch", "--quiet", FOLLOWED)
    commit(writer, DEV, "2.8.0-rc.1", "2.9.0")
    writer.git("push", "--quiet", "origin", FOLLOWED)
    results = promote(runner, "dev", "staging", branch=FOLLOWED)
    assert [result.returncode for result in results] == [0, 0], printed(results)
    assert git(runner.repository, "rev-parse", f"{BRANCH}^") == git(runner.repository, "rev-parse", FOLLOWED)
    assert 'newTag: "2.9.0"' in git(runner.repository, "show", f"{BRANCH}:{STAGING}")
    if (request := Path(runner.environment["HOME"]) / "request").exists():
        words = request.read_text().splitlines()
        assert words[words.index("--base") + 1] == FOLLOWED
