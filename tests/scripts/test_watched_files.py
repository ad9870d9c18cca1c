"""Argo CD watches every file of its builds: compare builds with the annotation manifest-generate-paths."""

from __future__ import annotations

from typing import Any

import pytest

from gitops import checks, reads
from gitops.applications import GENERATE_PATHS, Application
from gitops.tree import Tree
from tests.support.argocd import applications
from tests.support.checkout import Checkout
from tests.support.repository import Repository

SET = "argo/applicationsets/workloads-prod.yaml"
OVERLAY = "apps/workloads/shop/overlays/prod"
COMPONENT = "apps/workloads/shop/components/team"
WATCHED = "argocd.argoproj.io/manifest-generate-paths: /apps/workloads/{{ index .path.segments 2 }}"
URL = "https://github.com/acme/platform.git"


@pytest.fixture
def shared(checkout: Checkout) -> Checkout:
    """Return a clone in which the overlay for prod has a component that other overlays could use too."""
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": [{"path": "p.yaml"}]}
    component["patches"] = [{"target": {"kind": "Service"}, "path": "patch.yaml"}]
    checkout.write(f"{COMPONENT}/kustomization.yaml", component)
    patch = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "any", "annotations": {"team": "one"}}}
    checkout.write(f"{COMPONENT}/patch.yaml", patch)
    file = checkout.path / OVERLAY / "kustomization.yaml"
    file.write_text(f"{file.read_text()}components:\n  - ../../components/team\n")
    checkout.commit()
    return checkout


def problems(checkout: Checkout, **arguments: Any) -> list[str]:
    """Return the files that are not watched."""
    (result,) = checks.run(checkout.path, only=["watched"], **arguments)
    return result.problems


def test_everything_that_a_rendered_repository_is_built_from_is_watched(repository: Repository) -> None:
    tree = Tree(repository.path, "rendered")
    for application in applications(repository).values():
        part = reads.read(tree, application)
        assert part and part.files
        assert reads.unwatched(application, part) == ""
        if application.workload and application.workload not in repository.releasing:
            assert application.generate_paths == [f"apps/workloads/{application.workload}"]


def test_a_shared_component_is_watched(shared: Checkout) -> None:
    assert problems(shared) == []


def test_an_annotation_that_leaves_a_file_out_is_named_with_its_right_value(shared: Checkout) -> None:
    shared.replace(SET, WATCHED, WATCHED.partition(": ")[0] + ": .;../../base")
    (problem,) = problems(shared)
    assert problem.startswith(f"shop-prod is built from {COMPONENT}/kustomization.yaml and 1 more, ")
    value = f".;../../base;/{COMPONENT}"
    assert problem.endswith(f"set the annotation {GENERATE_PATHS} to {value}")
    shared.replace(SET, "generate-paths: .;../../base", f"generate-paths: {value}")
    assert problems(shared) == []


def test_only_what_a_branch_changes_is_looked_at(shared: Checkout) -> None:
    """The files that a build reads decide which Applications are checked, not the watched files."""
    shared.replace(SET, WATCHED, WATCHED.partition(": ")[0] + ": .;../../base")
    shared.commit()
    shared.git("branch", "trunk")
    assert problems(shared, changed_since="trunk") == []
    shared.replace(f"{COMPONENT}/patch.yaml", '"one"', '"two"')
    (problem,) = problems(shared, changed_since="trunk")
    assert problem.startswith("shop-prod is built from ")


def test_a_changed_component_is_built(shared: Checkout) -> None:
    shared.git("branch", "trunk")
    shared.replace(f"{COMPONENT}/patch.yaml", '"kind": "Service"', '"kind": "Other"')
    shared.replace(f"{COMPONENT}/kustomization.yaml", '"target": {"kind": "Service"}, ', "")
    (result,) = checks.run(shared.path, only=["builds"], changed_since="trunk")
    assert any("shop-prod" in problem and "Other" in problem for problem in result.problems), result
    assert "shop-dev" not in str(result.problems)


def test_the_blast_radius_shows_a_changed_component_and_nothing_else(shared: Checkout) -> None:
    shared.replace(f"{COMPONENT}/patch.yaml", '"one"', '"two"')
    report = shared.blast_radius()
    assert report["changes"].keys() == {"shop-prod"}
    assert (report["problems"], report["status"]) == ([], 0)


def application(*sources: dict[str, Any], annotation: str | None) -> Application:
    """Return an Application with sources and an annotation."""
    metadata = {"name": "any", "annotations": {} if annotation is None else {GENERATE_PATHS: annotation}}
    return Application({"metadata": metadata, "spec": {"sources": list(sources)}}, is_kept=False)


AT, CHART = {"repoURL": URL, "path": "a/b"}, {"repoURL": URL, "chart": "c"}
ANNOTATIONS = {
    "none": ([AT], None, ["x", "a/b/c"], []),
    "empty": ([AT], " ; ", ["x"], []),
    "its own folder": ([AT], ".", ["a/b/c", "a/b/c/d"], ["a/c", "a/bc"]),
    "a neighbor": ([AT], ".;../c", ["a/b/d", "a/c/d"], ["a/d"]),
    "spaces": ([AT], " . ; /x ", ["a/b/c", "x/y"], ["y"]),
    "from the root": ([AT], "/x/y", ["x/y/z"], ["a/b/c", "x/z"]),
    "a file": ([AT], "/x/y.yaml", ["x/y.yaml"], ["x/z.yaml"]),
    "a pattern": ([AT], "/x/*.yaml", ["x/y.yaml"], ["x/y.json", "x/y/z.yaml"]),
    "everything": ([AT], "/", ["x"], []),
    "a chart": ([CHART, {"repoURL": URL, "ref": "values"}], "/v", ["v/w"], ["x"]),
    "no folder of its own": ([CHART, {"repoURL": URL, "ref": "values"}], ".", ["x"], []),
    "two folders": ([AT, AT | {"path": "c"}], "d", ["a/b/d/x", "c/d/x"], ["c/x"]),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_paths_are_watched_as_argo_cd_matches_them(name: str) -> None:
    """tests/cluster proves some of them. The others are read from util/app/path/path.go."""
    sources, annotation, watched, unwatched = ANNOTATIONS[name]
    subject = application(*sources, annotation=annotation)
    assert [subject.watches(file) for file in [*watched, *unwatched]] == [True] * len(watched) + [False] * len(
        unwatched
    )


def test_a_folder_with_a_chart_below_a_workload_is_refused(checkout: Checkout) -> None:
    """The set declares every overlay a kustomization, so that Argo CD does not detect its type."""
    folder = "apps/workloads/cache/overlays/dev"
    checkout.write(f"{folder}/Chart.yaml", {"apiVersion": "v2", "name": "cache", "version": "1.0.0"})
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cache"}}
    checkout.write(f"{folder}/templates/cm.yaml", item)
    (result,) = checks.run(checkout.path, only=["builds"])
    assert result.problems == [f"cache-dev: not built: {folder} has no kustomization.yaml"]
    assert checkout.blast_radius()["problems"] == [
        f"cache-dev, working tree: not built: {folder} has no kustomization.yaml"
    ]
    # A kustomization beside it takes precedence.
    checkout.write(f"{folder}/kustomization.yaml", {"resources": ["templates/cm.yaml"]})
    (result,) = checks.run(checkout.path, only=["builds"])
    assert result.problems == []
    assert checkout.blast_radius()["changes"]["cache-dev"]["added"] == ["ConfigMap/cache"]
