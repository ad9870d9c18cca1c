"""Each task of mise.toml, run by the real mise; tests/updates has those that render."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pexpect
import pytest

from tests.support.checkout import Checkout
from tests.support.kubectl import StandIns
from tests.support.mise import MISE, mise_variables
from tests.support.repository import ROOT

TASKS = tomllib.loads((ROOT / "template/mise.toml").read_text())["tasks"]


@pytest.fixture
def variables(checkout: Checkout, home: Path) -> dict[str, str]:
    return dict(os.environ) | mise_variables(checkout.path, home)


@pytest.fixture
def clusters(tmp_path: Path, variables: dict[str, str]) -> StandIns:
    stand_ins = StandIns(tmp_path / "stand-ins", "nonprod", "prod")
    path = f"{stand_ins.folder / 'bin'}:{variables['PATH']}"
    variables.update(stand_ins.variables | {"PATH": path})
    return stand_ins


def run(checkout: Checkout, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [MISE, "run", "--quiet", *words]
    return subprocess.run(command, cwd=checkout.path, env=variables, capture_output=True, text=True)


def terminal(checkout: Checkout, variables: dict[str, str], *words: str) -> pexpect.spawn[str]:
    arguments = ["run", "--quiet", *words]
    return pexpect.spawn(
        str(MISE), arguments, cwd=str(checkout.path), env=variables, encoding="utf-8", timeout=120, dimensions=(24, 80)
    )


def test_the_readme_lists_each_task(original: Path) -> None:
    (section,) = re.findall(r"^## Tasks\n(.*?)^## ", (original / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `mise run ([a-z-]+)", section, re.MULTILINE) == list(TASKS)
    # `mise run` lists them in a terminal, below each other.
    assert all(1 <= len(task["description"]) <= 80 - 16 for task in TASKS.values())


@pytest.mark.proof
def test_bootstrap_asks_first(checkout: Checkout, variables: dict[str, str], clusters: StandIns) -> None:
    screen = terminal(checkout, variables, "bootstrap", "prod")
    screen.expect_exact("Cluster prod at https://prod.eks.test.")
    screen.expect_exact("Run them in prod? [y/N] ")
    screen.sendline("")
    screen.expect_exact("Nothing was run.")
    screen.expect(pexpect.EOF)
    assert not [call for call in clusters.calls() if call.startswith("--context")]
    screen = terminal(checkout, variables, "bootstrap")
    screen.expect_exact("Run them in prod? [y/N] ")
    screen.sendline("y")
    screen.expect_exact("Watch it:")
    screen.expect(pexpect.EOF)
    assert len([call for call in clusters.calls() if call.startswith("--context")]) == 3


@pytest.mark.proof
def test_ui_ends_with_the_port_forward_at_ctrl_c(
    checkout: Checkout, variables: dict[str, str], clusters: StandIns
) -> None:
    clusters.write("seconds", "543")
    screen = terminal(checkout, variables, "ui")
    screen.expect_exact("Forwarding from")
    screen.sendintr()
    screen.expect(pexpect.EOF)
    assert "Traceback" not in str(screen.before)
    assert subprocess.run(["pgrep", "--full", "sleep 543"], capture_output=True).returncode == 1


@pytest.mark.proof
def test_logs_and_preflight_pass_their_arguments_on(
    checkout: Checkout, variables: dict[str, str], clusters: StandIns
) -> None:
    assert run(checkout, variables, "logs", "shop", "dev", "api", "--previous").returncode == 0
    assert clusters.calls()[-1].startswith("--context nonprod logs --namespace shop-dev --selector")
    result = run(checkout, variables, "preflight", "nowhere")
    assert result.returncode != 0 and "clusters: nonprod|prod" in result.stderr


@pytest.mark.proof
@pytest.mark.parametrize("name", TASKS)
def test_each_task_has_the_help_of_its_script(name: str, checkout: Checkout, variables: dict[str, str]) -> None:
    result = run(checkout, variables, name, "--help")
    script = re.sub("^.*scripts/", "", TASKS[name]["run"])
    assert result.returncode == 0 and result.stdout.startswith(f"usage: {script} ")
