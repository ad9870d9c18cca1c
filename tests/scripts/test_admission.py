"""Compare projects before a change with Applications after it, and the reverse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops.admission import Notice, notices
from gitops.applications import read_applications
from gitops.objects import Object
from gitops.tree import Tree
from tests.support.checkout import Checkout
from tests.support.repository import render

OLD, NEW = "https://github.com/acme/old.git", "https://github.com/acme/new.git"
CONFIG_MAP: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "shop"}}
SERVICE: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "two", "namespace": "shop"}}
ROLE: Object = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "shop"}}
FINALIZER = "resources-finalizer.argocd.argoproj.io"


def project(name: str = "prod", kinds: tuple[str, ...] = ("ConfigMap", "Service"), **spec: Any) -> Object:
    """Return a project that admits OLD, the cluster main, and two kinds."""
    listed = [{"group": "", "kind": kind} for kind in kinds]
    default = {"sourceRepos": [OLD], "destinations": [{"name": "main", "namespace": "*"}]}
    all_fields = default | {"namespaceResourceWhitelist": listed} | spec
    return {"apiVersion": "v1", "kind": "AppProject", "metadata": {"name": name}, "spec": all_fields}


def application(name: str = "shop", url: str = OLD, cluster: str = "main", protected: bool = True) -> Object:
    """Return an Application, in the project `bootstrap` if it is root."""
    is_root = name == "root"
    spec = {
        "project": "bootstrap" if is_root else "prod",
        "source": {"repoURL": url, "path": "argo" if is_root else "apps"},
        "destination": {"name": cluster, "namespace": name},
        "syncPolicy": {"automated": {"prune": True}},
    }
    metadata = {"name": name, "finalizers": [] if protected else [FINALIZER]}
    return {"apiVersion": "v1", "kind": "Application", "metadata": metadata, "spec": spec}


Compare = Callable[..., list[Notice]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Compare two lists of projects and Applications, each with the objects that its last Application builds."""

    def run(
        before: list[Object], after: list[Object], old: tuple[Object, ...] = (), new: tuple[Object, ...] = ()
    ) -> list[Notice]:
        trees = []
        for name, items in (("before", before), ("after", after)):
            file = tmp_path / name / "argo/all.yaml"
            file.parent.mkdir(parents=True)
            file.write_text("\n---\n".join(map(json.dumps, items)))
            trees.append(Tree(tmp_path / name, name))
        sides = [read_applications(tree).by_name for tree in trees]
        names = [item["metadata"]["name"] for item in before if item["kind"] == "Application"]
        built = []
        for name in dict.fromkeys([*names, *sides[1]]):
            objects = (old, new) if name == names[-1] else ((), ())
            maps = [{json.dumps(item): item for item in items} for items in objects]
            built.append(((sides[0].get(name), sides[1].get(name)), maps))
        return notices(trees[0], trees[1], built)

    return run


def test_what_does_not_narrow_is_quiet(compare: Compare) -> None:
    wider = project(sourceRepos=[OLD, NEW], kinds=("ConfigMap", "Service", "Secret"))
    secret = SERVICE | {"kind": "Secret"}
    assert compare([project(), application()], [wider, application()], (SERVICE,), (SERVICE, secret)) == []


def test_what_is_there_on_one_side_only_is_quiet(compare: Compare) -> None:
    more = [project(), application(), project("bootstrap"), application("root")]
    assert compare([project(), application()], more, (SERVICE,), (SERVICE,)) == []


def test_an_environment_that_goes_with_its_project_is_quiet(compare: Compare) -> None:
    other = [project("bootstrap"), application("root")]
    assert compare([*other, project(), application(protected=False)], other, (SERVICE,)) == []


PLACES: dict[str, tuple[Object, Object]] = {
    "repository": ({"sourceRepos": [NEW]}, {"url": NEW}),
    "cluster": ({"destinations": [{"name": "other", "namespace": "*"}]}, {"cluster": "other"}),
}


@pytest.mark.parametrize("what", PLACES)
def test_a_project_that_admits_only_where_root_moves_to_locks_it(what: str, compare: Compare) -> None:
    admitted, moved = PLACES[what]
    (notice,) = compare(
        [project("bootstrap"), application("root"), project(), application()],
        [project("bootstrap", **admitted), application("root", **moved), project(**admitted), application(**moved)],
    )
    assert (notice.heals, notice.is_serious) == (False, True)
    assert notice.text.startswith("bootstrap: the ") and "concerns root. This locks the root application" in notice.text


def test_root_is_locked_by_a_revert_if_its_project_did_not_admit_the_new_place(compare: Compare) -> None:
    both = project("bootstrap", sourceRepos=[OLD, NEW])
    (notice,) = compare([project("bootstrap"), application("root")], [both, application("root", NEW)])
    assert f"the repository {NEW} is admitted only after this change" in notice.text and notice.is_serious


STEPS = [
    [project("bootstrap"), application("root")],
    [project("bootstrap", sourceRepos=[NEW, OLD]), application("root")],
    [project("bootstrap", sourceRepos=[NEW, OLD]), application("root", NEW)],
    [project("bootstrap", sourceRepos=[NEW]), application("root", NEW)],
]


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("reverted", [False, True])
def test_a_move_in_three_steps_is_quiet(step: int, reverted: bool, compare: Compare) -> None:
    before, after = STEPS[step : step + 2]
    assert compare(*((after, before) if reverted else (before, after))) == []


