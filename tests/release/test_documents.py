"""The template's own documents: links and paths exist, and every decision is in the index."""

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


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub creates for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", document.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = document.parent / path if path else document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_is_in_the_index_under_its_title(decision: Path) -> None:
    number, title = decision.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
    assert f"| [{number}]({decision.name}) | {title} |" in (decision.parent / "README.md").read_text()


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_has_its_four_parts(decision: Path) -> None:
    headings = re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "What was tried"]


def exists(path: str) -> bool:
    """Return whether a path exists in this repository or in a rendered one."""
    return any(
        (folder / f"{path}{suffix}").exists() for folder in (ROOT, ROOT / "template") for suffix in ("", ".jinja")
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_that_a_document_names_exist(document: Path) -> None:
    folders = "argo|bench|bootstrap|docs|examples|hooks|scripts|template|tests|tools"
    paths = re.findall(rf"`((?:{folders})/[\w./-]*)`", document.read_text())
    assert [path for path in paths if not exists(path)] == []


def paragraphs(text: str) -> list[str]:
    """Return the lines of a page that are neither code nor part of a table, list or heading."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in prose.splitlines() if not re.match(r"\||#|<!--| |- |\d+\. ", line)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_line_of_a_paragraph_is_one_sentence(document: Path) -> None:
    if document.name != "answers.md":  # Rendered from the template.
        lines = [re.sub(r"`[^`]*`|\]\([^)]*\)", "x", line) for line in paragraphs(document.read_text())]
        assert [line for line in lines if re.search(r"[a-z0-9)][.!?] [A-Z]", line)] == []
