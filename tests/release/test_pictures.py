"""README.md shows the current output of the tools."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import pictures

PICTURES = sorted(pictures.IMAGES.glob("*.svg"))


def test_the_readme_shows_what_copier_prints_of_refused_answers(template: Path, tmp_path: Path) -> None:
    assert pictures.refused_block(template, tmp_path) in pictures.README.read_text(), "run: make pictures"


@pytest.mark.proof
def test_the_picture_shows_what_the_blast_radius_prints(downloads: None, template: Path, tmp_path: Path) -> None:
    fresh = pictures.shown_text(pictures.blast_radius_picture(template, tmp_path))
    committed = pictures.shown_text((pictures.IMAGES / "blast-radius.svg").read_text())
    assert committed == fresh, "run: make pictures"


def test_a_picture_shows_every_line_of_its_command() -> None:
    picture = pictures.svg("terminal", "cat <file>", 'one & two\n\n  three -> "four"')
    assert pictures.shown_text(picture) == ["$ cat <file>", "one & two", '  three -> "four"']


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_pictures_are_shown_and_load_nothing(picture: Path) -> None:
    text = picture.read_text()
    assert f"(docs/images/{picture.name})" in pictures.README.read_text()
    assert set(re.findall(r"[a-z]+://[^\s\"')]+", text)) == {pictures.NAMESPACE}
    assert not re.search(r"@import|@font-face|<script|<image|href=", text)
