"""Every job of a rendered pipeline follows this rule: a job with a token runs no file of the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.mise import MISE, need_mise
from tests.support.pipelines import pipeline, script, workflow
from tests.support.repository import ROOT, examples, render

PINNED = re.compile(r"[\w.-]+/[\w.-]+(/[\w.-]+)*@[0-9a-f]{40}")
# The actions and programs of a job with a token. All belong to the runner, none to the repository.
ACTIONS_WITH_A_TOKEN = {"actions/download-artifact"}
WORDS_WITHOUT_A_TOKEN = (
    r"\b(uv|uvx|mise|python3?|scripts|make|source|eval|exec|bash|sh|npx|docker|pre-commit|checkout)\b|\./"
)
SECRET = re.compile(r"secrets\.|github\.token|GITHUB_TOKEN|_TOKEN\b")
Job = dict[str, Any]


@pytest.fixture(scope="module")
def github(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, examples()["stages"], tmp_path_factory.mktemp("github") / "repository")


@pytest.fixture(scope="module")
def gitlab(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, examples()["stages"] | {"ci": "gitlab"}, tmp_path_factory.mktemp("gitlab") / "repository")


def jobs(repository: Path) -> Iterator[tuple[str, Job]]:
    """Yield each job of every workflow, with the name of both."""
    for file in sorted(repository.glob(".github/workflows/*")):
        for name, job in workflow(repository, file.stem)["jobs"].items():
            yield f"{file.stem}/{name}", job


def writes(job: Job) -> bool:
    """Return whether the token of a job has write access."""
    return any(access != "read" for access in job["permissions"].values())


def test_some_jobs_write_and_some_run_the_repository(github: Path) -> None:
    names = {name for name, job in jobs(github) if writes(job)}
    assert names == {"validate/comment", "promote/push"}
    assert {name for name, _ in jobs(github)} - names == {
        "validate/validate",
        "validate/promotion",
        "validate/blast-radius",
        "promote/prepare",
    }


def test_every_action_is_pinned_to_a_commit(github: Path) -> None:
    actions = [step["uses"] for _, job in jobs(github) for step in job["steps"] if "uses" in step]
    assert len(actions) > 5
    assert [action for action in actions if not PINNED.fullmatch(action)] == []
    for file in github.glob(".github/workflows/*"):
        lines = [line for line in file.read_text().splitlines() if "uses:" in line]
        assert all(re.search(r"@[0-9a-f]{40} # v\d", line) for line in lines), file


def test_no_expression_stands_in_a_script(github: Path) -> None:
    scripts = [step["run"] for _, job in jobs(github) for step in job["steps"] if "run" in step]
    assert scripts and not [script for script in scripts if "${{" in script]


def test_a_job_that_writes_has_no_file_of_the_repository(github: Path) -> None:
    for name, job in jobs(github):
        if writes(job):
            used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
            assert used == ACTIONS_WITH_A_TOKEN, name
            for step in job["steps"]:
                assert not re.search(WORDS_WITHOUT_A_TOKEN, step.get("run", "")), f"{name}: {step['run']}"


def test_a_job_that_has_files_of_the_repository_has_no_token(github: Path) -> None:
    for name, job in jobs(github):
        if not writes(job):
            assert job["permissions"] == {"contents": "read"}, name
            assert not job.get("env") and "environment" not in job, name
            for step in job["steps"]:
                assert not SECRET.search(json.dumps([step.get("env"), step.get("with"), step.get("run")])), name
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, name
                if step.get("uses", "").startswith("jdx/mise-action@"):
                    assert step["with"]["github_token"] == "" and step["with"]["cache"] is False, name


def test_one_step_alone_has_the_secret_and_an_environment_guards_it(github: Path) -> None:
    job = workflow(github, "promote")["jobs"]["push"]
    assert job["environment"] == "promote"
    assert [SECRET.search(json.dumps(step)) is not None for step in job["steps"]] == [False, True]
    text = "".join(file.read_text() for file in github.glob(".github/workflows/*"))
    assert text.count("secrets.") == 1 and "pull_request_target" not in text and "secrets: inherit" not in text


def test_an_artifact_is_taken_by_its_number_from_the_job_that_is_needed(github: Path) -> None:
    for name, job in jobs(github):
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/download-artifact@"):
                output = f"needs.{job['needs']}.outputs.artifact"
                # An empty number would mean every artifact of the run.
                assert step["with"] == {"artifact-ids": f"${{{{ {output} }}}}", "path": "artifact"}, name
                assert output in job["if"], name


def test_the_target_branch_judges(github: Path, gitlab: Path) -> None:
    for name, base in (("promotion", "HEAD^1"), ("blast-radius", '"${BASE:-HEAD^1}"')):
        steps = workflow(github, "validate")["jobs"][name]["steps"]
        # Before any tool reads a file of the repository.
        assert [step.get("run") for step in steps][1] == f"git switch --quiet --detach {base}"
        assert script(pipeline(gitlab)[name])[1] == "git switch --quiet --detach FETCH_HEAD"


def test_the_check_of_a_promotion_is_there_for_promotions_only(github: Path, gitlab: Path) -> None:
    # GitHub's startsWith ignores case.
    assert workflow(github, "validate")["jobs"]["promotion"]["if"] == "startsWith(github.head_ref, 'promote/')"
    (rule,) = pipeline(gitlab)["promotion"]["rules"]
    assert rule["if"].endswith(r"$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME =~ /^promote\//i")


def test_gitlab_keeps_the_secret_in_one_job_without_files(gitlab: Path) -> None:
    content = pipeline(gitlab)
    with_secret = [name for name, job in content.items() if "PROMOTE_TOKEN" in json.dumps(job)]
    assert with_secret == ["push"]
    push = content["push"]
    assert push["variables"] == {"GIT_STRATEGY": "none"} and push["before_script"] == []
    assert push["environment"]["name"] == "promote"
    assert not re.search(WORDS_WITHOUT_A_TOKEN, "\n".join(script(push)))
    assert "unset CI_JOB_TOKEN " in content["default"]["before_script"][-2]


def test_gitlab_downloads_only_what_it_knows(gitlab: Path) -> None:
    text = (gitlab / ".gitlab-ci.yml").read_text()
    images = re.findall(r"image: (.+)", text)
    assert images and all(re.search(r"@sha256:[0-9a-f]{64}$", image) for image in images)
    assert not re.search(r"\|\s*(ba)?sh\b", text)
    preparation = pipeline(gitlab)["default"]["before_script"]
    download = next(number for number, command in enumerate(preparation) if command.startswith("curl "))
    assert preparation[download + 1] == 'echo "$MISE_SHA256  /usr/local/bin/mise" | sha256sum --check --quiet'


def mise_pins(github: Path, gitlab: Path) -> set[tuple[str, str]]:
    """Return the versions of mise that pipelines install, with their sums."""
    options = [
        step["with"] for _, job in jobs(github) for step in job["steps"] if "mise-action" in step.get("uses", "")
    ]
    variables = yaml.safe_load((gitlab / ".gitlab-ci.yml").read_text())["variables"]
    pins = {(str(with_["version"]), with_["sha256"]) for with_ in options}
    return pins | {(variables["MISE_VERSION"].removeprefix("v"), variables["MISE_SHA256"])}


def test_mise_is_the_same_everywhere(github: Path, gitlab: Path) -> None:
    ((version, _),) = mise_pins(github, gitlab)
    packages = json.loads((ROOT / "tools/npm/package.json").read_text())
    assert packages["optionalDependencies"]["@jdxcode/mise-linux-x64"] == version


@pytest.mark.proof
def test_mise_has_the_sum_that_is_pinned(github: Path, gitlab: Path) -> None:
    need_mise()
    ((_, checksum),) = mise_pins(github, gitlab)
    # npm has the program of the release.
    assert sha256(MISE.read_bytes()).hexdigest() == checksum
