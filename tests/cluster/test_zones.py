"""The real external-dns, with its Route 53 provider, its arguments and the documented role, uses the right zones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import policies
from tests.support.aws_roles import policy_of
from tests.support.cluster import route53
from tests.support.cluster.addons import CLUSTERS, answers_of, ways
from tests.support.cluster.hosted_zones import HostedZones
from tests.support.cluster.route53 import Zones
from tests.support.cluster.stack import Stack
from tests.support.repository import Document, Repository, installation_id, pick

DNS = "external-dns.kubernetes.io/"
NAMESPACE: Document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-hand"}}
OURS: Zones = {"ZOURS": {"name": "acme.io"}}
# A zone of another team inside ours.
TEAM: Zones = {"ZTEAM": {"name": "legacy.acme.io"}}
# A zone with the form of a host.
EU: Zones = {"ZEU": {"name": "eu.legacy.acme.io"}}
# The former policy of a cluster's role: read and change only the named zones.
READS_ITS_OWN = {
    "Statement": [
        {"Action": ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"], "Resource": "*/ZOURS"},
        {"Action": ["route53:ListHostedZones"], "Resource": "*"},
    ]
}
ANYTHING = {"Statement": [{"Action": [f"route53:{action}" for action in route53.ACTIONS], "Resource": "*"}]}

Account = Callable[[str, Zones], HostedZones]


@pytest.fixture
def account(stages: Stack, tmp_path: Path) -> Iterator[Account]:
    """Return a function that creates an account with zones, and the documented role of a cluster in it."""
    started: list[HostedZones] = []

    def start(cluster: str, zones: Zones) -> HostedZones:
        policy = policy_of(stages.checkout.work, cluster, "external-dns", tmp_path)
        started.append(HostedZones(stages, zones, policy))
        return started[-1]

    yield start
    for each in started:
        each.close()


def expected(stack: Stack, cluster: str, zones: Zones) -> dict[str, list[str]]:
    """Return the records that the answers imply, in the zone with the longest name."""
    endpoint = answers_of(stack, cluster)["ingress_host"]
    found: dict[str, list[str]] = {}
    for host in {endpoint, *(way.host for way in ways(stack, cluster))}:
        found.setdefault(zone_of(host, zones), []).extend(aliases(host) if host == endpoint else [f"{host} CNAME"])
    return {zone: sorted(records) for zone, records in found.items()}


def zone_of(host: str, zones: Zones) -> str:
    """Return the zone with the longest name that contains a host."""
    names = [name for name in zones if f".{host}".endswith(f".{zones[name]['name']}")]
    return max(names, key=lambda name: len(zones[name]["name"]))


def aliases(host: str) -> list[str]:
    """Return the records of a host that is an alias of the load balancer itself."""
    return [f"{host} A", f"{host} AAAA"]


def test_a_zone_of_somebody_else_below_the_domain_is_not_even_read(account: Account, stages: Stack) -> None:
    names = account("nonprod", OURS | TEAM)
    names.allow(READS_ITS_OWN)
    log = names.sync("nonprod")
    assert names.records == expected(stages, "nonprod", OURS), log


def test_a_zone_where_hosts_could_be_costs_only_itself(account: Account, stages: Stack) -> None:
    names = account("nonprod", OURS | EU)
    target = {f"{DNS}target": answers_of(stages, "nonprod")["ingress_host"]}
    inside = policies.route("Host(`shop.eu.legacy.acme.io`)")
    inside["metadata"] = {"name": "inside", "namespace": "by-hand", "annotations": target}
    with stages.clusters["nonprod"].applied(NAMESPACE, inside):
        log = names.sync("nonprod")
    assert "Failure in zone eu.legacy.acme.io" in log and "AccessDenied" in log
    assert names.records == expected(stages, "nonprod", OURS)
    assert "All records are already up to date" in names.sync("nonprod")


def test_a_host_that_the_role_does_not_name_costs_only_itself(account: Account, stages: Stack) -> None:
    names = account("nonprod", OURS)
    target = {f"{DNS}target": answers_of(stages, "nonprod")["ingress_host"]}
    other = policies.route("Host(`www.shop.acme.io`)")
    other["metadata"] = {"name": "other", "namespace": "by-hand", "annotations": target}
    with stages.clusters["nonprod"].applied(NAMESPACE, other):
        log = names.sync("nonprod")
    assert "AccessDenied" in log
    assert names.records == expected(stages, "nonprod", OURS), log


def test_a_zone_that_cannot_be_read_stops_everything_until_it_is_left_out(account: Account, stages: Stack) -> None:
    names = account("nonprod", OURS | EU)
    names.allow(READS_ITS_OWN)
    log = names.sync("nonprod")
    assert "failed to list resource records sets for zone /hostedzone/ZEU" in log and "AccessDenied" in log
    assert names.records == {}
    names.sync("nonprod", "--regex-domain-exclusion=eu.legacy.acme.io$")
    assert names.records == expected(stages, "nonprod", OURS)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_hosts_are_written_where_they_resolve(account: Account, stages: Stack, cluster: str) -> None:
    used: Zones = OURS | {"ZDEV": {"name": "dev.acme.io"}, "ZABOVE": {"name": "com"}}
    names = account(cluster, used | TEAM | {"ZPRIVATE": {"name": "acme.io", "private": True}})
    log = names.sync(cluster)
    assert names.records == expected(stages, cluster, used), log
    assert "All records are already up to date" in names.sync(cluster)


def test_a_domain_that_is_the_top_of_a_zone_is_an_alias_and_goes_with_its_route(
    account: Account, stages: Stack, routed: Repository
) -> None:
    zones: Zones = OURS | {"ZDEV": {"name": "dev.acme.io"}}
    names = account("nonprod", zones)
    names.sync("nonprod")
    before = names.records
    values = routed.one("apps/platform/traefik/clusters/nonprod/values.yaml")
    service = policies.service(type="LoadBalancer")
    service["metadata"] = {"name": "traefik", "namespace": "by-hand", "annotations": values["service"]["annotations"]}
    built = pick(routed.build("apps/workloads/portal/overlays/dev"), "IngressRoute")
    routes = [route | {"metadata": route["metadata"] | {"namespace": "by-hand"}} for route in built]
    cluster = stages.clusters["nonprod"]
    with cluster.applied(NAMESPACE, service, *routes):
        stages.until(
            "the load balancer is there",
            lambda: all(item["status"].get("loadBalancer") for item in cluster.list("services", "by-hand")),
        )
        log = names.sync("nonprod")
        added = {zone: sorted({*records} - {*before.get(zone, [])}) for zone, records in names.records.items()}
        hosts = [f"{host}.dev.acme.io CNAME" for host in ("admin", "limited", "old", "rpc.v2", "www")]
        assert added == {"ZDEV": sorted([*hosts, *aliases("dev.acme.io")]), "ZOURS": []}, log
        assert "All records are already up to date" in names.sync("nonprod")
    names.sync("nonprod")
    assert names.records == before


def test_without_a_zone_the_log_has_the_line_of_the_documentation(account: Account, stages: Stack) -> None:
    names = account("nonprod", {"ZOTHER": {"name": "example.org"}})
    line = "there are no changes for the matching hosted zones"
    assert f"All records are already up to date, {line}" in names.sync("nonprod")
    assert names.records == {}
    assert f"`{line}`" in (stages.checkout.work / "docs/runbook.md").read_text()


def test_repositories_of_one_name_delete_nothing_of_each_other(account: Account, stages: Stack) -> None:
    zones: Zones = OURS | {"ZCOM": {"name": "acme.com"}}
    urls = [f"https://gitlab.com/acme/infra/{part}/gitops.git" for part in ("dev", "prod")]
    owners = {c: f"{installation_id({'repo_url': url})}-main" for c, url in zip(CLUSTERS, urls, strict=True)}
    names = account("nonprod", zones)
    names.allow(ANYTHING)
    for cluster, owner in [*owners.items()] * 2:
        names.sync(cluster, owner=owner)
    everything: dict[str, list[str]] = {}
    for cluster in CLUSTERS:
        for zone, records in expected(stages, cluster, zones).items():
            everything[zone] = sorted(everything.get(zone, []) + records)
    assert (names.records, names.deleted) == (everything, [])
    # With one owner id, each treats the records of the other as its own, and deletes them.
    for cluster in CLUSTERS:
        names.sync(cluster, owner=owners["nonprod"])
    hosts = {f"{way.host} CNAME" for way in ways(stages, "nonprod") if way.host.endswith(".acme.io")}
    assert set() != hosts <= {*names.deleted}
