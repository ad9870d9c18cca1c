"""Attacks through files in `argo/` and `apps/`: the scripts execute and download nothing from a branch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import checks
from tests.support.checkout import Checkout
from tests.support.hostile import URL, repository, traps, write

FILES = sorted(Path(__file__).with_name("trees").glob("*.yaml"))


def read(file: Path, trap: Path) -> dict[str, Any]:
    """Return an attack, with a path that it must not write."""
    attack: dict[str, Any] = yaml.safe_load(file.read_text().replace("THIS", URL).replace("TRAP", str(trap)))
    assert attack.keys() == {"about", "files", "says"}
    return attack


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_scripts_refuse_it(tmp_path: Path, file: Path, downloads: None) -> None:
    checkout = Checkout(repository(tmp_path / "clone"), {})
    with traps(tmp_path) as trap:
        attack = read(file, trap.file)
        write(checkout.path, attack["files"])
        (result,) = checks.run(checkout.path, only=["builds"])
        assert any(attack["says"] in problem for problem in result.problems), result.problems
        checkout.commit()
        report = checkout.script("blast_radius.py", "--json", "HEAD^", "HEAD")
        problems = json.loads(report.stdout)["problems"]
        assert any(attack["says"] in problem for problem in problems), problems
        assert report.returncode == 2
        assert trap.sprung == []
