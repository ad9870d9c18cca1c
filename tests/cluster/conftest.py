"""The stacks that the tests of this folder share: each is started once, by the first test that asks for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.cluster import sandbox
from tests.cluster.kubernetes import Node
from tests.cluster.stack import Stack
from tests.conftest import Repository, examples, render

# Two t3.small, as docs/installation.md has them: 2 vCPU and 2 GiB each, less what the kubelet and the system keep.
PODS_WITH_PREFIX_DELEGATION, PODS_WITHOUT_PREFIX_DELEGATION = 30, 11
SMALL = [
    Node(f"small-{zone}", cpu="1930m", memory="1434Mi", pods=PODS_WITH_PREFIX_DELEGATION, zone=zone) for zone in "ab"
]


@contextmanager
def started(
    template: Path, name: str, answers: dict[str, Any], real_pace: bool = False, **options: Any
) -> Iterator[Stack]:
    """A stack of rendered answers, ended when the block ends."""
    if reason := sandbox.missing():
        pytest.skip(f"no clusters on this machine: {reason}")
    # Not pytest's own folder: sockets have short paths.
    with TemporaryDirectory(prefix="stack-", ignore_cleanup_errors=True) as temporary:
        repository = Repository(name, render(template, answers, Path(temporary) / "rendered"), answers)
        for cluster in () if real_pace else repository.clusters:
            # Tuning in its documented place: nobody waits a minute for a load balancer that is not there.
            overrides = repository.path / f"apps/platform/traefik/values/overrides-{cluster['name']}.yaml"
            overrides.write_text(overrides.read_text() + "\ndeployment:\n  minReadySeconds: 1\n")
        stack = Stack(Path(temporary) / "stack", repository, **options)
        try:
            yield stack
        finally:
            stack.close()


@pytest.fixture(scope="session")
def small(template: Path) -> Iterator[Stack]:
    """The smallest example on two t3.small, nothing installed yet. A pod that goes keeps its place for 15 s."""
    with started(template, "small", examples()["minimal"], real_pace=True, nodes=SMALL, grace_seconds=15) as stack:
        yield stack


@pytest.fixture(scope="session")
def installed(small: Stack) -> Stack:
    """The smallest example, installed as documented."""
    if not small.is_installed:
        small.install()
        small.settle()
    return small


def two_clusters() -> dict[str, Any]:
    """The example with three environments on two clusters, by https: no SSH server runs here."""
    return examples()["stages"] | {"repo_url": "https://github.com/acme/stages-gitops.git"}


@pytest.fixture(scope="session")
def stages(template: Path) -> Iterator[Stack]:
    """Two clusters and three environments, all as the answers have it: staging and prod are protected, dev is not."""
    with started(template, "stages", two_clusters()) as stack:
        stack.install()
        stack.register("prod")
        stack.settle()
        yield stack


# Workloads of which nothing but their number matters: without a port they need no route and no network policy for it.
MANY: dict[str, Any] = examples()["minimal"] | {
    "environments": ["dev", "prod"],
    "workloads": [{"name": f"w{n:02}", "image": "example.com/worker:1", "replicas": 1} for n in range(50)],
}


@pytest.fixture(scope="session")
def many(template: Path) -> Iterator[Stack]:
    """Fifty workloads in two environments, looked at as seldom as a busy machine needs it."""
    with started(template, "many", MANY, resync_seconds=120) as stack:
        stack.install()
        stack.settle()
        yield stack


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say what was measured: it stands at the end of the run."""
    return lambda text: record_property("measured", text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what Argo CD says about it."""
    report = yield
    if report.failed:
        for stack in getattr(item, "funcargs", {}).values():
            if isinstance(stack, Stack):
                try:
                    report.sections.append(("Argo CD", stack.explain()))
                except (OSError, subprocess.SubprocessError) as error:
                    report.sections.append(("Argo CD", f"cannot be asked: {error}"))
    return report
