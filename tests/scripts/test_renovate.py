"""The real Renovate finds the dependencies with renovate.json5. Offline: it looks up nothing."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gitops.objects import containers
from tests.support import engines
from tests.support.checkout import committed
from tests.support.cluster.charts import documented_chart, platform_charts
from tests.support.renovate import RENOVATE, Found, extract, look_up, node, published, releases_of

pytestmark = pytest.mark.proof
PACKAGES = json.loads((engines.ROOT / "tools/npm/package.json").read_text())
MISE_VERSION = PACKAGES["optionalDependencies"]["@jdxcode/mise-linux-x64"]


@pytest.fixture(scope="module")
def repositories(
    template: Path, answers_with_jobs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return one repository per CI system."""
    answers = {ci: answers_with_jobs | {"ci": ci} for ci in ("github", "gitlab", "none")}
    return {ci: published(template, answers[ci], tmp_path_factory.mktemp(ci) / "repository") for ci in answers}


@pytest.fixture(scope="module")
def extracted(repositories: dict[str, Path]) -> dict[str, Found]:
    """Return the dependencies that Renovate finds in each."""
    return {ci: extract(path) for ci, path in repositories.items()}


def versions(found: Found, manager: str) -> dict[str, set[tuple[str, str]]]:
    """Return the dependencies of a manager by file: name and version."""
    return {
        file: {(str(d["depName"]), str(d.get("currentValue") or d.get("currentDigest"))) for d in dependencies}
        for file, dependencies in found.get(manager, {}).items()
    }


def test_renovate_accepts_the_configuration(repositories: dict[str, Path]) -> None:
    for path in repositories.values():
        said = node(RENOVATE / "dist/config-validator.js", "--strict", "renovate.json5", folder=path)
        assert "Config validated successfully" in said


def test_every_image_of_every_workload_is_found(extracted: dict[str, Found], repositories: dict[str, Path]) -> None:
    wanted = {}
    for overlay in repositories["github"].glob("apps/workloads/*/overlays/*"):
        built = engines.kustomize_build(overlay)
        images = {tuple(re.split(r"@|:(?=[^/]*$)", c["image"], maxsplit=1)) for c in containers(built)}
        wanted[f"{overlay.relative_to(repositories['github'])}/kustomization.yaml"] = images
    assert len(wanted) == 5
    sidecars_and_jobs = {("prom/statsd-exporter", "1.0.0"), ("ghcr.io/acme/shop-migrations", "1.0.0")}
    assert sidecars_and_jobs < wanted["apps/workloads/shop/overlays/dev/kustomization.yaml"]
    for found in extracted.values():
        assert versions(found, "kustomize") == wanted


def test_every_action_is_found(extracted: dict[str, Found], repositories: dict[str, Path]) -> None:
    folder = repositories["github"] / ".github/workflows"
    wanted = {
        f".github/workflows/{file.name}": set(re.findall(r"uses: (\S+)@[0-9a-f]{40} # (v\S+)", file.read_text()))
        for file in folder.iterdir()
    }
    # The action installs mise, with a checksum that Renovate updates too.
    for actions in wanted.values():
        actions.add(("jdx/mise", MISE_VERSION))
    found = versions(extracted["github"], "github-actions")
    assert {f: {d for d in dependencies if d[0] != "ubuntu"} for f, dependencies in found.items()} == wanted
    assert sum(map(len, wanted.values())) > 2
    installed = [d for dependencies in extracted["github"]["github-actions"].values() for d in dependencies]
    sums = {d["currentDigest"] for d in installed if d["depName"] == "jdx/mise"}
    assert sums == set(re.findall(r"sha256: (\w{64})", (folder / "promote.yaml").read_text()))
    assert not {"github-actions", "gitlabci"} & extracted["none"].keys()


def test_every_tool_is_found(extracted: dict[str, Found], repositories: dict[str, Path]) -> None:
    for ci, path in repositories.items():
        tools = tomllib.loads((path / "mise.toml").read_text())["tools"]
        assert versions(extracted[ci], "mise") == {"mise.toml": set(tools.items())}


def test_the_version_of_the_template_is_found(extracted: dict[str, Found]) -> None:
    for found in extracted.values():
        assert versions(found, "copier") == {
            ".copier-answers.yml": {("https://github.com/acme/template.git", "v1.0.0")}
        }


def test_nothing_else_is_found(extracted: dict[str, Found]) -> None:
    # The template's own add-ons are read, too; a rule leaves them to the template.
    always = {"copier", "kustomize", "mise", "regex"}
    assert {ci: set(found) - always for ci, found in extracted.items()} == {
        "github": {"github-actions"},
        "gitlab": {"gitlabci"},
        "none": set(),
    }


def test_images_move_by_themselves_in_the_first_environment_only(
    extracted: dict[str, Found], repositories: dict[str, Path]
) -> None:
    found = extracted["github"]["kustomize"]
    asked = [
        dependency | {"manager": "kustomize", "packageFile": file}
        for file, dependencies in found.items()
        for dependency in dependencies
    ]
    script = Path(__file__).with_name("renovate.mjs")
    printed = node(
        script, RENOVATE, repositories["github"] / "renovate.json5", folder=script.parent, stdin=json.dumps(asked)
    )
    moved = {line.split()[0] for line in json.loads(printed.splitlines()[-1])}
    assert moved == {"apps/workloads/shop/overlays/dev/kustomization.yaml"}


def test_the_templates_own_configuration_finds_the_charts_and_argo_cd(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=engines.ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (source := engines.ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(source.read_bytes())
    committed(tmp_path)
    assert "Config validated successfully" in node(
        RENOVATE / "dist/config-validator.js", "--strict", "renovate.json5", folder=tmp_path
    )
    found = extract(tmp_path)
    charts = {f"template/apps/platform/{chart.name}/addon.yaml": chart for chart in platform_charts()}
    charts["template/docs/operations.md.jinja"] = documented_chart()
    assert versions(found, "regex") == {
        **{file: {(chart.name, chart.version)} for file, chart in charts.items()},
        "template/bootstrap/argocd/kustomization.yaml.jinja": {
            ("argoproj/argo-cd", engines.go_module("github.com/argoproj/argo-cd/v3").name.partition("@")[2])
        },
        "template/.gitlab-ci.yml.jinja": {("jdx/mise", f"v{MISE_VERSION}")},
    }
    _, updates = look_up(tmp_path, releases_of(found, "2021-01-01T00:00:00Z"))
    assert len(updates) > 50
    assert [update for update in updates if update.is_pending] == []
    for file, chart in charts.items():
        assert [dependency["registryUrls"][0].rstrip("/") for dependency in found["regex"][file]] == [chart.repository]
    go_modules = {f"tools/{file.relative_to(engines.ROOT / 'tools')}" for file in engines.ROOT.glob("tools/**/go.mod")}
    assert found["gomod"].keys() == go_modules
    assert found["npm"].keys() == {"tools/npm/package.json"}
    assert found["mise"].keys() == {"template/mise.toml"}
    scripts = (engines.ROOT / "template/scripts").glob("*.py")
    assert found["pep723"].keys() == {f"template/scripts/{script.name}" for script in scripts}
    workflows = [file for file in found["github-actions"] if file.startswith("template/")]
    assert {Path(file).name for file in workflows} == {"promote.yaml.jinja", "validate.yaml.jinja"}
