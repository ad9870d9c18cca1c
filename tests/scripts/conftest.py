"""Rendered repositories with their scripts, and servers for what these download."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout, committed
from tests.support.forge import runner_of, serve
from tests.support.mise import MISE
from tests.support.pipelines import Runner
from tests.support.repository import examples, render


@pytest.fixture(scope="session", autouse=True)
def _downloads(downloads: None) -> None:
    """Run checks in this process without a network."""


@pytest.fixture(scope="session")
def stages() -> dict[str, Any]:
    """The answers of the example with three environments on two clusters, of which dev is not protected."""
    return examples()["stages"]


@pytest.fixture(scope="session")
def original(template: Path, stages: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That example, committed."""
    return committed(render(template, stages, tmp_path_factory.mktemp("repository") / "original"))


@pytest.fixture
def checkout(original: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """A clone of it to change."""
    return Checkout(Path(shutil.copytree(original, tmp_path / "clone")), environment)


@pytest.fixture(params=["github", "gitlab"])
def origin(request: pytest.FixtureRequest, template: Path, stages: dict[str, Any], tmp_path: Path) -> Path:
    """That example with each kind of pipeline, as its server has it."""
    return serve(template, stages | {"ci": request.param}, tmp_path)


@pytest.fixture
def runner(origin: Path, tmp_path: Path) -> Runner:
    """A runner whose forge is a folder of this machine."""
    if not MISE.exists():
        pytest.skip("mise comes from npm for Linux on x86-64 only")
    return runner_of(origin, tmp_path)
