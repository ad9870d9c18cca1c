"""scripts/validate.py prints results and returns an exit status as documented."""

from __future__ import annotations

import re

from gitops import checks
from tests.support.checkout import Checkout

NOWHERE = "http://127.0.0.1:9"
QUICK = ["conflicts", "answers", "files", "local", "yaml", "folders", "addons", "watched", "entries", "stages"]
QUICK += ["certificates", "secrets", "locks", "owners"]


def lines(checkout: Checkout, *arguments: str, status: int, **environment: str) -> list[str]:
    """Run the script, and return its output."""
    result = checkout.process("validate.py", *arguments, **environment)
    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode == status, result.stdout + result.stderr
    return (result.stdout + result.stderr).splitlines()


def only(*identifiers: str) -> list[str]:
    return [argument for identifier in identifiers for argument in ("--only", identifier)]


def test_every_check_has_an_id_and_a_title(checkout: Checkout) -> None:
    listed = lines(checkout, "--list", status=0)
    assert listed == [f"{check.id:10} {check.title}" for check in checks.all_checks()]
    assert len({check.id for check in checks.all_checks()}) == len(listed)


def test_quick_checks_are_those_that_build_nothing(checkout: Checkout) -> None:
    # Missing locks and digests in a fresh repository fail nothing.
    *results, tools, locks, owners, note, empty, summary = lines(checkout, "--quick", status=0)
    assert [line.split()[0] for line in results] == ["ok"] * (len(QUICK) - 2)
    assert [tools, owners] == [
        "note     Tools are locked with checksums",
        "note     What is protected has a code owner",
    ]
    assert locks.startswith("         mise.lock is missing")
    assert (empty, summary) == ("", f"{len(QUICK)} checks: {len(QUICK) - 2} ok, 2 with notes.")
    assert note.startswith("         .github/CODEOWNERS names no owner of .github/, ")
    assert [check.id for check in checks.all_checks() if check.is_quick] == QUICK


def test_one_check_runs_alone_and_its_problems_stand_below_it(checkout: Checkout) -> None:
    checkout.write("notes.txt", "<<<<<<< ours\n")
    assert lines(checkout, *only("conflicts"), status=1) == [
        "FAIL     No conflict is left from an update or a merge",
        "         notes.txt:1: a conflict marker: keep one side, then delete the markers",
        "",
        "Fix the problems, then run scripts/validate.py again.",
        "1 check: 1 failed.",
    ]
    assert lines(checkout, *only("yaml"), status=0) == ["ok       YAML is clean", "", "1 check: 1 ok."]


def test_an_unknown_check_is_refused_with_those_that_there_are(checkout: Checkout) -> None:
    (line,) = lines(checkout, *only("host"), status=1)
    assert line == "there is no check host; did you mean hosts?"


def test_a_chart_that_cannot_be_downloaded_is_no_fault_of_the_repository(checkout: Checkout) -> None:
    printed = lines(checkout, *only("builds", "hooks", "values"), status=2, HTTPS_PROXY=NOWHERE)
    reason = "kubernetes-sigs.github.io, traefik.github.io and raw.githubusercontent.com cannot be reached"
    assert printed[0] == f"skipped  Every application builds ({reason})"
    # The jobs of workloads need no chart.
    assert printed[1] == "ok       Each release runs its jobs"
    assert printed[2].startswith("skipped  Values are read by their chart (")
    fix = "traefik.github.io cannot be reached: check the network, and HTTPS_PROXY if there is a proxy ("
    assert sum(line.startswith(fix) for line in printed) == 1
    assert printed[-2:] == [
        "This is not a pass: 2 of 3 checks could not look at everything.",
        "3 checks: 1 ok, 2 skipped.",
    ]


def test_a_problem_is_reported_even_where_not_everything_can_be_checked(checkout: Checkout) -> None:
    (checkout.path / "apps/workloads/shop/base/network-policy.yaml").unlink()
    printed = lines(checkout, *only("builds"), status=1, HTTPS_PROXY=NOWHERE)
    assert printed[0] == "FAIL     Every application builds"
    assert any("network-policy.yaml" in line for line in printed)
    assert any(line.startswith("         Not everything was checked: ") for line in printed)


def test_a_branch_that_concerns_no_application_skips_the_checks_of_applications(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "branch")
    checkout.write("docs/own.md", "Text.\n")
    identifiers = ["builds", "own", "policies", "projects", "schemas", "values"]
    *results, summary = lines(checkout, "--changed", "main", *only(*identifiers), status=0)
    skipped = [line for line in results if re.fullmatch(r"skipped  .+ \(.+\)", line)]
    assert len(skipped) == len(identifiers)
    assert summary == "6 checks: 6 skipped."
