"""Updates that are rejected before anything is written, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from copier.errors import UserMessageError

from tests.support.repository import examples
from tests.support.updates.repository import Answers, Render, Repository
from tests.support.updates.template_changes import edit, edit_schema
from tests.support.updates.versions import Versions

EXAMPLES = examples()

WHOAMI = {"name": "whoami", "image": "traefik/whoami:v1.11.0", "port": 8080}
WORKER = {"name": "worker", "image": "ghcr.io/acme/worker:1.0.0", "replicas": 1}
SHOP = {
    "name": "shop",
    "components": [{"name": "web", "image": "ghcr.io/acme/web:1.0.0", "port": 8080, "public": True}],
}
ADMIN = {"name": "admin", "image": "ghcr.io/acme/admin:1.0.0"}
ANSWERS = EXAMPLES["minimal"] | {"environments": ["dev", "qa"], "workloads": [SHOP, WHOAMI, WORKER]}

FEWER: Answers = {"environments": ["dev"], "workloads": [SHOP]}
LEFT_BEHIND = [
    "apps/workloads/whoami/notes.md",
    "apps/workloads/whoami/base/configuration/a/b/c/deep.yaml",
    "apps/workloads/whoami/overlays/dev/extra.yaml",
    "apps/workloads/whoami/overlays/dev/.hidden/extra.yaml",
    "apps/workloads/worker/overlays/dev/resources.yaml",
    "apps/workloads/shop/overlays/qa/extra.yaml",
    "apps/workloads/shop/overlays/qa/configuration/a/b/c/deep.yaml",
    "apps/workloads/crm/overlays/qa/kustomization.yaml",
]
NARROWER: Answers = {"workloads": [SHOP | {"environments": ["dev"]}, WHOAMI, WORKER]}
LEFT_IN_AN_OVERLAY = ["apps/workloads/shop/overlays/qa/extra.yaml"]
MORE: Answers = {
    "environments": ["dev", "qa", "prod"],
    "workloads": [SHOP | {"components": [*SHOP["components"], ADMIN]}, WHOAMI, WORKER, ADMIN | {"name": "crm"}],
}
IN_THE_WAY = [
    "apps/workloads/crm/base/crm.yaml",
    "apps/workloads/shop/base/admin.yaml",
    "apps/workloads/whoami/overlays/prod/kustomization.yaml",
]


def with_files(render: Render, files: list[str]) -> Repository:
    repository = render(ANSWERS)
    for file in files:
        repository.write(file)
    repository.commit()
    return repository


def refusal(repository: Repository, answers: Answers) -> str:
    with pytest.raises(UserMessageError) as caught:
        repository.answer(answers)
    assert repository.changed() == set()
    return str(caught.value)


@pytest.mark.parametrize(
    ("answers", "files"),
    [
        (FEWER, LEFT_BEHIND),
        (NARROWER, LEFT_IN_AN_OVERLAY),
        (MORE, IN_THE_WAY),
        ({"environments": ["dev", "qa", "prod"]}, ["apps/workloads/crm/overlays/prod/kustomization.yaml"]),
    ],
    ids=[
        "fewer workloads and environments",
        "fewer environments of a workload",
        "more of everything",
        "a new environment",
    ],
)
def test_files_made_by_hand_are_neither_left_without_an_owner_nor_overwritten(
    answers: Answers, files: list[str], render: Render
) -> None:
    message = refusal(with_files(render, files), answers)
    assert [file for file in files if file not in message] == []


def test_once_the_files_are_moved_away_the_same_answers_are_taken(render: Render, tmp_path: Path) -> None:
    repository = with_files(render, LEFT_BEHIND).clone(tmp_path / "a [strange] folder*")
    refusal(repository, FEWER)
    for file in LEFT_BEHIND:
        (repository.path / file).unlink()
    repository.commit()
    repository.answer(FEWER)
    left = {file.split("/", 2)[2] for file in repository.files() if file.startswith("apps/workloads/")}
    assert {file for file in left if not file.startswith(("shop/base/", "shop/overlays/dev/"))} == set()


@pytest.fixture(scope="module")
def stricter_version(versions: Versions) -> str:
    """Release a version that rejects a branch, a load balancer and a port that the first version accepts."""

    def change(template: Path) -> None:
        edit(template, "copier.yml", "    Kubernetes' in-tree provider (legacy): legacy\n", "")
        edit_schema(template, "definitions", "load_balancer", enum=["aws-load-balancer-controller", "eks-auto-mode"])
        edit_schema(template, "properties", "target_revision", pattern="^release-", default="release-1")
        edit_schema(template, "definitions", "port", minimum=1024)

    return versions.release("stricter", change)


def test_recorded_answers_that_the_newer_version_refuses_stop_the_update(render: Render, stricter_version: str) -> None:
    repository = render(EXAMPLES["ccore"])
    with pytest.raises(UserMessageError) as caught:
        repository.update(stricter_version)
    for problem in ('target_revision: "main" ', 'load_balancer: "legacy" ', "workloads[0].port: 80 "):
        assert problem in str(caught.value)
    assert repository.changed() == set()


def test_the_same_update_can_bring_the_answers_that_the_newer_version_wants(
    render: Render, stricter_version: str
) -> None:
    repository = render(EXAMPLES["ccore"])
    workloads = [workload | {"port": 8080} for workload in EXAMPLES["ccore"]["workloads"]]
    workloads[1].pop("port")
    better = {"target_revision": "release-7", "load_balancer": "eks-auto-mode", "workloads": workloads}
    repository.update(stricter_version, better)
    assert repository.answers() | EXAMPLES["ccore"] | better == repository.answers()


def test_nothing_is_taken_away_where_the_newer_version_cannot_tell_whose_files_are_left(
    render: Render, stricter_version: str
) -> None:
    repository = render(EXAMPLES["ccore"])
    better = {"target_revision": "release-7", "load_balancer": "eks-auto-mode", "workloads": []}
    with pytest.raises(UserMessageError, match=r"workloads: whoami is removed, but .* remove it first"):
        repository.update(stricter_version, better)
    assert repository.changed() == set()


def test_a_repository_with_uncommitted_changes_is_not_updated(render: Render) -> None:
    repository = render(EXAMPLES["minimal"])
    repository.write("apps/workloads/whoami/base/notes.md")
    with pytest.raises(UserMessageError, match="dirty"):
        repository.answer({"ci": "none"})
    assert repository.changed() == {"apps/workloads/whoami/base/notes.md"}
