"""Make text from a repository safe to print in terminals, logs and Markdown, and help with misspelt names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

# Control characters, marks that change the direction of text, and lone surrogates.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# A line that a runner of GitHub Actions would execute as a command.
COMMAND = re.compile(r"^(\s*)(::|##\[)")
# Characters with a meaning in the Markdown of GitHub or GitLab.
MARKDOWN = re.compile(r"[][\\`*_<>#!|~&@$%^{}]|:(?=//)|(?<=www)\.", re.IGNORECASE)
MARK = "\u200b"
BACKTICKS = re.compile(r"`+")


def printable(text: str) -> str:
    """Return a text on one line, with escapes for characters that a terminal interprets."""
    return "".join(_escaped(character) if _is_unprintable(character) else character for character in text)


def printable_lines(text: str) -> str:
    """Return a text with its line breaks, safe for a terminal and for the log of a pipeline."""
    return "\n".join(COMMAND.sub(rf"\1{MARK}\2", printable(line)) for line in text.replace("\t", "    ").split("\n"))


def markdown(text: str) -> str:
    """Return a text that Markdown shows unchanged: one line without markup, links and mentions."""
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


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the closest name, or all of them; empty if there are none."""
    names = list(names)
    close = closest(name, names)
    return f"; did you mean {close}?" if close else f"; use {one_of(names)}" if names else ""


def closest(name: str, names: Iterable[str]) -> str:
    """Return the name that somebody probably meant; empty if none is close."""
    lowered = {other.lower(): other for other in names}
    close = difflib.get_close_matches(name.lower(), lowered, 1)
    return lowered[close[0]] if close else ""


def one_of(names: Iterable[str]) -> str:
    """Return alternatives, such as: a, b or c."""
    return _joined(names, "or")


def all_of(names: Iterable[str]) -> str:
    """Return a list, such as: a, b and c."""
    return _joined(names, "and")


def _joined(names: Iterable[str], word: str) -> str:
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last
