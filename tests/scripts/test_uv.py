"""The first lines of each script run it with uv, or print in one line what to install."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.checkout import Checkout
from tests.support.repository import ROOT
from tools.locks import header

SCRIPTS = sorted(path.name for path in (ROOT / "template/scripts").glob("*.py"))
# Prints its name, its folder and its arguments, one per line.
STAND_IN = """#!/bin/sh
printf '%s\\n' "${0##*/}" "$@"
"""


def run(script: Path, *arguments: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a script like the kernel, with one folder on the path."""
    return subprocess.run([script, *arguments], cwd=folder, env={"PATH": str(path)}, capture_output=True, text=True)


def install(folder: Path, name: str) -> Path:
    """Write a stand-in for a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(STAND_IN)
    (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_uv_a_script_says_in_one_line_what_to_install(script: str, original: Path, tmp_path: Path) -> None:
    result = run(original / "scripts" / script, folder=tmp_path, path=tmp_path)
    assert (result.returncode, result.stdout) == (127, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{script} needs uv. Install mise (https://mise.jdx.dev/")
    assert line.endswith("then run: mise install")


@pytest.mark.parametrize(("program", "words"), [("uv", []), ("mise", ["exec", "--", "uv"])])
def test_uv_runs_a_script_with_its_arguments(program: str, words: list[str], original: Path, tmp_path: Path) -> None:
    script = original / "scripts/promote.py"
    path = install(tmp_path / "bin", program)
    result = run(script, "a b", "$HOME", "*", folder=tmp_path, path=path)
    expected = [program, *words, "run", "--locked", "--script", str(script), "a b", "$HOME", "*"]
    assert (result.returncode, result.stdout.splitlines(), result.stderr) == (0, expected, "")


def test_uv_that_is_installed_comes_before_mise(original: Path, tmp_path: Path) -> None:
    path = install(install(tmp_path / "bin", "uv"), "mise")
    result = run(original / "scripts/validate.py", folder=original / "scripts", path=path)
    assert result.stdout.splitlines()[0] == "uv"


@pytest.mark.parametrize("script", SCRIPTS)
def test_uv_reads_the_header_and_people_read_the_help(script: str, checkout: Checkout) -> None:
    path = checkout.path / "scripts" / script
    assert header(path)["requires-python"] == ">=3.11"
    result = checkout.process(script, "--help")
    # No output from the shell's lines.
    assert result.returncode == 0 and "uv.sh" not in result.stdout
    assert f"    scripts/{script} " in result.stdout


def test_copier_is_the_version_that_the_template_is_tested_with() -> None:
    (pinned,) = (name for name in header(ROOT / "template/scripts/render.py")["dependencies"] if "copier" in name)
    assert pinned in tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
