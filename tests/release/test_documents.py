"""The template's own documents: links lead to files that exist, and every decision is in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT

DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
DOCUMENTS = sorted(
    file
    for folder in (".", ".github", "docs", "docs/decisions", "docs/infrastructure", "tools")
    for file in (ROOT / folder).glob("*.md")
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s#]+)[^)]*\)", document.read_text())
    missing = [t for t in targets if not t.startswith("https://") and not (document.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_is_in_the_index_under_its_title(decision: Path) -> None:
    number, title = decision.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
    assert f"| [{number}]({decision.name}) | {title} |" in (decision.parent / "README.md").read_text()


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_has_its_four_parts(decision: Path) -> None:
    headings = re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "What was tried"]
