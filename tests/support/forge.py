"""Emulate a Git forge on this machine: a repository on its server, and its promotion jobs."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.checkout import committed
from tests.support.mise import MISE, mise_variables
from tests.support.pipelines import Runner, pipeline, run_github_job, run_gitlab_job, workflow
from tests.support.repository import render

# The file `open` is the response to the query for an open pull request.
GH = """#!/usr/bin/env bash
case "$*" in
  *"--method GET"*) cat "$HOME/open" 2>/dev/null || true; exit ;;
esac
printf '%s\\n' "$@" > "$HOME/request"
for word; do word=${word#body=@}; [ ! -f "$word" ] || cp "$word" "$HOME/text"; done
"""
# A script of the repository that sees a token writes it to a file.
SPY = """
import os as _os, pathlib as _pathlib
_tokens = [name for name, value in _os.environ.items() if "token-of-" in value]
_pathlib.Path(_os.environ["HOME"], "stolen").write_text(" ".join(_tokens)) if _tokens else None
"""


def serve(template: Path, answers: dict[str, Any], folder: Path) -> Path:
    """Render a repository with scripts that look for a token, and return its bare repository."""
    source = render(template, answers, folder / "source")
    for file in source.glob("scripts/*.py"):
        head, future, rest = file.read_text().partition("from __future__ import annotations\n")
        file.write_text(head + future + SPY + rest)
    path = folder / "server/acme/origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", committed(source), path], check=True, capture_output=True)
    for name in ("receive.advertisePushOptions", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", path, "config", name, "true"], check=True)
    return path


def runner_of(origin: Path, folder: Path) -> Runner:
    """Return a runner for a repository, with `gh` and mise."""
    home = folder / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/mise").symlink_to(MISE)
    (home / "bin/gh").write_text(GH)
    (home / "bin/gh").chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[url "{origin.parents[1]}/"]\n  insteadOf = https://forge.test/\n[safe]\n  directory = *\n'
    )
    variables = mise_variables(folder, home) | {"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    variables["PATH"] = f"{home / 'bin'}:{variables['PATH']}"
    return Runner(origin, folder, variables)


def git(repository: Path, *arguments: str) -> str:
    """Run Git on a repository."""
    return subprocess.run(
        ["git", *arguments], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


def promote(
    runner: Runner, source: str, target: str, workload: str = "shop", branch: str = "main"
) -> list[subprocess.CompletedProcess[str]]:
    """Run the promotion jobs from a branch, up to the first that fails."""
    names = {"WORKLOAD": workload, "FROM": source, "TO": target}
    commit = git(runner.repository, "rev-parse", branch)
    files = git(runner.repository, "ls-tree", "--name-only", branch).splitlines()
    # Every run has its own jobs and artifacts.
    runner.folder = Path(tempfile.mkdtemp(dir=runner.folder))
    if ".gitlab-ci.yml" in files:
        runner.environment = {
            **runner.environment,
            **names,
            "GITLAB_USER_NAME": "A Person",
            "GITLAB_USER_EMAIL": "person@example.com",
            "CI_SERVER_HOST": "forge.test",
            "CI_PROJECT_PATH": "acme/origin",
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_BRANCH": branch,
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
        "GITHUB_REPOSITORY_OWNER": "acme",
        "GITHUB_REF": f"refs/heads/{branch}",
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


def printed(results: list[subprocess.CompletedProcess[str]]) -> str:
    return "".join(result.stdout + result.stderr for result in results)


def branches(runner: Runner) -> list[str]:
    """Return the branches of the repository."""
    return git(runner.repository, "branch", "--format=%(refname:short)").splitlines()
