"""A real engine evaluates the rendered NetworkPolicies for every pair of addresses and every port."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.support.network_design import design, is_link_local
from tests.support.network_policies import METADATA, Verdict, verdicts_on
from tests.support.repository import Repository, examples, render

WORKERS, REPORTS = ("worker", "worker-after-release", "worker-nightly"), ("reports", "made-by-hand")
WEB = ("web", "web-before-release", "web-nightly")
ROUTED = (("shop", "web", 8080), ("billing", "api", 80), ("reports", "reports", 8080))
# The expected connections in the town from outside a workload. For other repositories, they are computed.
REACHED = {
    *((f"billing-{e}/{pod}", f"shop-{e}/db", 5432, "TCP") for e in ("dev", "prod") for pod in WORKERS),
    *((f"reports-{e}/{pod}", f"shop-{e}/cache", 6379, "TCP") for e in ("dev", "prod") for pod in REPORTS),
    *((f"reports-{e}/{pod}", f"shop-{e}/cache", 6380, "UDP") for e in ("dev", "prod") for pod in REPORTS),
    *((f"shop-{e}/{pod}", f"reports-{e}/reports", 8080, "TCP") for e in ("dev", "prod") for pod in WEB),
    *(("observability/prometheus", f"shop-{e}/web", 9113, "TCP") for e in ("dev", "prod")),
    *(("observability/prometheus", f"billing-{e}/api", 80, "TCP") for e in ("dev", "prod")),
    *(("traefik/traefik", f"{name}-{e}/{pod}", port, "TCP") for e in ("dev", "prod") for name, pod, port in ROUTED),
}


def readable(verdicts: Iterable[Verdict]) -> str:
    """Return verdicts as text, one pair of peers a line, with a limited number of lines."""
    lines: dict[str, list[str]] = {}
    for verdict in verdicts:
        pair = f"{verdict.source.name} {'reaches' if verdict.allowed else 'does not reach'} {verdict.target.name}"
        lines.setdefault(pair, []).append(f"{verdict.port}/{verdict.protocol}")
    shown = [f"{pair}: {' '.join(ports)}" for pair, ports in lines.items()]
    return "\n".join(["", *shown[:20], f"{len(shown)} pairs in all"])


def refused(verdicts: list[Verdict], about: Callable[[Verdict], bool]) -> None:
    """Assert that there are verdicts, and that all deny the connection."""
    asked = [verdict for verdict in verdicts if about(verdict)]
    assert asked
    allowed = [verdict for verdict in asked if verdict.allowed]
    assert not allowed, readable(allowed)


@pytest.fixture(scope="module")
def several(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Return the verdicts for several environments in one cluster, with several workloads in one of them."""
    answers = examples()["stages"]
    path = render(template, answers, tmp_path_factory.mktemp("stages") / "repository")
    repository = Repository("stages", path, answers)
    return [verdict for cluster in repository.clusters for verdict in verdicts_on(repository, cluster["name"])]


def test_callers_and_prometheus_reach_the_ports_that_are_meant_and_nobody_else_does(
    repositories: Callable[[str], Repository],
) -> None:
    verdicts = verdicts_on(repositories("town"), "town")
    reached = {
        (v.source.name.removesuffix("-1"), v.target.name.removesuffix("-1"), v.port, v.protocol)
        for v in verdicts
        if v.allowed
        and v.target.workload
        and not v.source.is_with(v.target)
        and not v.source.name.endswith("-2")
        and not v.target.name.endswith("-2")
    }
    assert reached == REACHED


def test_everyone_reaches_whom_the_design_names_and_nobody_else(repository: Repository) -> None:
    for cluster in (cluster["name"] for cluster in repository.clusters):
        verdicts, allows = verdicts_on(repository, cluster), design(repository, cluster).allows
        wrong = [verdict for verdict in verdicts if verdict.allowed != allows(verdict)]
        assert verdicts
        assert not wrong, f"{cluster}: {readable(wrong)}"


def test_another_environment_of_the_same_workload_cannot_be_reached(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return source.workload == target.workload != "" and source.environment != target.environment

    refused(several, about)


def test_another_workload_of_the_same_environment_cannot_be_reached(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return source.environment == target.environment != "" and source.workload != target.workload

    refused(several, about)


def test_nobody_from_outside_reaches_a_workload_past_traefik(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return bool(target.workload) and not source.workload and not source.is_traefik

    refused(several, about)


def test_traefik_reaches_no_component_that_is_not_public(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        return verdict.source.is_traefik and bool(verdict.target.workload) and verdict.target.public_port is None

    refused(several, about)


def test_the_credentials_of_the_node_are_out_of_reach(several: list[Verdict]) -> None:
    platform = ("argocd", "external-dns", "traefik")

    def about(verdict: Verdict) -> bool:
        # Port 53 is open everywhere. The instance metadata service listens on port 80 alone.
        source = verdict.source
        is_ours = bool(source.workload) or source.namespace in platform
        return is_ours and verdict.target.name in METADATA and verdict.port != 53

    refused(several, about)


def test_what_builds_the_branches_reaches_nothing_but_the_cache_in_the_cluster(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        inside = bool(verdict.target.namespace) or verdict.target.name in ("the node", "the API server")
        near = inside or is_link_local(verdict.target.address)
        return verdict.source.name == "argocd/repo-server" and near and verdict.port not in (53, 6379)

    refused(several, about)


def test_no_workload_reaches_the_platform_but_through_an_entry_point(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        target = verdict.target
        entry = target.namespace == "traefik" and verdict.port in (8000, 8080, 8443)
        return bool(verdict.source.workload) and target.namespace in ("argocd", "external-dns", "traefik") and not entry

    refused(several, about)
