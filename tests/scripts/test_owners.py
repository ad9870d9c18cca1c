"""CODEOWNERS, read as GitHub and GitLab do, and the check for files without an owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops import checks
from gitops.checks.types import State
from gitops.codeowners import read_github, read_gitlab
from tests.support.checkout import Checkout, committed
from tests.support.repository import examples, render

EVERYTHING = "* @acme/platform\n"
PROD = "apps/workloads/shop/overlays/prod/kustomization.yaml"


@pytest.mark.parametrize(
    ("lines", "file", "has_owner"),
    [
        ("* @a", "argo/root.yaml", True),
        ("*.yaml @a", "argo/root.yaml", True),
        ("*.md @a", "argo/root.yaml", False),
        ("argo/ @a", "argo/x/root.yaml", True),
        ("argo/ @a", "x/argo/root.yaml", True),
        ("/argo/ @a", "x/argo/root.yaml", False),
        ("/argo @a", "argo/x/root.yaml", True),
        ("/argo/* @a", "argo/root.yaml", True),
        ("/argo/* @a", "argo/x/root.yaml", False),
        ("/argo/** @a", "argo/x/root.yaml", True),
        ("argo/x @a", "y/argo/x/root.yaml", False),
        ("**/x @a", "y/x/root.yaml", True),
        ("/apps/workloads/*/overlays/prod/ @a", PROD, True),
        ("/apps/workloads/*/overlays/prod/ @a", PROD.replace("prod", "dev"), False),
        ("/apps/*/prod/ @a", PROD, False),
        ("/apps/**/prod/ @a", PROD, True),
        ("/ARGO/ @a", "argo/root.yaml", False),
        ("/arg? @a", "argo/root.yaml", True),
        # The last matching line wins, even without an owner.
        ("* @a\n/argo/", "argo/root.yaml", False),
        ("/argo/\n* @a", "argo/root.yaml", True),
        # A comment, and lines that GitHub skips.
        ("# * @a", "argo/root.yaml", False),
        ("* # @a", "argo/root.yaml", False),
        ("* @a # everybody", "argo/root.yaml", True),
        ("* platform", "argo/root.yaml", False),
        ("* @a\n!/argo/ @b", "argo/root.yaml", True),
        ("* platform@acme.io", "argo/root.yaml", True),
        ("* @acme/", "argo/root.yaml", False),
        # GitHub has no sections.
        ("[Platform] @a\n*", "argo/root.yaml", False),
        ("*/*/*/*/*/* @a", "a/b/c/d/e/f", False),
    ],
)
def test_an_owner_is_found_as_github_does(lines: str, file: str, has_owner: bool) -> None:
    assert read_github(lines).has_owner(file) is has_owner


@pytest.mark.parametrize(
    ("lines", "file", "has_owner"),
    [
        ("* @a", "argo/root.yaml", True),
        ("* @@maintainer", "argo/root.yaml", True),
        ("* nobody @a", "argo/root.yaml", True),
        ("* nobody", "argo/root.yaml", False),
        ("argo/ @a", "x/argo/y/root.yaml", True),
        ("/argo/ @a", "x/argo/root.yaml", False),
        ("/argo/* @a", "argo/x/root.yaml", False),
        ("/argo/**/* @a", "argo/x/root.yaml", True),
        ("argo/root.yaml @a", "x/argo/root.yaml", True),
        ("/argo @a", "argo/root.yaml", False),
        # Each section decides for itself.
        ("[Platform] @a\n*", "argo/root.yaml", True),
        ("[Platform][2] @a\n/argo/", "argo/root.yaml", True),
        ("[Platform]\n*", "argo/root.yaml", False),
        ("^[Platform] @a\n*", "argo/root.yaml", False),
        ("* @a\n[Docs] @b\n/docs/", "argo/root.yaml", True),
        ("[Platform] @a\n/argo/\n[platform]\n/argo/", "argo/root.yaml", False),
        ("[One]\n/argo/ @a\n[Two]\n/argo/", "argo/root.yaml", True),
        # An exclusion applies to its section, wherever it is.
        ("* @a\n!/argo/", "argo/root.yaml", False),
        ("!/argo/\n* @a", "argo/root.yaml", False),
        ("* @a\n[Docs] @b\n*\n!/argo/", "argo/root.yaml", True),
    ],
)
def test_an_owner_is_found_as_gitlab_does(lines: str, file: str, has_owner: bool) -> None:
    assert read_gitlab(lines).has_owner(file) is has_owner


def notes(checkout: Checkout) -> str:
    """Return the notes of the check. It never fails, and is complete."""
    (result,) = checks.run(checkout.path, only=["owners"])
    assert result.problems == [] and result.is_complete
    assert result.state is (State.NOTE if result.notes else State.OK)
    return "".join(result.notes)


def test_a_fresh_repository_is_told_what_has_no_owner(checkout: Checkout) -> None:
    workloads = [f"apps/workloads/*/{folder}/" for folder in ("base", "overlays/prod", "overlays/staging")]
    places = [".github/", "apps/platform/", "apps/platform/policies/", *workloads, "argo/", "bootstrap/"]
    places += ["mise.toml", "renovate.json5", "scripts/"]
    assert notes(checkout).startswith(f".github/CODEOWNERS names no owner of {', '.join(places)}. ")


def test_an_owner_of_everything_is_enough_and_a_hole_is_named(checkout: Checkout) -> None:
    checkout.write(".github/CODEOWNERS", EVERYTHING)
    assert notes(checkout) == ""
    checkout.write("apps/workloads/shop/notes.txt", "text\n")
    checkout.write(".github/CODEOWNERS", f"{EVERYTHING}/apps/workloads/shop/\n/scripts/\n/argo/\n/argo/ @acme/argo\n")
    folders = [f"apps/workloads/*/{folder}" for folder in ("", "base/", "overlays/prod/", "overlays/staging/")]
    assert notes(checkout).startswith(f".github/CODEOWNERS names no owner of {', '.join(folders)}, scripts/. ")
    # Unprotected overlays need none.
    checkout.write(".github/CODEOWNERS", f"{EVERYTHING}/apps/workloads/*/overlays/dev/\n/docs/\n")
    assert notes(checkout) == ""


def test_the_first_file_counts(checkout: Checkout) -> None:
    checkout.write("CODEOWNERS", EVERYTHING)
    assert notes(checkout).startswith(".github/CODEOWNERS names no owner")
    (checkout.path / ".github/CODEOWNERS").unlink()
    assert notes(checkout) == ""
    (checkout.path / "CODEOWNERS").unlink()
    assert notes(checkout).startswith("There is no CODEOWNERS file, and so no owner of .github/, ")


def test_gitlab_has_its_own_file(template: Path, environment: dict[str, str], tmp_path: Path) -> None:
    path = committed(render(template, examples()["stages"] | {"ci": "gitlab"}, tmp_path / "repository"))
    checkout = Checkout(path, environment)
    assert notes(checkout).startswith(".gitlab/CODEOWNERS names no owner of .gitlab-ci.yml, .gitlab/, apps/platform/, ")
    checkout.write(".gitlab/CODEOWNERS", f"^[Everybody]\n{EVERYTHING}")
    assert ".gitlab-ci.yml" in notes(checkout)
    checkout.write(".gitlab/CODEOWNERS", "[Platform] @acme/platform\n*\n")
    assert notes(checkout) == ""
