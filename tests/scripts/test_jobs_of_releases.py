"""A change also starts the Jobs of a release, which Argo CD runs in each sync, and changes CronJobs."""

from __future__ import annotations

from typing import Any

from tests.support.checkout import Checkout

SHOP = "apps/workloads/shop"
BASE, PROD = f"{SHOP}/base/api.yaml", f"{SHOP}/overlays/prod/kustomization.yaml"
RELEASE = ('api\n    newTag: "2.7.1"', 'api\n    newTag: "2.8.0"')
BEFORE, AFTER = "Job/api-before-release", "Job/api-after-release"
WITHOUT_MIGRATION = """  - patch: |-
      $patch: delete
      apiVersion: batch/v1
      kind: Job
      metadata: {name: api-before-release}
"""


def runs(report: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """Return the hooks that run, and those that wait, by Application."""
    return {name: (change["hooks"], change["waiting"]) for name, change in report["changes"].items()}


def test_a_release_names_the_jobs_that_it_starts(with_jobs: Checkout) -> None:
    with_jobs.replace(PROD, *RELEASE)
    report = with_jobs.blast_radius()
    assert runs(report) == {"shop-prod": ([AFTER, BEFORE], [])}
    assert report["changes"]["shop-prod"]["changed"] == ["CronJob/api-report"]
    assert report["headline"] == (
        "1 application changes, 1 Deployment restarts, 1 CronJob changes, 2 Jobs run, 1 application is protected"
    )
    assert report["status"] == 0
    text = with_jobs.script("blast_radius.py", "--brief").stdout
    assert (
        f"Jobs and other hooks that run, as in each sync:\n  shop in prod: {AFTER}\n  shop in prod: {BEFORE}\n" in text
    )


def test_any_change_of_the_application_runs_them(with_jobs: Checkout) -> None:
    with_jobs.replace(PROD, "count: 4", "count: 5")
    report = with_jobs.blast_radius()
    assert runs(report) == {"shop-prod": ([AFTER, BEFORE], [])}
    assert report["headline"] == "1 application changes, 1 Deployment scales, 2 Jobs run, 1 application is protected"


def test_a_change_of_jobs_alone_starts_no_sync(with_jobs: Checkout) -> None:
    with_jobs.replace(BASE, "/app/migrate", "/app/migrate-all")
    report = with_jobs.blast_radius()
    assert runs(report) == {f"shop-{name}": ([], [BEFORE]) for name in ("dev", "prod", "staging")}
    assert report["headline"] == "3 applications change, 2 applications are protected"
    with_jobs.git("restore", ".")
    with_jobs.replace(PROD, "patches:\n", f"patches:\n{WITHOUT_MIGRATION}")
    report = with_jobs.blast_radius()
    assert runs(report) == {"shop-prod": ([], [])}
    assert (report["changes"]["shop-prod"]["kept"], report["status"]) == ([BEFORE], 0)


def test_a_first_sync_runs_them(with_jobs: Checkout) -> None:
    with_jobs.git("rm", "--quiet", "-r", f"{SHOP}/overlays/prod")
    with_jobs.commit()
    report = with_jobs.blast_radius("HEAD", "HEAD^")
    assert runs(report) == {"shop-prod": ([AFTER, BEFORE], [])}
    headline = "1 application is new, 2 Jobs run, 1 DNS name is added, 1 application is protected"
    assert report["headline"] == headline
