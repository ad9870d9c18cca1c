"""Rendered release jobs have the image of their component, and their order in a sync."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.argocd import applications
from tests.support.cluster import jobs
from tests.support.repository import Document, Repository, examples, pick, render

WAVE, HOOK = "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/hook"
OVERLAY = f"apps/workloads/{jobs.WORKLOAD}/overlays/{{}}"
ENVIRONMENTS = ["dev", "prod"]
ONLY_PROD: dict[str, Any] = jobs.WEB | {"overrides": {"prod": jobs.JOBS}}
# Components that keep data, and that no job may wait for: one has the image of the release, the other a volume of it.
UPLOADS: dict[str, Any] = {"path": "/uploads", "size": "1Gi", "shared": True}
CACHE: dict[str, Any] = {"path": "/cache", "size": "1Gi"}
AFTERWARDS: list[dict[str, Any]] = [
    {"name": "worker", "image": "example.com/orders:1.0.0-worker", "volumes": [CACHE, UPLOADS]},
    {"name": "sftp", "image": "example.com/sftp:1.0.0", "volumes": [CACHE, {"path": "/uploads", "of": "worker"}]},
]


@pytest.fixture(scope="module", params=[jobs.WEB | jobs.JOBS, ONLY_PROD], ids=["everywhere", "by-an-override"])
def releasing(template: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Repository:
    """The example with stages, and a workload that has jobs in prod at least."""
    answers = jobs.with_workload(examples()["stages"], ENVIRONMENTS, request.param)
    answers["workloads"][-1]["components"] += AFTERWARDS
    rendered = render(template, answers, tmp_path_factory.mktemp("releasing") / "repository")
    return Repository("releasing", rendered, answers)


def waves(built: list[Document]) -> dict[str, str]:
    """Return the waves of objects that set one, by kind and name, without hashes."""
    found = {f"{d['kind']}/{d['metadata']['name']}": d["metadata"].get("annotations", {}).get(WAVE) for d in built}
    return {name: wave for name, wave in found.items() if wave}


def test_a_job_has_the_image_of_its_component_by_the_same_line(releasing: Repository) -> None:
    built = releasing.build(OVERLAY.format("prod"))
    templates = {d["metadata"]["name"]: d["spec"]["template"] for d in pick(built, "Job") + pick(built, "Deployment")}
    (schedule,) = pick(built, "CronJob")
    templates["web-report"] = schedule["spec"]["jobTemplate"]["spec"]["template"]
    templates = {name: template for name, template in templates.items() if name not in ("worker", "sftp")}
    assert templates.keys() == {"web", "web-before-release", "web-after-release", "web-report"}
    assert {t["spec"]["containers"][0]["image"] for t in templates.values()} == {jobs.WEB["image"]}
    images = releasing.one(f"{OVERLAY.format('prod')}/kustomization.yaml")["images"]
    assert [image["name"] for image in images] == ["db", "sftp", "web", "worker"]


def test_what_a_job_needs_is_applied_before_it(releasing: Repository) -> None:
    built = releasing.build(OVERLAY.format("prod"))
    (config_map,) = pick(built, "ConfigMap")
    early = {f"ConfigMap/{config_map['metadata']['name']}", f"NetworkPolicy/{jobs.WORKLOAD}"}
    early |= {"ServiceAccount/web", "ServiceAccount/db", "StatefulSet/db", "Service/db"}
    assert waves(built) == {"Job/web-before-release": "-1"} | dict.fromkeys(early, "-2")
    hooks = {d["metadata"]["name"]: d["metadata"]["annotations"][HOOK] for d in pick(built, "Job")}
    assert hooks == {"web-before-release": "Sync", "web-after-release": "PostSync"}


def test_only_applications_with_jobs_are_built_by_every_commit(releasing: Repository) -> None:
    """Argo CD would treat a commit that arrives during a sync as drift, and apply it without jobs."""
    for name, application in applications(releasing).items():
        if application.workload:
            expected = None if application.workload == jobs.WORKLOAD else [f"apps/workloads/{application.workload}"]
            assert application.generate_paths == expected, name


def test_a_set_without_jobs_has_one_generator(releasing: Repository) -> None:
    generators = {
        environment: len(releasing.one(f"argo/applicationsets/workloads-{environment}.yaml")["spec"]["generators"])
        for environment in ("dev", "staging", "prod")
    }
    assert generators == {"dev": 2, "staging": 1, "prod": 2}
