"""mise.toml of a rendered repository: its scripts run with the tools that these tests run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import engines

MODULES = {
    "dyff": "github.com/homeport/dyff",
    "gitleaks": "github.com/zricethezav/gitleaks/v8",
    "helm": "helm.sh/helm/v4",
    "kubeconform": "github.com/yannh/kubeconform",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
}


def test_the_tools_are_pinned_to_what_the_tests_run() -> None:
    pinned = tomllib.loads((engines.ROOT / "template/mise.toml").read_text())["tools"]
    go = Path(sys.executable).with_name("go")
    found = {}
    for name, module in MODULES.items():
        listed = subprocess.run(
            [go, "list", "-m", "-json", module], cwd=engines.ROOT / "tools", check=True, capture_output=True, text=True
        )
        found[name] = json.loads(listed.stdout)["Version"].removeprefix("v")
    (found["uv"],) = re.findall(r"^UV_VERSION := (.+)$", (engines.ROOT / "Makefile").read_text(), re.MULTILINE)
    assert pinned == found


@pytest.mark.parametrize(
    "command",
    [[engines.CACHE / "bin/actionlint"], [Path(sys.executable).with_name("zizmor"), "--offline"]],
    ids=["actionlint", "zizmor"],
)
def test_the_workflow_is_clean(command: list[str | Path]) -> None:
    (workflow,) = (engines.ROOT / "template").glob("*github*/workflows/validate.yaml")
    result = subprocess.run([*command, workflow], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_task_runs_a_script_that_is_there() -> None:
    tasks = tomllib.loads((engines.ROOT / "template/mise.toml").read_text())["tasks"]
    scripts = [task["run"].removeprefix("uv run --script ") for task in tasks.values()]
    assert scripts
    assert [script for script in scripts if not (engines.ROOT / "template" / script).exists()] == []
