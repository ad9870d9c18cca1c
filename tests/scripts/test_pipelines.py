"""The jobs that promote and comment, run as a runner does: in a shell, with Git and mise, and a stand-in for `gh`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import Checkout, committed
from tests.support.mise import MISE, mise_variables
from tests.support.pipelines import Runner, pipeline, run_github_job, run_gitlab_job, workflow
from tests.support.repository import examples, render

pytestmark = pytest.mark.proof
BRANCH = "promote/shop/dev/staging"
OVERLAY = "apps/workloads/shop/overlays/staging/kustomization.yaml"
GH = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$HOME/request"
for word; do [ ! -f "$word" ] || cp "$word" "$HOME/text"; done
"""
# A token that reaches a file of the repository ends in a file beside it.
SPY = """
import os as _os, pathlib as _pathlib
_tokens = [name for name, value in _os.environ.items() if "token-of-" in value]
_pathlib.Path(_os.environ["HOME"], "stolen").write_text(" ".join(_tokens)) if _tokens else None
"""


@pytest.fixture(params=["github", "gitlab"])
def origin(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Path:
    """Render a repository with scripts that look for a token, and return it as its server has it."""
    source = render(template, examples()["stages"] | {"ci": request.param}, tmp_path / "source")
    for file in source.glob("scripts/*.py"):
        head, future, rest = file.read_text().partition("from __future__ import annotations\n")
        file.write_text(head + future + SPY + rest)
    path = tmp_path / "server/acme/origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", committed(source), path], check=True, capture_output=True)
    for name in ("receive.advertisePushOptions", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", path, "config", name, "true"], check=True)
    return path


@pytest.fixture
def runner(origin: Path, tmp_path: Path) -> Runner:
    """A runner whose forge is a folder of this machine."""
    if not MISE.exists():
        pytest.skip("mise comes from npm for Linux on x86-64 only")
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/mise").symlink_to(MISE)
    (home / "bin/gh").write_text(GH)
    (home / "bin/gh").chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[url "{origin.parents[1]}/"]\n  insteadOf = https://forge.test/\n[safe]\n  directory = *\n'
    )
    variables = mise_variables(tmp_path, home) | {"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    variables["PATH"] = f"{home / 'bin'}:{variables['PATH']}"
    return Runner(origin, tmp_path, variables)


def git(repository: Path, *arguments: str) -> str:
    """Run Git on a repository."""
    return subprocess.run(
        ["git", *arguments], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


def promote(runner: Runner, source: str, target: str, **more: str) -> list[subprocess.CompletedProcess[str]]:
    """Run the jobs that promote, up to the first that fails."""
    names = {"WORKLOAD": "shop", "FROM": source, "TO": target} | more
    commit = git(runner.repository, "rev-parse", "main")
    files = git(runner.repository, "ls-tree", "--name-only", "main").splitlines()
    if ".gitlab-ci.yml" in files:
        runner.environment = {
            **runner.environment,
            **names,
            "GITLAB_USER_NAME": "A Person",
            "GITLAB_USER_EMAIL": "person@example.com",
            "CI_SERVER_HOST": "forge.test",
            "CI_PROJECT_PATH": "acme/origin",
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_SHA": commit,
        }
        content = pipeline(clone(runner))
        results = [run_gitlab_job(runner, content, "prepare")]
        if not results[0].returncode:
            runner.environment = {**runner.environment, "PROMOTE_TOKEN": "token-of-project"}
            results.append(run_gitlab_job(runner, content, "push"))
        return results
    runner.environment = {
        **runner.environment,
        "GITHUB_SHA": commit,
        "GITHUB_REPOSITORY": "acme/origin",
        "GITHUB_REF_NAME": "main",
    }
    runner.values = {
        "inputs.workload": names["WORKLOAD"],
        "inputs.from": source,
        "inputs.to": target,
        "inputs.skip-stages && 'yes' || ''": "",
        "github.server_url": "https://forge.test",
        "github.repository": "acme/origin",
        "github.actor": "person",
        "secrets.PROMOTE_TOKEN || github.token": "token-of-person",
    }
    content = workflow(clone(runner), "promote")
    results = [run_github_job(runner, content, "prepare")]
    assert content["jobs"]["push"]["if"] == "needs.prepare.outputs.artifact"
    if runner.values.get("needs.prepare.outputs.artifact"):
        results.append(run_github_job(runner, content, "push"))
    return results


def clone(runner: Runner) -> Path:
    """Clone the repository, to read its pipeline."""
    if not runner.job_folder("reader").exists():
        runner.clone("reader")
    return runner.job_folder("reader")


HOSTILE = """import os, pathlib
pathlib.Path(os.environ["HOME"], "stolen").touch()
"""


def propose(runner: Runner, branch: str, files: dict[str, str]) -> None:
    """Push a branch that changes files, with its merge, and let the next jobs be those of its request."""
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
    runner.environment = {**runner.environment, **commit, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch}
    runner.values = {"github.head_ref": branch}


def judge(runner: Runner, job: str) -> subprocess.CompletedProcess[str]:
    """Run a job of a request."""
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


def printed(results: list[subprocess.CompletedProcess[str]]) -> str:
    return "".join(result.stdout + result.stderr for result in results)


def branches(runner: Runner) -> list[str]:
    """Return the branches of the repository."""
    return git(runner.repository, "branch", "--format=%(refname:short)").splitlines()


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
