"""The command line of scripts/validate.py: what it prints, and its exit status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitops import checks
from tests.support import engines
from tests.support.checkout import Checkout

NOWHERE = "http://127.0.0.1:9"
QUICK = ["conflicts", "answers", "files", "local", "yaml", "folders", "watched", "entries", "stages", "secrets"]
QUICK += ["locks", "owners"]


def lines(checkout: Checkout, *arguments: str, status: int, **environment: str) -> list[str]:
    """Run the script, and return what it prints."""
    result = checkout.process("validate.py", *arguments, **environment)
    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode == status, result.stdout + result.stderr
    return (result.stdout + result.stderr).splitlines()


def only(*identifiers: str) -> list[str]:
    return [argument for identifier in identifiers for argument in ("--only", identifier)]


def tools(folder: Path, *names: str) -> str:
    """Return a PATH with Git and only these tools."""
    for name in names:
        (folder / name).symlink_to(engines.CACHE / "bin" / name)
    return f"{folder}:/usr/bin:/bin"


def test_every_check_has_an_id_and_a_title(checkout: Checkout) -> None:
    listed = lines(checkout, "--list", status=0)
    assert listed == [f"{check.id:10} {check.title}" for check in checks.all_checks()]
    assert len({check.id for check in checks.all_checks()}) == len(listed)


def test_quick_checks_are_those_that_build_nothing(checkout: Checkout) -> None:
    # What a fresh repository lacks fails nothing.
    *results, tools, locks, owners, note = lines(checkout, "--quick", status=0)
    assert [line.split()[0] for line in results] == ["ok"] * (len(QUICK) - 2)
    assert [tools, owners] == [
        "note     Tools are locked with checksums",
        "note     What is protected has a code owner",
    ]
    assert locks.startswith("         mise.lock is missing")
    assert note.startswith("         .github/CODEOWNERS names no owner of .github/, ")
    assert [check.id for check in checks.all_checks() if check.is_quick] == QUICK


def test_one_check_runs_alone_and_its_problems_stand_below_it(checkout: Checkout) -> None:
    checkout.write("notes.txt", "<<<<<<< ours\n")
    assert lines(checkout, *only("conflicts"), status=1) == [
        "FAILED   No conflict is left from an update or a merge",
        "         notes.txt:1: a conflict marker: keep one side, then delete the markers",
        "",
        "1 of 1 checks failed. Fix the problems, then run scripts/validate.py again.",
    ]
    assert lines(checkout, *only("yaml"), status=0) == ["ok       YAML is clean"]


def test_an_unknown_check_is_refused_with_those_that_there_are(checkout: Checkout) -> None:
    (line,) = lines(checkout, *only("host"), status=1)
    assert line.startswith("host is not a check; there are conflicts, answers")


def test_a_missing_tool_is_named_in_one_line_and_no_check_is_ok_without_it(checkout: Checkout, tmp_path: Path) -> None:
    asked = only("folders", "builds", "schemas", "values", "hosts", "projects")
    for name in ("kustomize", "helm"):
        others = {"kustomize", "helm", "kubeconform"} - {name}
        folder = tmp_path / f"without-{name}"
        folder.mkdir()
        printed = lines(checkout, *asked, status=2, PATH=tools(folder, *others), HTTPS_PROXY=NOWHERE)
        # Helm fills the templates of the add-ons' set, too.
        skipped = printed[1:-2] if name == "kustomize" else printed[:-2]
        assert printed[0].startswith("ok  " if name == "kustomize" else "skipped  ")
        assert all(re.match(r"skipped  .* \(.*\)$", line) for line in skipped), printed
        assert f"{name} is not installed: run `mise install`" in skipped[0]
        assert sum("is not installed" in line for line in printed) == (1 if name == "kustomize" else 2), printed
        assert printed[-1] == f"{len(skipped)} of 6 checks could not check everything: see their reasons."


def test_a_chart_that_cannot_be_downloaded_is_no_fault_of_the_repository(checkout: Checkout) -> None:
    printed = lines(checkout, *only("builds", "values"), status=2, HTTPS_PROXY=NOWHERE)
    assert [line.partition(" (")[0] for line in printed[:2]] == [
        "skipped  Every application builds",
        "skipped  Values are read by their chart",
    ]
    assert "chart traefik 41.3.0 cannot be downloaded from https://traefik.github.io/charts" in printed[0]


def test_a_problem_is_reported_even_where_not_everything_can_be_checked(checkout: Checkout) -> None:
    (checkout.path / "apps/workloads/shop/base/network-policy.yaml").unlink()
    printed = lines(checkout, *only("builds"), status=1, HTTPS_PROXY=NOWHERE)
    assert printed[0] == "FAILED   Every application builds"
    assert any("network-policy.yaml" in line for line in printed)
    assert any(line.startswith("         Not everything was checked: ") for line in printed)


@pytest.mark.parametrize("identifier", ["builds", "own", "policies", "projects", "schemas", "values"])
def test_a_branch_that_concerns_no_application_skips_its_checks(checkout: Checkout, identifier: str) -> None:
    checkout.git("switch", "--quiet", "--create", "branch")
    checkout.write("docs/own.md", "Text.\n")
    (line,) = lines(checkout, "--changed", "main", *only(identifier), status=0)
    assert re.fullmatch(r"skipped  .+ \(.+\)", line)
