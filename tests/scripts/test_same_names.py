"""Two workloads have components of the same name: only the namespace distinguishes their objects.

tests/rendering/test_own_checks.py runs the rendered checks on such answers.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gitops import checks
from tests.support.checkout import Checkout, committed
from tests.support.repository import examples, render

FILE = "apps/workloads/{}/overlays/{}/kustomization.yaml"
OLD, NEW = 'newTag: "1.0.0"', 'newTag: "1.1.0"'


@pytest.fixture
def checkout(template: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a clone in which two workloads have the same component with the same image, in one cluster."""
    web = {"name": "web", "image": "ghcr.io/acme/web:1.0.0", "port": 8080}
    workloads: list[dict[str, Any]] = [{"name": name, "components": [web]} for name in ("blog", "shop")]
    answers = examples()["minimal"] | {"environments": ["dev", "staging"], "workloads": workloads}
    return Checkout(committed(render(template, answers, tmp_path / "clone")), environment)


def test_a_change_of_one_workload_is_never_that_of_the_other(checkout: Checkout) -> None:
    inventory = (checkout.path / "docs/inventory.md").read_text().splitlines()
    assert {line.split("|")[3].strip(" `") for line in inventory if line.endswith("| web |")} == {
        f"{workload}-{environment}" for workload in ("blog", "shop") for environment in ("dev", "staging")
    }

    checkout.replace(FILE.format("shop", "dev"), OLD, NEW)
    report = checkout.blast_radius()
    assert {name: change["restarted"] for name, change in report["changes"].items()} == {"shop-dev": ["Deployment/web"]}
    assert report["headline"] == "1 application changes, 1 Deployment restarts"
    checkout.commit()
    assert checkout.script("promote.py", "shop", "dev", "staging").returncode == 0
    assert checkout.git("diff", "--name-only") == FILE.format("shop", "staging")
    checkout.commit()

    # Both are added to another environment with their original image, which only one of them still runs.
    for workload in ("blog", "shop"):
        folder = checkout.path / f"apps/workloads/{workload}/overlays"
        shutil.copytree(folder / "dev", folder / "qa")
        file = folder / "qa/kustomization.yaml"
        file.write_text(file.read_text().replace(NEW, OLD))
    answers = checkout.path / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("- staging\n", "- staging\n- qa\n"))
    (result,) = checks.run(checkout.path, only=["stages"])
    command = "run scripts/promote.py shop staging qa"
    image = "ghcr.io/acme/web:1.0.0: staging runs ghcr.io/acme/web:1.1.0"
    assert result.notes == [f"{FILE.format('shop', 'qa')}: {image}: {command}"]
