"""Jobs of a release as they are rendered: one image with their component, and their order in a sync."""

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


@pytest.fixture(scope="module", params=[jobs.WEB | jobs.JOBS, ONLY_PROD], ids=["everywhere", "by-an-override"])
def releasing(template: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Repository:
    """The example with stages, and a workload that has jobs in prod at least."""
    answers = jobs.with_workload(examples()["stages"], ENVIRONMENTS, request.param)
    rendered = render(template, answers, tmp_path_factory.mktemp("releasing") / "repository")
    return Repository("releasing", rendered, answers)


def waves(built: list[Document]) -> dict[str, str]:
    """Return the waves of objects by kind and name, without hashes, of those that name one."""
    found = {f"{d['kind']}/{d['metadata']['name']}": d["metadata"].get("annotations", {}).get(WAVE) for d in built}
    return {name: wave for name, wave in found.items() if wave}


def test_a_job_has_the_image_of_its_component_by_the_same_line(releasing: Repository) -> None:
    built = releasing.build(OVERLAY.format("prod"))
    templates = {d["metadata"]["name"]: d["spec"]["template"] for d in pick(built, "Job") + pick(built, "Deployment")}
    (schedule,) = pick(built, "CronJob")
    templates["web-report"] = schedule["spec"]["jobTemplate"]["spec"]["template"]
    assert templates.keys() == {"web", "web-before-release", "web-after-release", "web-report"}
    assert {t["spec"]["containers"][0]["image"] for t in templates.values()} == {jobs.WEB["image"]}
    images = releasing.one(f"{OVERLAY.format('prod')}/kustomization.yaml")["images"]
    assert [image["name"] for image in images] == ["db", "web"]


def test_what_a_job_needs_is_applied_before_it(releasing: Repository) -> None:
    built = releasing.build(OVERLAY.format("prod"))
    (config_map,) = pick(built, "ConfigMap")
    early = {f"ConfigMap/{config_map['metadata']['name']}", f"NetworkPolicy/{jobs.WORKLOAD}"}
    early |= {"ServiceAccount/web", "ServiceAccount/db", "StatefulSet/db", "Service/db"}
    assert waves(built) == {"Job/web-before-release": "-1"} | dict.fromkeys(early, "-2")
    hooks = {d["metadata"]["name"]: d["metadata"]["annotations"][HOOK] for d in pick(built, "Job")}
    assert hooks == {"web-before-release": "Sync", "web-after-release": "PostSync"}


def test_only_applications_with_jobs_are_built_by_every_commit(releasing: Repository) -> None:
    """Argo CD would take a commit that arrives during a sync for drift, and repair it without jobs."""
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
