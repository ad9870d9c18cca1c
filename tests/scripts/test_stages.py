"""A new overlay starts with the old image of the answers, and the scripts report it."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gitops import checks
from tests.support.checkout import Checkout
from tests.support.repository import render

OVERLAY = "apps/workloads/shop/overlays/{}"
FILE = f"{OVERLAY}/kustomization.yaml"
STAGING, QA, PROD = (FILE.format(name) for name in ("staging", "qa", "prod"))
COMMAND = "scripts/promote.py shop staging qa"


def notes(checkout: Checkout) -> list[str]:
    (result,) = checks.run(checkout.path, only=["stages"])
    assert result.state is (checks.State.NOTE if result.notes else checks.State.OK)
    return result.notes


def release(checkout: Checkout, environment: str, tag: str) -> None:
    checkout.replace(FILE.format(environment), 'api\n    newTag: "2.7.1"', f'api\n    newTag: "{tag}"')
    checkout.commit()


@pytest.fixture
def with_qa(checkout: Checkout, template: Path, stages: dict[str, Any], tmp_path: Path) -> Checkout:
    """Return a clone in which an update adds a protected environment after releases reached staging."""
    release(checkout, "staging", "2.7.9")
    answers = deepcopy(stages)
    answers["environments"].insert(2, {"name": "qa", "cluster": "nonprod", "protected": True})
    moved = (checkout.path / STAGING).read_text()
    checkout.git("switch", "--quiet", "--create", "qa")
    checkout.become(render(template, answers, tmp_path / "rendered"))
    (checkout.path / STAGING).write_text(moved)
    return checkout


def test_an_added_environment_starts_with_an_old_image_and_everybody_says_so(with_qa: Checkout) -> None:
    report = with_qa.blast_radius()
    text = f"ghcr.io/acme/shop-api:2.7.1: staging runs ghcr.io/acme/shop-api:2.7.9: run {COMMAND}"
    assert report["changes"]["shop-qa"]["outdated"] == [text]
    assert "ghcr.io/acme/shop-api:2.7.1" in report["changes"]["shop-qa"]["images"]
    assert (report["status"], report["changes"]["shop-qa"]["is_outdated"]) == (1, True)
    assert report["conclusion"].startswith("Something protected starts with another image than it should: shop in qa.")
    assert notes(with_qa) == [f"{QA}: {text}"]
    assert with_qa.script("promote.py", *COMMAND.split()[1:]).returncode == 0
    assert notes(with_qa) == []
    promoted = with_qa.blast_radius()
    assert (promoted["status"], promoted["changes"]["shop-qa"]["outdated"]) == (0, [])
    with_qa.commit()
    # Like in a pipeline: the target branch, and the merge.
    assert with_qa.blast_radius("main", "HEAD")["status"] == 0
    assert notes(with_qa) == []


def test_a_workload_that_comes_back_is_compared_with_what_it_ran(checkout: Checkout) -> None:
    release(checkout, "prod", "2.7.9")
    rendered = (checkout.path / PROD).read_text().replace("2.7.9", "2.7.1")
    others = checkout.path / "apps/workloads/shop"
    shutil.copytree(others, checkout.path.parent / "kept")
    shutil.rmtree(others)
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "back")
    shutil.copytree(checkout.path.parent / "kept", others)
    (checkout.path / PROD).write_text(rendered)
    outdated = checkout.blast_radius()["changes"]["shop-prod"]["outdated"]
    text = "ghcr.io/acme/shop-api:2.7.1: before it was removed, it ran ghcr.io/acme/shop-api:2.7.9"
    assert outdated == [f"{text}: write it to {PROD}"]
    assert notes(checkout) == [f"{PROD}: {text}"]


def test_a_renamed_workload_is_compared_with_what_it_was(checkout: Checkout) -> None:
    release(checkout, "prod", "2.7.9")
    new = checkout.path / "apps/workloads/store"
    shutil.move(checkout.path / "apps/workloads/shop", new)
    file = new / "overlays/prod/kustomization.yaml"
    file.write_text(file.read_text().replace("2.7.9", "2.7.1"))
    outdated = checkout.blast_radius()["changes"]["store-prod"]["outdated"]
    assert outdated == [
        "ghcr.io/acme/shop-api:2.7.1: shop-prod runs ghcr.io/acme/shop-api:2.7.9: "
        "write it to apps/workloads/store/overlays/prod/kustomization.yaml"
    ]


def test_a_shallow_clone_or_a_first_commit_is_one_clear_line(checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / ".git")
    for status, arguments in {2: ["blast_radius.py"], 1: ["promote.py", "shop", "dev", "staging"]}.items():
        process = checkout.script(*arguments)
        assert process.returncode == status
        assert len(process.stderr.strip().splitlines()) == 1, process.stderr
    checkout.git("init", "--quiet", "--initial-branch=main")
    (result,) = checks.run(checkout.path, only=["stages"])
    assert (result.state, result.is_complete) == (checks.State.SKIPPED, True)
    assert "main, which is not in this clone" in result.reason
    checkout.commit()
    assert checkout.blast_radius()["status"] == 0
    assert "HEAD^ is not a commit of this clone" in checkout.script("blast_radius.py", "HEAD^").stderr
    assert notes(checkout) == []
