"""An update to a newer version of the template: what it brings, and what it leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.updates.conftest import EXAMPLES, Render
from tests.updates.repository import Repository, differences, seeds, set_tag
from tests.updates.versions import Versions, git

SHOP_IN_PRODUCTION = "apps/workloads/shop/overlays/prod/kustomization.yaml"
REPORTS_IN_PRODUCTION = "apps/workloads/reports/overlays/prod/kustomization.yaml"
SHOP_API = "apps/workloads/shop/base/shop-api.yaml"
TUNED = "apps/platform/traefik/values/overrides-prod.yaml"
DELETED_SEED = "apps/platform/traefik/values/overrides-nonprod.yaml"
OWN_WORKLOAD = {
    "apps/workloads/crm/base/kustomization.yaml": "resources: [crm.yaml]\n",
    "apps/workloads/crm/base/crm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: crm\n",
    "apps/workloads/crm/overlays/dev/kustomization.yaml": "resources: [../../base]\n",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_untouched_repository_becomes_what_a_fresh_copy_is(
    example: str, render: Render, next_version: str, versions: Versions, tmp_path: Path
) -> None:
    repository = render(EXAMPLES[example])
    before = repository.files()
    repository.update(next_version)
    after = repository.files()
    fresh = Repository.copy(versions, tmp_path / "fresh", EXAMPLES[example], next_version).files()

    assert differences(after, fresh) == seeds(fresh)
    assert not differences(after, before) & seeds(before)
    assert len(differences(after, before)) > len(before) / 2, "the newer version changes too little to prove anything"


@pytest.mark.parametrize("example", EXAMPLES)
def test_git_keeps_all_that_is_rendered_and_sees_all_that_an_update_leaves(example: str, render: Render) -> None:
    repository = render(EXAMPLES[example])
    repository.write("README.md.rej")
    assert "!! " not in git(repository.path, "status", "--porcelain", "--ignored")


def test_git_keeps_workloads_whatever_they_are_called(render: Render) -> None:
    repository = render(EXAMPLES["minimal"])
    for name in ("build", "dist", "env", "key", "kubeconfig", "kubeconfig-viewer", "secrets", "tmp", "vendor"):
        repository.write(f"apps/workloads/{name}/base/{name}.yaml")
    assert "!! " not in git(repository.path, "status", "--porcelain", "--ignored")


@pytest.fixture(scope="module")
def lived_in(render: Render, next_version: str) -> Repository:
    """Three environments, worked in by people and bots, then updated."""
    repository = render(EXAMPLES["stages"])
    for file, text in OWN_WORKLOAD.items():
        repository.write(file, text)
    repository.write(TUNED, "autoscaling:\n  maxReplicas: 9\n")
    repository.replace(SHOP_API, "revisionHistoryLimit: 3\n", "revisionHistoryLimit: 7\n")
    set_tag(repository, SHOP_IN_PRODUCTION, "v2.9.0")
    repository.replace(SHOP_IN_PRODUCTION, "count: 4\n", "count: 6\n")
    repository.write("README.md", repository.text("README.md") + "\n## Our own\n")
    repository.write("docs/new.md", "Ours, before the template had one.\n")
    repository.replace(REPORTS_IN_PRODUCTION, "# What runs here.", "# What runs here, said by us.")
    for file in (DELETED_SEED, ".editorconfig"):
        (repository.path / file).unlink()
    repository.commit()
    repository.update(next_version)
    return repository


def test_an_edit_in_a_generated_file_survives_beside_the_newer_version(lived_in: Repository) -> None:
    assert "revisionHistoryLimit: 7\n" in lived_in.text(SHOP_API)
    assert "Reworded." in lived_in.text(SHOP_API)
    assert lived_in.text("README.md").endswith("\n## Our own\n")


def test_a_workload_made_by_hand_is_left_alone(lived_in: Repository) -> None:
    assert {file: lived_in.text(file) for file in OWN_WORKLOAD} == OWN_WORKLOAD


def test_a_tuned_file_is_left_alone(lived_in: Repository) -> None:
    assert lived_in.text(TUNED) == "autoscaling:\n  maxReplicas: 9\n"


def test_a_deleted_seed_comes_back_and_another_deleted_file_does_not(lived_in: Repository) -> None:
    assert "Reworded." in lived_in.text(DELETED_SEED)
    assert not (lived_in.path / ".editorconfig").exists()


def test_a_released_image_and_a_changed_count_stay_beside_the_newer_version(lived_in: Repository) -> None:
    overlay = lived_in.yaml(SHOP_IN_PRODUCTION)
    assert overlay["images"][0]["newTag"] == "v2.9.0"
    assert {"name": "shop-api", "count": 6} in overlay["replicas"]
    assert "Reworded." in lived_in.text(SHOP_IN_PRODUCTION)


def test_a_conflict_is_only_where_both_changed_the_same_line(lived_in: Repository) -> None:
    assert lived_in.conflicts() == {REPORTS_IN_PRODUCTION, "docs/new.md"}
    assert "# What runs here, said by us." in lived_in.text(REPORTS_IN_PRODUCTION)
    assert "Ours, before the template had one." in lived_in.text("docs/new.md")


def test_git_finds_every_conflict(lived_in: Repository) -> None:
    check = subprocess.run(["git", "diff", "--check"], cwd=lived_in.path, capture_output=True, text=True)
    assert {line.split(":")[0] for line in check.stdout.splitlines()} == lived_in.conflicts()
