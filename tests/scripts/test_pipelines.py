"""The jobs that promote, run as a runner does: in a shell, with Git and mise, and a stand-in for GitHub's client."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import Checkout, committed
from tests.support.mise import MISE, mise_variables
from tests.support.repository import examples, render

pytestmark = pytest.mark.proof
BRANCH = "promote/shop/dev/staging"
GH = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$HOME/pull-request"
"""


@pytest.fixture(params=["github", "gitlab"])
def clone(request: pytest.FixtureRequest, template: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """A clone as a runner has it, of a repository that takes what is pushed under its real URL."""
    if not MISE.exists():
        pytest.skip("mise comes from npm for Linux on x86-64 only")
    source = committed(render(template, examples()["stages"] | {"ci": request.param}, tmp_path / "source"))
    origin, home = tmp_path / "origin.git", tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/mise").symlink_to(MISE)
    (home / "bin/gh").write_text(GH)
    (home / "bin/gh").chmod(0o755)
    hosts = {"github": "https://x-access-token:secret@github.com/", "gitlab": "https://oauth2:secret@gitlab.com/"}
    (home / ".gitconfig").write_text(
        f'[url "{tmp_path}/"]\n  insteadOf = {hosts[request.param]}acme/\n[safe]\n  directory = *\n'
    )
    for command in (
        ["clone", "--quiet", "--bare", str(source), str(origin)],
        ["-C", str(origin), "config", "receive.advertisePushOptions", "true"],
        ["clone", "--quiet", str(origin), str(tmp_path / "clone")],
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    variables = mise_variables(tmp_path / "clone", home) | {"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    variables["PATH"] = f"{home / 'bin'}:{variables['PATH']}"
    return Checkout(tmp_path / "clone", variables)


def promote(clone: Checkout, source: str, target: str) -> subprocess.CompletedProcess[str]:
    """Run the job that promotes, as its runner does."""
    pipeline = clone.path / ".gitlab-ci.yml"
    if pipeline.exists():
        job = yaml.safe_load(pipeline.read_text())["promote"]
        script = "\n".join(job["script"])
        variables = {"WORKLOAD": "shop", "FROM": source, "TO": target, "PROMOTE_TOKEN": "secret"}
        variables |= {"GITLAB_USER_NAME": "A Person", "GITLAB_USER_EMAIL": "person@example.com"}
        variables |= {"CI_SERVER_HOST": "gitlab.com", "CI_PROJECT_PATH": "acme/origin", "CI_DEFAULT_BRANCH": "main"}
    else:
        workflow: dict[str, Any] = yaml.safe_load((clone.path / ".github/workflows/promote.yaml").read_text())
        assert workflow["defaults"]["run"]["shell"] == "bash"
        (step,) = [step for step in workflow["jobs"]["promote"]["steps"] if "run" in step]
        script = step["run"]
        given = {"WORKLOAD": "shop", "FROM": source, "TO": target, "SKIP": "", "GH_TOKEN": "secret"}
        assert step["env"].keys() == given.keys()
        variables = given | {"GITHUB_ACTOR": "person", "GITHUB_REPOSITORY": "acme/origin"}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=clone.path,
        env=os.environ | clone.environment | variables,
        capture_output=True,
        text=True,
    )


def branches(clone: Checkout) -> list[str]:
    """The branches of the repository that was cloned."""
    found = clone.git("ls-remote", "--heads", "origin").splitlines()
    return [line.partition("refs/heads/")[2] for line in found]


def test_the_job_pushes_the_branch_and_asks_for_its_merge(clone: Checkout) -> None:
    result = promote(clone, "dev", "staging")
    assert result.returncode == 0, result.stdout + result.stderr
    assert branches(clone) == ["main", BRANCH]
    clone.git("fetch", "--quiet", "origin")
    assert clone.git("log", "-1", "--format=%s", f"origin/{BRANCH}") == "Promote shop from dev to staging"
    assert clone.script("promote.py", "--check", BRANCH, "main", f"origin/{BRANCH}").returncode == 0
    asked = Path(clone.environment["HOME"]) / "pull-request"
    if asked.exists():
        words = asked.read_text().splitlines()
        assert words[:6] == ["pr", "create", "--head", BRANCH, "--title", "Promote shop from dev to staging"]
        assert "2.7.1 → ghcr.io/acme/shop-api:2.8.0-rc.1" in (clone.path / words[-1]).read_text()
    else:
        assert (clone.path / ".gitlab-ci.yml").exists()


def test_the_job_fails_where_the_promotion_is_refused(clone: Checkout) -> None:
    result = promote(clone, "dev", "prod")
    assert result.returncode != 0
    assert "this skips staging" in result.stdout + result.stderr
    assert branches(clone) == ["main"]


def test_the_job_asks_for_nothing_where_there_is_nothing_to_promote(clone: Checkout) -> None:
    result = promote(clone, "staging", "prod")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "prod already has the images of staging" in result.stdout
    assert branches(clone) == ["main"]
