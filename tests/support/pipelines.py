"""Run the jobs of a rendered pipeline like a runner: in a shell, with artifacts between jobs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
# Values that are empty for events without them.
EMPTY = {"github.event.merge_group.base_sha": ""}
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
# A runner installs the tools. In tests, they are on the path.
INSTALLATION = ("apt-get ", "mise install", "mise trust")


@dataclass
class Runner:
    """The state that the jobs of one run share.

    Attributes:
        repository: The repository that jobs clone.
        folder: An empty folder for the working directories of jobs, and for artifacts.
        environment: The variables of every job.
        values: The values of GitHub's expressions, by their text.
        workflow_variables: The variables that the pipeline itself sets.
    """

    repository: Path
    folder: Path
    environment: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    workflow_variables: dict[str, str] = field(default_factory=dict)

    def job_folder(self, name: str) -> Path:
        """Return the working directory of a job."""
        return self.folder / "jobs" / name

    def artifact(self, name: str) -> Path:
        """Return the folder with the files of an artifact."""
        return self.folder / "artifacts" / name

    def shell(self, script: str, job: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script in the working directory of a job."""
        environment = {**os.environ, **self.environment, **self.workflow_variables, **variables}
        return subprocess.run(
            [*BASH, script], cwd=self.job_folder(job), env=environment, capture_output=True, text=True, check=False
        )

    def clone(self, job: str) -> None:
        """Clone the repository into the working directory of a job."""
        self.git("clone", "--quiet", str(self.repository), str(self.job_folder(job)))

    def check_out(self, job: str, commit: str, *refspecs: str, depth: int = 0) -> None:
        """Fetch a commit and branches into the working directory of a job, and check the commit out."""
        folder = ["-C", str(self.job_folder(job))]
        self.git(*folder, "init", "--quiet")
        self.git(*folder, "remote", "add", "origin", f"file://{self.repository}")
        self.git(*folder, "fetch", "--quiet", *[f"--depth={depth}"][: bool(depth)], "origin", commit, *refspecs)
        self.git(*folder, "checkout", "--quiet", "--detach", commit)

    @staticmethod
    def git(*arguments: str) -> None:
        """Run Git."""
        subprocess.run(["git", *arguments], check=True, capture_output=True)


def workflow(repository: Path, name: str) -> dict[str, Any]:
    """Read a workflow of GitHub."""
    content: dict[str, Any] = yaml.safe_load((repository / f".github/workflows/{name}.yaml").read_text())
    return content


def pipeline(repository: Path) -> dict[str, Any]:
    """Read the pipeline of GitLab, without hidden jobs."""
    content: dict[str, Any] = yaml.safe_load((repository / ".gitlab-ci.yml").read_text())
    return {name: job for name, job in content.items() if not name.startswith(".")}


def script(job: Mapping[str, Any]) -> list[str]:
    """Return the commands of a job of GitLab."""
    lines = [line if isinstance(line, list) else [line] for line in job["script"]]
    return [command for commands in lines for command in commands]


def run_github_job(runner: Runner, content: Mapping[str, Any], job: str) -> subprocess.CompletedProcess[str]:
    """Run the steps of a job up to the first that fails, and return the outcome with all output."""
    assert content["defaults"]["run"]["shell"] == "bash"
    folder = runner.job_folder(job)
    folder.mkdir(parents=True)
    runner.workflow_variables = content.get("env", {})
    outputs = runner.folder / f"{job}-outputs"
    outputs.touch()
    printed, status = "", 0

    def value(text: object) -> str:
        return EXPRESSION.sub(lambda match: (EMPTY | runner.values)[match[1]], str(text))

    for step in content["jobs"][job]["steps"]:
        condition = step.get("if", "")
        is_wanted = "cancelled()" in condition or not status
        if condition.startswith("steps."):
            is_wanted = is_wanted and f"{condition.rpartition('.')[2]}=" in outputs.read_text()
        if not is_wanted:
            continue
        options = {name: value(text) for name, text in step.get("with", {}).items()}
        action = step.get("uses", "").partition("@")[0]
        if action == "actions/checkout":
            branches = () if (depth := int(options.get("fetch-depth", 1))) else ("+refs/heads/*:refs/remotes/origin/*",)
            runner.check_out(job, runner.environment["GITHUB_SHA"], *branches, depth=depth)
        elif action == "actions/upload-artifact":
            copy(folder / options["path"], runner.artifact(options["name"]))
            assert content["jobs"][job]["outputs"]["artifact"] == f"${{{{ steps.{step['id']}.outputs.artifact-id }}}}"
            runner.values[f"needs.{job}.outputs.artifact"] = options["name"]
        elif action == "actions/download-artifact":
            copy(runner.artifact(options["artifact-ids"]), folder / options["path"])
        elif "run" in step:
            variables = {name: value(text) for name, text in step.get("env", {}).items()}
            files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(runner.folder / "summary")}
            result = runner.shell(step["run"], job, files | variables)
            printed, status = printed + result.stdout + result.stderr, status or result.returncode
        else:
            assert action == "jdx/mise-action", action
    return subprocess.CompletedProcess([job], status, printed, "")


def run_gitlab_job(runner: Runner, content: Mapping[str, Any], job: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a job, and return the outcome."""
    definition = content[job]
    runner.workflow_variables = content["variables"]
    if definition.get("variables", {}).get("GIT_STRATEGY") == "none":
        runner.job_folder(job).mkdir(parents=True)
    else:
        runner.job_folder(job).mkdir(parents=True)
        # A runner fetches only the commit and the branch of the pipeline.
        branch = runner.environment.get("CI_COMMIT_BRANCH")
        refspecs = [f"+refs/heads/{branch}:refs/remotes/origin/{branch}"] if branch else []
        runner.check_out(job, runner.environment["CI_COMMIT_SHA"], *refspecs)
        fetches = [command for command in content["default"]["before_script"] if "git fetch" in command]
        assert not runner.shell("\n".join(fetches), job, {"PATH": os.environ["PATH"]}).returncode
    for needed in definition.get("needs", ()):
        for path in runner.artifact(needed).glob("*"):
            copy(path, runner.job_folder(job) / path.name)
    commands = [command for command in script(definition) if not command.startswith(INSTALLATION)]
    result = runner.shell("\n".join(commands), job, {})
    for name in definition.get("artifacts", {}).get("paths", ()):
        if (path := runner.job_folder(job) / name).exists():
            copy(path, runner.artifact(job) / path.name)
    return result


def copy(source: Path, target: Path) -> None:
    """Copy a file into a folder, or a folder with the links in it."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target, follow_symlinks=False)
