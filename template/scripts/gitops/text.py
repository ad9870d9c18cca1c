"""Make text of a repository safe to print: in a terminal, in the log of a pipeline, and in Markdown."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from io import TextIOWrapper

# Control characters, marks that change the direction of text, and halves of surrogate pairs.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# A line that a runner of GitHub Actions takes for a command.
COMMAND = re.compile(r"^(\s*)(::|##\[)")
# What Markdown, or GitHub and GitLab beyond it, may give a meaning.
MARKDOWN = re.compile(r"[][\\`*_<>#!|~&@$%^{}]|:(?=//)|(?<=www)\.", re.IGNORECASE)
MARK = "\u200b"
BACKTICKS = re.compile(r"`+")


def printable(text: str) -> str:
    """Return a text in one line, with escapes instead of characters that a terminal interprets."""
    return "".join(_escaped(character) if _is_unprintable(character) else character for character in text)


def printable_lines(text: str) -> str:
    """Return a text with its line breaks, safe for a terminal and for the log of a pipeline."""
    return "\n".join(COMMAND.sub(rf"\1{MARK}\2", printable(line)) for line in text.replace("\t", "    ").split("\n"))


def markdown(text: str) -> str:
    """Return a text that Markdown shows as it is: no markup, no link, no mention, one line."""
    return MARKDOWN.sub(lambda match: f"\\{match[0]}{MARK if match[0] in '@#:!&$%~.' else ''}", printable(text))


def code(text: str) -> str:
    """Return a text as inline code, also in a table."""
    content = printable(text).replace("|", "\u00a6") or " "
    fence = "`" * (_longest_run(content) + 1)
    return f"{fence} {content} {fence}"


def code_block(lines: Iterable[str], language: str) -> list[str]:
    """Return lines as a block of code that nothing in them can end."""
    content = [line for text in lines for line in printable_lines(text).split("\n")]
    fence = "`" * max(3, _longest_run("\n".join(content)) + 1)
    return [f"{fence}{language}", *content, fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in BACKTICKS.findall(text)), default=0)


def _is_unprintable(character: str) -> bool:
    return (
        (not character.isascii() and unicodedata.category(character) in UNPRINTABLE)
        or character < " "
        or character == "\x7f"
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode() if character.isascii() else f"\\u{ord(character):04x}"


def print_anywhere() -> None:
    """Have a terminal that lacks a character, such as an arrow, show another one in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
