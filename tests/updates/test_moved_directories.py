"""A newer version renames a directory: a migration moves it, and Copier requires trust once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import examples
from tests.support.updates.repository import Render, Repository, differences, is_fresh, seeds
from tests.support.updates.template_changes import MIGRATION, OVERLAYS, edit, edit_schema
from tests.support.updates.versions import Versions, git

EXAMPLES = examples()

MINIMAL = EXAMPLES["minimal"]
OLD, NEW = (
    "apps/workloads/whoami/overlays/dev/kustomization.yaml",
    "apps/workloads/whoami/stages/dev/kustomization.yaml",
)


def update(repository: Repository, tag: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Update like a user."""
    command = [sys.executable, "-m", "copier", "update", "--defaults", "--vcs-ref", tag, *options]
    return subprocess.run(command, cwd=repository.path, capture_output=True, text=True)


@pytest.mark.proof
def test_without_trust_nothing_is_written_and_only_this_update_needs_it(
    moved_version: str, later_version: str, render: Render
) -> None:
    repository = render(MINIMAL)
    refused = update(repository, later_version)
    assert refused.returncode != 0 and "migrations" in refused.stderr and "--trust" in refused.stderr
    assert repository.changed() == set()

    repository.update(moved_version, trust=True)
    assert is_fresh(repository, moved_version, render)
    repository.commit()
    repository.update(later_version)
    assert is_fresh(repository, later_version, render)


@pytest.mark.proof
def test_a_directory_that_people_moved_already_is_merged_as_well(moved_version: str, render: Render) -> None:
    repository = render(MINIMAL)
    repository.replace(OLD, "newTag: v1.11.0", "newTag: v1.12.0")
    git(repository.path, "mv", "apps/workloads/whoami/overlays", "apps/workloads/whoami/stages")
    repository.commit()
    repository.update(moved_version, trust=True)

    merged = render(MINIMAL, moved_version)
    merged.replace(NEW, "newTag: v1.11.0", "newTag: v1.12.0")
    assert repository.conflicts() == set()
    assert differences(repository.files(), merged.files()) <= seeds(merged.files())


@pytest.mark.proof
def test_a_directory_that_people_deleted_stays_deleted(moved_version: str, render: Render) -> None:
    repository = render(MINIMAL)
    shutil.rmtree(repository.path / "apps/workloads/whoami/overlays")
    repository.commit()
    repository.update(moved_version, trust=True)
    assert not (repository.path / "apps/workloads/whoami/stages").exists()


def test_what_is_in_the_way_stops_the_update_before_anything_is_written(moved_version: str, render: Render) -> None:
    repository = render(MINIMAL)
    repository.write(NEW)
    repository.commit()
    refused = update(repository, moved_version, "--trust")
    assert refused.returncode != 0 and f"{OLD} is called {NEW}" in refused.stderr
    assert repository.changed() == set()


@pytest.mark.proof
def test_refused_answers_stop_the_update_before_anything_is_moved(
    moved_version: str, versions: Versions, render: Render
) -> None:
    def change(template: Path) -> None:
        edit_schema(template, "properties", "target_revision", pattern="^release-", default="release-1")

    stricter = versions.release("moved and stricter", change, after=moved_version)
    repository = render(MINIMAL)
    refused = update(repository, stricter, "--trust")
    assert refused.returncode == 1 and 'target_revision: "main" ' in refused.stderr
    assert repository.changed() == set()


@pytest.mark.proof
def test_a_directory_renamed_twice_takes_edits_along_from_any_version(
    moved_version: str, later_version: str, versions: Versions, render: Render
) -> None:
    """The entry of the first migration has the current name of the directory."""

    def change(template: Path) -> None:
        edit(template, "copier.yml", "stages", "environments")
        edit(template, "hooks/rules/files.jinja", "stages/", "environments/")
        edit(template, "hooks/folder/generated.jinja", "stages/", "environments/")
        for folder in (template / "template/apps/workloads").glob("*/stages"):
            folder.rename(folder.with_name("environments"))
        migration = MIGRATION.format(version=tag, old=OVERLAYS[1], new="apps/workloads/*/environments")
        settings = template / "copier.yml"
        settings.write_text(settings.read_text() + migration.lstrip("\n"))

    tag = versions.upcoming
    assert versions.release("moved twice", change, after=later_version) == tag
    for before, file in (("v1.0.0", OLD), (later_version, NEW)):
        repository = render(MINIMAL, before)
        repository.replace(file, "newTag: v1.11.0", "newTag: v1.12.0")
        repository.commit()
        repository.update(tag, trust=True)
        assert repository.conflicts() == set()
        assert "newTag: v1.12.0" in repository.text(NEW.replace("stages", "environments"))
        assert not (repository.path / file).exists()
