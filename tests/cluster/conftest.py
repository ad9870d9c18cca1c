"""Provide the stacks that the tests of this folder share: each starts with its first test, and ends with its last."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support import groups
from tests.support.cluster import metrics_server, sandbox, secrets_operator, victims
from tests.support.cluster.addons import CLUSTERS
from tests.support.cluster.charts import definitions
from tests.support.cluster.nodes import SMALL
from tests.support.cluster.scaling import GRACE_SECONDS, MIN_READY_SECONDS, scale
from tests.support.cluster.scripts import Expected, applications
from tests.support.cluster.stack import Stack
from tests.support.cluster.way_in import WayIn
from tests.support.repository import Repository, examples, pick, render
from tests.support.systems import joined
from tests.support.updates.repository import Repository as Rendered
from tests.support.updates.versions import Versions

HERE = Path(__file__).parent
_running: list[Stack] = []


@contextmanager
def started(
    rendered: Path, name: str, answers: dict[str, Any], min_ready_seconds: int = 0, **options: Any
) -> Iterator[Stack]:
    """Start a stack of a rendered repository, and stop it at the end of the block or of its group."""
    if reason := sandbox.missing():
        pytest.skip(f"no clusters on this machine: {reason}")
    repository = Repository(name, rendered, answers)
    scale(rendered, [cluster["name"] for cluster in repository.clusters], min_ready_seconds)
    # Not pytest's own folder: sockets need short paths.
    with TemporaryDirectory(prefix="stack-", ignore_cleanup_errors=True) as temporary:
        stack = Stack(Path(temporary) / "stack", repository, **options)
        _running.append(stack)
        try:
            yield stack
        finally:
            stack.close()


@pytest.fixture(scope="session")
def small(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield the smallest example on two t3.small nodes, with nothing installed. Pods take a while to terminate."""
    answers = examples()["minimal"]
    rendered = render(template, answers, tmp_path_factory.mktemp("small") / "repository")
    with started(rendered, "small", answers, MIN_READY_SECONDS, nodes=SMALL, grace_seconds=GRACE_SECONDS) as stack:
        yield stack


@pytest.fixture(scope="session")
def installed(small: Stack) -> Stack:
    """Yield the smallest example, installed as documented for a private repository."""
    small.install(is_private=True)
    small.settle()
    return small


@pytest.fixture(scope="session")
def brought(repository: Repository, installed: Stack) -> dict[str, Expected]:
    """Return the Applications of a rendered repository, computed by its scripts; the sandbox has the charts.

    Their definitions are installed, so tests can apply objects of these kinds.
    """
    found = applications(installed.sandbox, repository.path)
    known = {item["metadata"]["name"] for item in installed.argocd.list("customresourcedefinitions")}
    brings = {i["metadata"]["name"]: i for a in found.values() for i in pick(a.objects, "CustomResourceDefinition")}
    if new := {name: item for name, item in brings.items() if name not in known}:
        installed.argocd.apply(*new.values())
        names = [f"crd/{name}" for name in new]
        installed.argocd.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    return found


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield two clusters and four environments: staging and prod are protected, dev and test are not.

    The repository was rendered from a released version, so that it can be updated.
    """
    answers, folder = victims.two_clusters(), tmp_path_factory.mktemp("stages")
    versions = Versions.snapshot(folder / "template")
    rendered = Rendered.copy(versions, folder / "repository", answers).path
    victims.make_by_hand(rendered)
    with started(rendered, "stages", answers) as stack:
        # Half of Argo CD's work in a new cluster is to rediscover its kinds with each definition. Another stack tests
        # the start without them.
        for cluster in stack.clusters.values():
            cluster.apply(*definitions())
        stack.install()
        stack.register_others()
        stack.settle()
        yield stack


@pytest.fixture(scope="session")
def moved_in(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield one cluster with all public systems of the examples."""
    answers = joined()
    rendered = render(template, answers, tmp_path_factory.mktemp("systems") / "repository")
    with started(rendered, "systems", answers) as stack:
        stack.argocd.apply(*definitions())
        stack.install()
        yield stack


@pytest.fixture(scope="session")
def equipped(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield one cluster for every add-on, with nothing installed. Nothing serves metrics."""
    answers = secrets_operator.answers()
    rendered = render(template, answers, tmp_path_factory.mktemp("equipped") / "repository")
    with started(rendered, "equipped", answers) as stack:
        stack.argocd.api.delete("apiservice", metrics_server.API)
        stack.argocd.api.delete("service", metrics_server.ADDON, "kube-system")
        yield stack


@pytest.fixture(scope="module")
def ways_in(stages: Stack) -> Iterator[dict[str, WayIn]]:
    """Yield Traefik of every cluster."""
    # An echo server listens at the current addresses of the pods.
    stages.rest()
    traefiks: dict[str, WayIn] = {}
    try:
        for name in CLUSTERS:
            traefiks[name] = WayIn(stages, name)
        yield traefiks
    finally:
        for way_in in traefiks.values():
            way_in.close()


@pytest.fixture(params=CLUSTERS)
def way_in(request: pytest.FixtureRequest, ways_in: dict[str, WayIn]) -> WayIn:
    """Return Traefik of one cluster after the other."""
    return ways_in[request.param]


@pytest.fixture(autouse=True)
def at_rest(request: pytest.FixtureRequest) -> None:
    """Wait until Argo CD has applied what the previous test reverted."""
    for name in {"installed", "stages"}.intersection(request.fixturenames):
        request.getfixturevalue(name).rest()


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Record a measurement: it is printed at the end of the run."""
    return lambda text: record_property("measured", text)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and group them by the stack that they use."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("proof")
    groups.assign(items, HERE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """Stop a stack after the last test of its group, to free resources for other tests of this worker."""
    yield
    if groups.group_of(item) and groups.group_of(item) != groups.group_of(nextitem):
        while _running:
            _running.pop().close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add Argo CD's conditions and logs to a failure."""
    report = yield
    if report.failed and groups.group_of(item):
        for stack in _running:
            try:
                report.sections.append(("Argo CD", stack.argo.explain()))
            except (OSError, AssertionError, subprocess.SubprocessError) as error:
                report.sections.append(("Argo CD", f"cannot be asked: {error}"))
    return report
