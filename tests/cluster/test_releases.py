"""Jobs around a release run in order and for each commit, and a failed Job does not affect running pods."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import jobs, layout, victims
from tests.support.cluster.api import Object
from tests.support.cluster.argocd import HEALTHY, state
from tests.support.cluster.jobs import JOBS, WEB, WORKLOAD
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.scaling import scale
from tests.support.cluster.stack import Stack
from tests.support.repository import render

ENVIRONMENT, CLUSTER = "dev", victims.CLUSTER
NAMESPACE = APPLICATION = f"{WORKLOAD}-{ENVIRONMENT}"
BEFORE, AFTER, SCHEDULE = "web-before-release", "web-after-release", "web-report"
FAILED_RUN = {"lastScheduleTime": "2026-01-02T03:00:00Z", "lastSuccessfulTime": "2026-01-01T03:00:00Z"}
KUSTOMIZATION = layout.kustomization(WORKLOAD, ENVIRONMENT)


@dataclass(frozen=True)
class FirstReleases:
    """Two releases: the second arrives while the jobs of the first run.

    Attributes:
        before: The objects by kind and name, while the job before the very first release runs.
        after: The tag of the Deployment, and its number of available pods, while the job after that release runs.
    """

    before: set[str]
    after: tuple[str, int]


def put(stages: Stack, template: Path, folder: Path, web: dict[str, Any]) -> None:
    """Write the workload and the ApplicationSets, as rendered, into the checkout."""
    rendered = render(template, jobs.with_workload(victims.two_clusters(), [ENVIRONMENT], web), folder)
    scale(rendered, [*stages.clusters], 0)
    for part in (layout.APPLICATIONSETS, f"{layout.WORKLOADS}/{WORKLOAD}"):
        shutil.rmtree(stages.checkout.work / part, ignore_errors=True)
        shutil.copytree(rendered / part, stages.checkout.work / part)


def release(stages: Stack, old: str, new: str) -> None:
    """Publish another version in one line, like Renovate and promote.py."""
    stages.checkout.edit(KUSTOMIZATION, f'newTag: "{old}"', f'newTag: "{new}"')
    stages.publish(f"Release {new}")


def wait(stages: Stack) -> None:
    """Wait until the sync of the newest commit has ended: an Application is Synced and Healthy before its last job."""

    def is_done() -> bool:
        application = stages.argo.applications[APPLICATION]
        last = application["status"].get("operationState", {})
        is_newest = last.get("syncResult", {}).get("revision") == stages.checkout.head
        return is_newest and last["phase"] == "Succeeded" and state(application) == HEALTHY

    stages.until("the release is done", is_done)


def get(stages: Stack, kind: str, name: str) -> Object:
    """Return an object of the workload; empty if it does not exist."""
    return stages.clusters[CLUSTER].get(kind, name, NAMESPACE) or {}


def objects(stages: Stack) -> dict[str, str]:
    """Return the uids of the workload's objects and pods by kind and name, except Kubernetes' own."""
    found = stages.identities("serviceaccounts,configmaps,networkpolicies,services,deployments,statefulsets,pods")
    names = {key.split("/", 2)[2]: uid for key, uid in found.items() if key.startswith(f"{CLUSTER}/{NAMESPACE}/")}
    return {name: uid for name, uid in names.items() if not name.endswith(("kube-root-ca.crt", "/default"))}


def config_maps(stages: Stack) -> set[str]:
    """Return the names of the ConfigMaps with files."""
    return {name for name in objects(stages) if name.startswith("ConfigMap/")}


@pytest.fixture(scope="module")
def first(stages: Stack, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstReleases]:
    """Release the workload for the first time, and again before the first release ends."""
    cluster = stages.clusters[CLUSTER]
    with stages.undone():
        put(stages, template, tmp_path_factory.mktemp("releases") / "first", WEB | JOBS)
        stages.publish("Add a workload with jobs")
        stages.argo.refresh_sets()
        stages.until("the job before the release runs", lambda: jobs.running(cluster, BEFORE, NAMESPACE))
        before = set(objects(stages))
        release(stages, "1.0.0-hangs", "1.1.0")
        head = stages.checkout.head
        stages.until("the newer commit is seen", lambda: head in str(stages.argo.applications[APPLICATION]["status"]))
        jobs.succeed(cluster, BEFORE, NAMESPACE)
        stages.until("the job after the release runs", lambda: jobs.running(cluster, AFTER, NAMESPACE))
        deployment = get(stages, "deployment", "web")
        after = (jobs.image(deployment), deployment["status"].get("availableReplicas", 0))
        cluster.api.patch("cronjob", SCHEDULE, {"status": FAILED_RUN}, NAMESPACE, subresource="status")
        jobs.succeed(cluster, AFTER, NAMESPACE)
        wait(stages)
        yield FirstReleases(before, after)


def test_what_a_job_needs_is_there_before_it_and_the_pods_come_after_it(first: FirstReleases) -> None:
    names = {name if "ConfigMap/" not in name else "ConfigMap" for name in first.before}
    (job,) = [name for name in names if name.startswith(f"Pod/{BEFORE}-")]
    accounts, database = {"ServiceAccount/web", "ServiceAccount/db"}, {"StatefulSet/db", "Service/db", "Pod/db-0"}
    assert names - {job} == {"ConfigMap", f"NetworkPolicy/{WORKLOAD}", *accounts, *database}


def test_the_job_after_a_release_waits_for_all_pods(first: FirstReleases) -> None:
    assert first.after == ("1.0.0-hangs", 2)


def test_a_commit_that_arrives_during_a_release_has_its_own_jobs(stages: Stack, first: FirstReleases) -> None:
    """Argo CD would treat it as drift, which it reverts without hooks."""
    found = {name: get(stages, "job", name) for name in (BEFORE, AFTER)}
    assert {jobs.image(job) for job in found.values()} == {jobs.image(get(stages, "deployment", "web"))} == {"1.1.0"}
    assert {jobs.ended(job) for job in found.values()} == {"Complete"}


def test_a_failed_job_leaves_the_old_version_running_until_a_revert(stages: Stack, first: FirstReleases) -> None:
    running, start = objects(stages), stages.checkout.head
    stages.checkout.edit(f"{layout.WORKLOADS}/{WORKLOAD}/base/kustomization.yaml", "level = 1", "level = 2")
    release(stages, "1.1.0", "1.2.0-fails")
    # It prints nothing while the next attempt runs.
    stages.until("Argo CD says which job failed", lambda: failed(stages).startswith(f"Job/{BEFORE}: "))
    kept = {name for name in running if not name.startswith(f"Pod/{BEFORE}-")}
    assert kept <= objects(stages).keys()
    assert jobs.image(get(stages, "deployment", "web")) == "1.1.0"
    assert len(config_maps(stages)) == 2
    stages.restore(start)
    wait(stages)
    assert jobs.image(get(stages, "job", BEFORE)) == "1.1.0"
    assert config_maps(stages) <= running.keys()


def failed(stages: Stack) -> str:
    """Return the output of the documented command about the last sync."""
    command, *_ = stages.documented("jobs.md", "When a job fails")
    return stages.type(command.replace("<workload>-<environment>", APPLICATION))


def test_a_failed_run_of_a_schedule_does_not_hold_up_a_release(stages: Stack, first: FirstReleases) -> None:
    status = get(stages, "cronjob", SCHEDULE)["status"]
    assert status["lastSuccessfulTime"] < status["lastScheduleTime"]
    assert stages.argo.state(APPLICATION) == HEALTHY


def test_a_schedule_runs_by_the_documented_command(stages: Stack, first: FirstReleases) -> None:
    command, *_ = stages.documented("jobs.md", "Schedule a job")
    for old, new in {"<component>-<schedule>": SCHEDULE, "<workload>-<environment>": NAMESPACE}.items():
        command = command.replace(old, new)
    stages.type(command.replace("<cluster>", CLUSTER))
    stages.until("it ran", lambda: jobs.ended(get(stages, "job", f"{SCHEDULE}-by-hand")) == "Complete")


def test_a_job_that_hangs_goes_with_its_sync_as_documented(stages: Stack, first: FirstReleases) -> None:
    runbook, start = Runbook(stages, WORKLOAD, ENVIRONMENT), stages.checkout.head
    release(stages, "1.1.0", "1.3.0-hangs")
    stages.until("the job hangs", lambda: jobs.running(stages.clusters[CLUSTER], BEFORE, NAMESPACE))
    stages.restore(start)
    waiting = f"waiting for completion of hook batch/Job/{BEFORE}"
    stages.until("the sync waits for it", lambda: waiting in runbook.type("A release hangs", 0))
    runbook.type("A release hangs", 1)
    stages.until("the job is gone", lambda: not get(stages, "job", BEFORE))
    stages.until("the revert is read", lambda: stages.argo.state(APPLICATION) == HEALTHY)
    assert jobs.image(get(stages, "deployment", "web")) == "1.1.0"
    # Nothing differs from Git, so Argo CD starts no sync and no job automatically.
    runbook.type("A sync fails or is refused", 2)
    wait(stages)
    assert jobs.image(get(stages, "job", BEFORE)) == "1.1.0"


def test_jobs_that_are_taken_out_take_no_pod_with_them(
    stages: Stack, first: FirstReleases, template: Path, tmp_path: Path
) -> None:
    before = objects(stages)
    put(stages, template, tmp_path / "without", WEB | {"image": "example.com/orders:1.1.0"})
    stages.publish("Take the jobs out")
    wait(stages)
    # Argo CD never deletes a hook. Kubernetes does, a week after it has ended.
    assert get(stages, "job", BEFORE)["spec"]["ttlSecondsAfterFinished"] == 7 * 24 * 3600
    assert objects(stages) == before
