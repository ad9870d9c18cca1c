"""The pages of rendered repositories follow the same Markdown rules as those of the template."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import ROOT, Repository


def problems_of_markdown(folder: Path) -> str:
    """Return what `make lint` would report of the pages in a folder."""
    command: list[str | Path] = [Path(sys.executable).with_name("pymarkdown"), "--config", ROOT / "pyproject.toml"]
    done = subprocess.run([*command, "scan", "--recurse", "."], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.proof
@pytest.mark.parametrize("scenario", ["stages", "addons"])
def test_rendered_pages_follow_the_markdown_rules(scenario: str, repositories: Callable[[str], Repository]) -> None:
    assert problems_of_markdown(repositories(scenario).path) == ""


@pytest.mark.proof
def test_a_page_that_breaks_a_rule_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# Page\n\n### Skipped a level\n")
    assert "page.md:3:1: MD001" in problems_of_markdown(tmp_path)
