"""Provide rendered repositories with their scripts, and servers for their downloads."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout, committed
from tests.support.forge import runner_of, serve
from tests.support.mise import need_mise
from tests.support.pipelines import Runner
from tests.support.repository import examples, render


@pytest.fixture(scope="session", autouse=True)
def _downloads(downloads: None) -> None:
    """Run checks in this process without a network."""


@pytest.fixture(scope="session")
def stages() -> dict[str, Any]:
    """The answers of the example with three environments on two clusters; dev is not protected."""
    return examples()["stages"]


@pytest.fixture(scope="session")
def original(template: Path, stages: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that example, committed."""
    return committed(render(template, stages, tmp_path_factory.mktemp("repository") / "original"))


@pytest.fixture
def checkout(original: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a clone to change."""
    return Checkout(Path(shutil.copytree(original, tmp_path / "clone")), environment)


@pytest.fixture(scope="session")
def answers_with_jobs(stages: dict[str, Any]) -> dict[str, Any]:
    """Return that example with release jobs, one with a separate image, a schedule and a sidecar."""
    answers = deepcopy(stages)
    components = answers["workloads"][0]["components"]
    web, api = components[:2]
    web["sidecars"] = api["sidecars"] = [{"name": "exporter", "image": "prom/statsd-exporter:1.0.0"}]
    api["before_release"] = {"command": ["/app/migrate"], "image": "ghcr.io/acme/shop-migrations:1.0.0"}
    api["after_release"] = ["/app/warm-up"]
    api["schedules"] = {"report": {"cron": "0 3 * * *", "command": ["/app/report"]}}
    components.append({"name": "api-docs", "image": "ghcr.io/acme/shop-docs:1.0.0"})
    return answers


@pytest.fixture(scope="session")
def original_with_jobs(
    template: Path, answers_with_jobs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return its repository, committed."""
    return committed(render(template, answers_with_jobs, tmp_path_factory.mktemp("jobs") / "original"))


@pytest.fixture
def with_jobs(original_with_jobs: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a clone to change."""
    return Checkout(Path(shutil.copytree(original_with_jobs, tmp_path / "clone")), environment)


@pytest.fixture(params=["github", "gitlab"])
def origin(request: pytest.FixtureRequest, template: Path, stages: dict[str, Any], tmp_path: Path) -> Path:
    """Return the bare repository of that example with each kind of pipeline."""
    return serve(template, stages | {"ci": request.param}, tmp_path)


@pytest.fixture
def runner(origin: Path, tmp_path: Path) -> Runner:
    """Return a runner whose forge is a folder on this machine."""
    need_mise()
    return runner_of(origin, tmp_path)
