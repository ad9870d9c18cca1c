"""The check that the tools of a repository are locked with checksums."""

from __future__ import annotations

import tomllib

import pytest

from gitops import checks
from gitops.checks import Result, State
from tests.support.checkout import Checkout

SUM = "sha256:" + "0" * 64


def result_of(checkout: Checkout) -> Result:
    (result,) = checks.run(checkout.path, only=["locks"])
    return result


def lock(checkout: Checkout) -> str:
    """Return a lock of all tools, as mise writes it."""
    configuration = tomllib.loads((checkout.path / "mise.toml").read_text())
    text = ""
    for name, version in configuration["tools"].items():
        text += f'[[tools.{name}]]\nversion = "{version}"\nbackend = "aqua:{name}"\n'
        for platform in configuration["settings"]["lockfile_platforms"]:
            text += f'[tools.{name}."platforms.{platform}"]\nchecksum = "{SUM}"\nurl = "https://x.test/{name}"\n'
    return text


def test_without_a_lock_there_is_a_note_and_with_one_there_is_none(checkout: Checkout) -> None:
    without = result_of(checkout)
    assert without.state is State.NOTE and without.is_complete
    checkout.write("mise.lock", lock(checkout))
    assert result_of(checkout).state is State.OK


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('version = "4.3.1"', 'version = "4.3.0"', "no checksum of helm 4.3.1 for linux-arm64, linux-x64, macos-"),
        ('[tools.helm."platforms.macos-x64"]', "[tools.helm.other]", "no checksum of helm 4.3.1 for macos-x64: run"),
        (SUM, "md5:0", "no checksum of dyff"),
        ("[[tools.dyff]]", "[[tools.dyff", "mise.lock: "),
        ("[[tools.dyff]]", "tools = 1\n[[other.dyff]]", "mise.lock: "),
    ],
)
def test_a_lock_with_a_hole_fails(checkout: Checkout, old: str, new: str, problem: str) -> None:
    text = lock(checkout)
    assert old in text
    checkout.write("mise.lock", text.replace(old, new, 1))
    result = result_of(checkout)
    assert result.state is State.FAILED
    assert problem in result.problems[0]


def test_a_lock_of_another_form_fails(checkout: Checkout) -> None:
    checkout.write("mise.lock", "tools = 1\n")
    assert "has an unknown form" in result_of(checkout).problems[0]
