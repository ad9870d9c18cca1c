"""The report for a pull request: names and values of a branch never become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gitops.changes import Change
from gitops.comparison import Report
from gitops.report import COMMENT_LENGTH, as_markdown, as_text
from tests.support.properties import up_to

PARTS = [
    *("\n", "\r", "\u2028", "\t", "|", "`", "```", "````", "~~~", "<b>", "</details>", "<!--", "@acme/platform", "#12"),
    *("[a](https://evil.example)", "![i](x)", "https://evil.example", "www.evil.example", "# x", "\n### forged\n"),
    *("* ", "> ", "---", "\\", "&amp;", "**", "_a_", "\x1b[31m", "::error::x", "x@evil.example", "\u202e", "name"),
]
NAMES = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), min_size=1, max_size=8).map("".join)
OUR_HTML = {"<details><summary>Differences</summary>", "</details>"}


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Return a report whose every text is hostile."""
    changes = [
        Change(draw(NAMES), draw(NAMES), draw(NAMES), draw(st.booleans()), "moved", draw(NAMES), draw(NAMES))
        for _ in range(draw(st.integers(1, 3)))
    ]
    for change in changes:
        change.deleted, change.added, change.difference = [draw(NAMES)], [draw(NAMES)], draw(NAMES)
    return Report(draw(NAMES), draw(NAMES), changes, {draw(NAMES): draw(NAMES)}, problems=[draw(NAMES)])


def tokens(text: str) -> Iterator[Token]:
    """Return everything that a parser of GitHub's Markdown finds."""
    for token in MarkdownIt("gfm-like", {"html": True}).parse(text):
        yield token
        yield from token.children or []


@up_to(300)
@given(reports())
def test_a_report_has_our_headings_and_nothing_else_that_a_reader_follows(report: Report) -> None:
    found = list(tokens(as_markdown(report, with_differences=True)))
    assert [token.tag for token in found if token.type == "heading_open"] == ["h3"]
    assert not [token for token in found if token.type in ("link_open", "image", "html_inline")]
    html = [line for token in found if token.type == "html_block" for line in token.content.split("\n")]
    assert {*html} <= {"", *OUR_HTML}
    assert sum(token.type == "tr_open" for token in found) == 1 + len(report.changes)
    visible = [token.content for token in found if token.type == "text"]
    assert not any(re.search(r"@\w|#\d", text) for text in visible), visible


@up_to(100)
@given(reports())
def test_a_terminal_and_a_log_get_no_control_characters_and_no_commands(report: Report) -> None:
    text = as_text(report, with_differences=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in text.split("\n"))


@pytest.mark.proof
@pytest.mark.parametrize("length", [10, 1_000, COMMENT_LENGTH])
def test_a_long_report_is_cut_after_its_conclusion(length: int) -> None:
    changes = [Change(f"app-{n}", "main", "any", True, "removed", difference=f"+ x{n}\n" * length) for n in range(40)]
    text = as_markdown(Report("a", "b", changes), with_differences=True)
    assert text.startswith("### Something protected is lost: app-0, app-1")
    assert len(text) <= COMMENT_LENGTH
    found = list(tokens(text))
    assert sum(token.type == "fence" for token in found) == text.count("```diff")
    assert ("too long for a comment" in text) == (length > 10)
