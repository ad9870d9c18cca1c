"""Distribute tests to workers, and provide shared fixtures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import groups
from tests.support import routed as routes
from tests.support.fast_copier import fast_copier
from tests.support.mise import need_mise
from tests.support.own_checks import Validate, failed_checks, local_downloads
from tests.support.properties import choose_profile, run_in_both_tiers
from tests.support.repository import ROOT, Repository, render, scenarios, snapshot, town

# Tests import template/scripts/gitops: its bytecode must not become part of the template.
sys.pycache_prefix = str(ROOT / ".cache/pycache")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Select properties in both tiers, and pass the groups of tests to the scheduling process."""
    run_in_both_tiers(items)
    yield
    if hasattr(config, "workerinput"):
        groups.show(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Report tests under their own names."""
    groups.hide(session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> groups.ByGroup:
    """Run tests that share a fixture of their group, or a file with its renders, on one worker."""
    return groups.ByGroup(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Set how many examples a property tries."""
    choose_profile(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the measurements of tests."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    texts = [
        text
        for report in reports
        if report.when == "call"
        for name, text in report.user_properties
        if name == "measured"
    ]
    if texts:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(map(str, texts)))


@pytest.fixture(scope="session", autouse=True)
def a_machine_without_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ignore the Git and Copier settings of the user who runs the tests."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "copier.yml").write_text("{}\n")
    (folder / "gitconfig").write_text("[user]\n  name = A Test\n  email = test@example.com\n[gc]\n  auto = 0\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "copier.yml"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
        yield


@pytest.fixture(scope="session", autouse=True)
def _fast_copier() -> Iterator[None]:
    with fast_copier():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the template in the working tree, uncommitted changes included."""
    return snapshot(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def repositories(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Repository]:
    """Return a function that renders a scenario, or the town, once."""

    @cache
    def rendered(name: str) -> Repository:
        answers = (scenarios() | {"town": town()})[name]
        return Repository(name, render(template, answers, tmp_path_factory.mktemp("scenario") / "repository"), answers)

    return rendered


@pytest.fixture(scope="session", params=scenarios())
def repository(request: pytest.FixtureRequest, repositories: Callable[[str], Repository]) -> Repository:
    """Return the repository of each scenario."""
    return repositories(request.param)


@pytest.fixture(scope="session")
def stages(repositories: Callable[[str], Repository]) -> Repository:
    """Return the example with three environments on two clusters."""
    return repositories("stages")


@pytest.fixture(scope="session")
def routed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return the example with several clusters and a workload with routes of every kind."""
    answers = routes.answers()
    return Repository("routed", render(template, answers, tmp_path_factory.mktemp("routed") / "repository"), answers)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the variables of a shell for the scripts of a rendered repository."""
    from tests.support.cluster.world import shell

    with shell(tmp_path_factory.mktemp("world")) as variables:
        yield variables | {"GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"]}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a user with mise, with the packages that uv downloads once."""
    need_mise()
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the rendered scripts run in this process without a network."""
    with local_downloads(tmp_path_factory.mktemp("downloads")):
        yield


@pytest.fixture(scope="session")
def validate(downloads: None) -> Validate:
    """Return a function that runs the rendered repository's own checks."""
    return failed_checks