@pytest.mark.parametrize("protected", [True, False])
def test_other_applications_get_over_it_and_only_protected_ones_need_a_decision(
    protected: bool, compare: Compare
) -> None:
    moved = project(destinations=[{"name": "other", "namespace": "*"}])
    after = [moved, application(cluster="other", protected=protected)]
    (notice,) = compare([project(), application(protected=protected)], after)
    assert (notice.heals, notice.is_serious) == (True, protected)
    assert notice.text.startswith(
        "prod: the namespace shop of main is admitted only before this change, but concerns shop"
    )


def test_an_object_that_goes_together_with_its_kind_stays_in_the_cluster(compare: Compare) -> None:
    narrower = project(kinds=("ConfigMap",))
    before, after = (CONFIG_MAP, SERVICE), (CONFIG_MAP,)
    (notice,) = compare([project(), application()], [narrower, application()], before, after)
    assert "the kind Service is admitted only before this change" in notice.text
    assert "neither prune nor manage it" in notice.text and notice.is_serious


def test_an_object_that_was_gone_before_its_kind_is_quiet(compare: Compare) -> None:
    after = [project(kinds=("ConfigMap",)), application()]
    assert compare([project(), application()], after, (CONFIG_MAP,), (CONFIG_MAP,)) == []


def test_an_object_that_stays_without_its_kind_fails(compare: Compare) -> None:
    objects = (CONFIG_MAP, SERVICE)
    (notice,) = compare([project(), application()], [project(kinds=("ConfigMap",)), application()], objects, objects)
    assert "It can no longer be synced" in notice.text and notice.is_serious


def test_a_renamed_release_leaves_its_cluster_wide_objects(compare: Compare) -> None:
    def admits(name: str) -> Object:
        return project(
            clusterResourceWhitelist=[{"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}]
        )

    other = ROLE | {"metadata": {"name": "store"}}
    (notice,) = compare([admits("shop"), application()], [admits("store"), application()], (ROLE,), (other,))
    assert "the kind ClusterRole.rbac.authorization.k8s.io with the name shop is admitted only before" in notice.text


def test_an_application_that_goes_in_the_commit_that_narrows_its_project_leaves_its_objects(compare: Compare) -> None:
    moved = project(destinations=[{"name": "other", "namespace": "*"}])
    (notice,) = compare([project(), application(protected=False)], [moved], (SERVICE,))
    assert "neither prune nor manage it" in notice.text


def test_root_does_not_apply_a_kind_together_with_its_entry(compare: Compare) -> None:
    wider = project("bootstrap", kinds=("ConfigMap", "Service"))
    before = [project("bootstrap", kinds=("ConfigMap",)), application("root")]
    (notice,) = compare(before, [wider, application("root")], (CONFIG_MAP,), (CONFIG_MAP, SERVICE))
    assert "the kind Service is admitted only after this change" in notice.text
    assert "First merge the change of the project alone" in notice.text and notice.is_serious


@pytest.mark.proof
def test_a_repository_that_moves_at_once_is_reported(checkout: Checkout, original: Path, stages: Object) -> None:
    for file in [*checkout.path.glob("argo/**/*.yaml")]:
        file.write_text(file.read_text().replace(stages["repo_url"], NEW))
    report = checkout.blast_radius("--brief")
    assert report["status"] == 1 and report["conclusion"] == "Argo CD cannot follow this in one commit."
    lock, note = report["notices"]
    assert "locks the root application" in lock["text"] and f"reads {NEW}" in note["text"]
    assert "Projects and Argo CD:\n  bootstrap: the repository" in checkout.script("blast_radius.py", "--brief").stdout


@pytest.mark.proof
def test_a_branch_is_followed_quietly_once_it_has_the_commit(checkout: Checkout, original: Path) -> None:
    for file in [*checkout.path.glob("argo/**/*.yaml")]:
        file.write_text(
            file.read_text()
            .replace("targetRevision: main", "targetRevision: live")
            .replace("revision: main", "revision: live")
        )
    (notice,) = checkout.blast_radius("--brief")["notices"]
    assert "push it there before you merge" in notice["text"] and notice["is_serious"]
    checkout.git("switch", "--quiet", "--create", "live")
    checkout.commit()
    report = checkout.blast_radius("--brief", "main", "live")
    (notice,) = report["notices"]
    assert (
        notice["text"] == "From now on Argo CD reads the branch live instead of main. Push a revert to both branches."
    )
    assert report["status"] == 0


@pytest.mark.proof
def test_renaming_the_cluster_of_argocd_moves_neither_it_nor_its_workloads(
    template: Path, checkout: Checkout, stages: dict[str, Any], tmp_path: Path
) -> None:
    answers = copy.deepcopy(stages)
    names = {"prod": "live"}
    for cluster in answers["clusters"]:
        cluster["name"] = names.get(cluster["name"], cluster["name"])
    for environment in answers["environments"]:
        environment["cluster"] = names.get(environment["cluster"], environment["cluster"])
    answers["argocd_cluster"] = "live"
    checkout.become(render(template, answers, tmp_path / "renamed"))
    changes = checkout.blast_radius("--brief")["changes"]
    assert changes["root"]["what"] == changes["shop-prod"]["what"] == "changed"
    assert not changes["shop-prod"]["deleted"]
