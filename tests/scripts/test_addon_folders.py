"""Folders of add-ons that no ApplicationSet reads, or that install nothing, and mistakes in addon.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops.checks.addons import addons
from gitops.checks.types import Repository
from gitops.tree import ANSWERS, Tree

FOLDER = "apps/platform/keda"
DESCRIPTION = "chart: keda\nrepository: https://example.com/charts\nversion: 1.0.0\nnamespace: keda\n"
FILES = {
    ANSWERS: "clusters: [nonprod, {name: prod}]\n",
    f"{FOLDER}/addon.yaml": DESCRIPTION,
    f"{FOLDER}/values.yaml": "{}",
    f"{FOLDER}/clusters/prod/values.yaml": "{}",
    "apps/platform/policies/base/kustomization.yaml": "{}",
    "apps/platform/policies/clusters/prod/kustomization.yaml": "{}",
    "apps/platform/README.md": "",
}


def problems(path: Path, changes: dict[str, str | None]) -> list[str]:
    """Return the problems of a repository; None deletes a file."""
    for name, text in (FILES | changes).items():
        if text is not None:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)
    return list(addons.find(Repository(path, Tree(path, "working tree"))))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {f"{FOLDER}/addon.yaml": f"{DESCRIPTION}podSecurity: baseline\ndigest: sha256:0\nignoreDifferences: []\n"},
        {f"{FOLDER}/addon.yaml": DESCRIPTION.replace("namespace: keda", "namespace: kube-system")},
        {ANSWERS: None, f"{FOLDER}/clusters/other/values.yaml": "{}"},
    ],
    ids=["minimal", "all fields", "shared namespace", "without answers"],
)
def test_an_add_on_that_is_installed_is_no_problem(tmp_path: Path, changes: dict[str, str | None]) -> None:
    assert problems(tmp_path, changes) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({f"{FOLDER}/addon.yaml": None}, " has no addon.yaml, so no chart is installed: add it with chart, repository"),
        (
            {f"{FOLDER}/addon.yaml": None, f"{FOLDER}/addon.yml": DESCRIPTION},
            "/addon.yml: no ApplicationSet reads it: rename it to addon.yaml",
        ),
        ({f"{FOLDER}/clusters/prod/values.yaml": None}, " has no folder clusters/<cluster>, so no cluster installs it"),
        (
            {f"{FOLDER}/clusters/prd/values.yaml": "{}"},
            "/clusters/prd: prd is not a cluster; did you mean prod?",
        ),
        (
            {f"{FOLDER}/clusters/prod/kustomization.yml": "{}"},
            "/clusters/prod/kustomization.yml: no ApplicationSet reads it: rename it to kustomization.yaml",
        ),
        (
            {f"{FOLDER}/addon.yaml": f"{DESCRIPTION}podsecurity: baseline"},
            "/addon.yaml: podsecurity has no effect; did you mean podSecurity?",
        ),
        (
            {f"{FOLDER}/addon.yaml": DESCRIPTION.replace("namespace: keda\n", "")},
            "/addon.yaml: namespace is missing: add it",
        ),
        ({f"{FOLDER}/addon.yaml": DESCRIPTION.replace("1.0.0", "1.10")}, "/addon.yaml: version 1.1 is not text"),
        ({f"{FOLDER}/addon.yaml": "- keda"}, "/addon.yaml must be one map with chart, repository, version, namespace"),
        (
            {f"{FOLDER}/addon.yaml": f"{DESCRIPTION}podSecurity: strict"},
            "/addon.yaml: podSecurity strict is not a Pod Security level: use restricted, baseline or privileged",
        ),
        (
            {f"{FOLDER}/addon.yaml": f"{DESCRIPTION.replace('e: keda', 'e: kube-system')}podSecurity: restricted"},
            "/addon.yaml: podSecurity would stop the pods of others in the shared namespace kube-system: remove it",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_one_that_is_not_is_named(tmp_path: Path, changes: dict[str, str | None], problem: str) -> None:
    (found,) = problems(tmp_path, changes)
    assert found.startswith(f"{FOLDER}{problem}")
