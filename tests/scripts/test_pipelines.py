"""Run the jobs that promote and comment like a runner: in a shell, with Git and mise, and a stand-in for `gh`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import Checkout
from tests.support.forge import branches, clone, git, printed, promote
from tests.support.pipelines import Runner, pipeline, run_github_job, run_gitlab_job, workflow

pytestmark = pytest.mark.proof
BRANCH = "promote/shop/dev/staging"
OVERLAY = "apps/workloads/shop/overlays/staging/kustomization.yaml"
HOSTILE = """import os, pathlib
pathlib.Path(os.environ["HOME"], "stolen").touch()
"""


def propose(runner: Runner, branch: str, files: dict[str, str]) -> None:
    """Push a branch that changes files, with its merge, and make the next jobs belong to its pull request."""
    reader = clone(runner)
    git(reader, "switch", "--quiet", "--create", branch, "origin/main")
    for name, text in files.items():
        (reader / name).write_text(text)
    git(reader, "commit", "--quiet", "--all", "--message", "Propose")
    head = git(reader, "rev-parse", "HEAD")
    git(reader, "switch", "--quiet", "--detach", "origin/main")
    git(reader, "merge", "--quiet", "--no-ff", "--message", "Merge", branch)
    merge = git(reader, "rev-parse", "HEAD")
    git(reader, "push", "--quiet", "origin", f"{head}:refs/heads/{branch}", f"{merge}:refs/pull/1/merge")
    is_gitlab = (reader / ".gitlab-ci.yml").exists()
    commit = {"CI_COMMIT_SHA": head} if is_gitlab else {"GITHUB_SHA": merge}
    request = {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    runner.environment = {**runner.environment, **commit, **request}
    runner.values = {"github.head_ref": branch}


def judge(runner: Runner, job: str) -> subprocess.CompletedProcess[str]:
    """Run a job of a pull request."""
    reader = clone(runner)
    if (reader / ".gitlab-ci.yml").exists():
        return run_gitlab_job(runner, pipeline(reader), job)
    return run_github_job(runner, workflow(reader, "validate"), job)


def released(runner: Runner) -> str:
    """Return the overlay of staging with the images of dev."""
    reader = clone(runner)
    texts = [(reader / OVERLAY.replace("staging", name)).read_text() for name in ("dev", "staging")]
    (new, old) = (re.findall(r"newTag: (\S+)", text) for text in texts)
    assert new != old
    return re.sub(r"newTag: \S+", lambda _: f"newTag: {new.pop(0)}", texts[1])


def test_a_promotion_is_judged_right(runner: Runner) -> None:
    propose(runner, BRANCH, {OVERLAY: released(runner)})
    result = judge(runner, "promotion")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the branch changes nothing else" in result.stdout


@pytest.mark.parametrize("job", ["promotion", "blast-radius"])
def test_a_branch_cannot_change_who_judges_it(runner: Runner, job: str) -> None:
    mise = f"{(clone(runner) / 'mise.toml').read_text()}\n[env]\n_.source = 'scripts/promote.py'\n"
    scripts = {f"scripts/{name}.py": HOSTILE for name in ("promote", "blast_radius")}
    propose(runner, BRANCH, {OVERLAY: released(runner), "mise.toml": mise} | scripts)
    result = judge(runner, job)
    assert not Path(runner.environment["HOME"], "stolen").exists()
    if job == "promotion":
        assert result.returncode == 1
        assert "this one also changes mise.toml, scripts/blast_radius.py" in result.stdout + result.stderr


def test_the_jobs_push_the_branch_and_open_the_request(runner: Runner, environment: dict[str, str]) -> None:
    results = promote(runner, "dev", "staging")
    assert [result.returncode for result in results] == [0, 0], printed(results)
    assert branches(runner) == ["main", BRANCH]
    assert git(runner.repository, "log", "-1", "--format=%s", BRANCH) == "Promote shop from dev to staging"
    assert git(runner.repository, "rev-parse", f"{BRANCH}^") == git(runner.repository, "rev-parse", "main")
    (change,) = git(runner.repository, "diff", "--raw", "main", BRANCH).splitlines()
    assert change.startswith(":100644 100644 ") and change.endswith(f"M\t{OVERLAY}")
    checkout = Checkout(clone(runner), environment)
    checkout.git("fetch", "--quiet", "origin")
    assert checkout.script("promote.py", "--check", BRANCH, "origin/main", f"origin/{BRANCH}").returncode == 0
    request, home = Path(runner.environment["HOME"], "request"), Path(runner.environment["HOME"])
    if request.exists():
        words = request.read_text().splitlines()
        assert words[:8] == ["pr", "create", "--repo", "acme/origin", "--base", "main", "--head", BRANCH]
        assert "2.7.1 → ghcr.io/acme/shop-api:2.8.0-rc.1" in (home / "text").read_text()
    assert not (home / "stolen").exists()


def test_the_jobs_fail_where_the_promotion_is_refused(runner: Runner) -> None:
    results = promote(runner, "dev", "prod")
    assert [result.returncode for result in results] == [1]
    assert "this skips staging" in printed(results)
    assert branches(runner) == ["main"]


def test_the_jobs_open_nothing_where_there_is_nothing_to_promote(runner: Runner) -> None:
    results = promote(runner, "staging", "prod")
    assert not any(result.returncode for result in results), printed(results)
    assert "prod already has the images of staging" in printed(results)
    assert branches(runner) == ["main"]
    assert not Path(runner.environment["HOME"], "request").exists()
