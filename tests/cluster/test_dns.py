"""The real external-dns of each cluster, with its own arguments and rights, writes the right records."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gitops.routes import dns_names
from tests.support import policies
from tests.support.cluster.addons import CLUSTERS, answers_of, ways
from tests.support.cluster.name_server import PREVIOUS, NameServer, Records
from tests.support.cluster.stack import Stack
from tests.support.repository import Document

BY_HAND = "by-hand.dev.acme.io"
DNS = "external-dns.kubernetes.io/"
# The name of the TXT record that names the owner of a CNAME record.
OWNER = "external-dns-cname."
NAMESPACE: Document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-hand"}}


def owner(stack: Stack, cluster: str) -> str:
    """Return the owner id of a cluster's records."""
    return str(answers_of(stack, cluster)["dns_owner_id"])


def owned(records: Records) -> dict[str, str]:
    """Return the owner of each CNAME record, from the TXT record beside it."""
    found = {}
    for (name, kind), targets in records.items():
        if kind == "TXT" and name.startswith(OWNER):
            (text,) = targets
            (found[name.removeprefix(OWNER)],) = re.findall("external-dns/owner=([^,]+)", text)
    return found


def expected(stack: Stack, cluster: str) -> dict[str, str]:
    """Return the CNAME records that the answers imply for a cluster."""
    endpoint = answers_of(stack, cluster)["ingress_host"]
    hosts = {way.host: endpoint for way in ways(stack, cluster)}
    return hosts | {endpoint: stack.clusters[cluster].load_balancer}


def assert_records(records: Records, *wanted: tuple[dict[str, str], str]) -> None:
    """Check that there are CNAME records, each with a TXT record that names its owner, and no others."""
    aliases = {name: target for names, _ in wanted for name, target in names.items()}
    owners = {name: owner for names, owner in wanted for name in names}
    assert {name: targets for (name, kind), targets in records.items() if kind == "CNAME"} == {
        name: [target] for name, target in aliases.items()
    }
    assert owned(records) == owners
    assert len(records) == 2 * len(aliases)


@pytest.fixture
def names(stages: Stack) -> Iterator[NameServer]:
    """Yield a name server without records."""
    server = NameServer(stages)
    yield server
    server.close()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_makes_the_records_that_the_answers_imply_and_no_others(names: NameServer, cluster: str) -> None:
    names.sync(cluster)
    assert_records(names.records, (expected(names.stack, cluster), owner(names.stack, cluster)))


def test_several_clusters_share_zones_and_leave_each_others_records_alone(names: NameServer) -> None:
    everything = [(expected(names.stack, cluster), owner(names.stack, cluster)) for cluster in CLUSTERS]
    for cluster in CLUSTERS:
        names.sync(cluster)
    assert_records(names.records, *everything)
    before = names.records
    for cluster in CLUSTERS:
        log = names.sync(cluster)
        assert names.records == before
        assert "up to date" in log


def test_external_dns_has_nothing_to_complain_about(names: NameServer) -> None:
    for cluster in CLUSTERS:
        # The first lines come before the format of the log is set.
        levels = re.findall(r'\blevel"?[=:]"?(\w+)', log := names.sync(cluster))
        assert set(levels) == {"info"}, log


def test_records_of_others_stay(names: NameServer) -> None:
    names.add("acme.io", "TXT", "v=spf1 -all")
    names.add("mail.acme.io", "A", "203.0.113.7")
    names.add("old.dev.acme.io", "CNAME", "elsewhere.example.com")
    names.add("blog.acme.com", "CNAME", "elsewhere.example.com")
    theirs = names.records
    for cluster in CLUSTERS:
        names.sync(cluster)
    assert {key: targets for key, targets in names.records.items() if key in theirs} == theirs


@pytest.mark.parametrize(("kind", "target"), [("CNAME", "elsewhere.example.com"), ("A", "203.0.113.7")])
def test_a_host_that_somebody_else_has_taken_stays_as_it_is(names: NameServer, kind: str, target: str) -> None:
    cluster = CLUSTERS[0]
    taken, *_ = (way.host for way in ways(names.stack, cluster))
    names.add(taken, kind, target)
    names.sync(cluster)
    records = names.records
    assert records.pop((taken, kind)) == [target]
    rest = {name: target for name, target in expected(names.stack, cluster).items() if name != taken}
    assert_records(records, (rest, owner(names.stack, cluster)))


def by_hand(item: Document, name: str, **annotations: str) -> Document:
    """Return an object with annotations, in a namespace outside the environments: no policy checks it."""
    names = {f"{DNS}{key.replace('_', '-')}": value for key, value in annotations.items()}
    return item | {"metadata": {"name": name, "namespace": "by-hand", "annotations": names}}


def test_a_service_inside_the_cluster_gets_no_record(names: NameServer) -> None:
    cluster = CLUSTERS[0]
    inside = by_hand(policies.service(), "inside", hostname="a.dev.acme.io", internal_hostname="b.dev.acme.io")
    with names.stack.clusters[cluster].applied(NAMESPACE, inside):
        names.sync(cluster)
    assert_records(names.records, (expected(names.stack, cluster), owner(names.stack, cluster)))


def test_the_scripts_read_the_names_that_external_dns_creates(names: NameServer) -> None:
    cluster = CLUSTERS[0]
    endpoint = answers_of(names.stack, cluster)["ingress_host"]
    rules = {
        "a": "Host(`1.x.acme.io`) || (Host(`2.x.acme.io`) && Path(`/`))",
        "b": 'Host(`3.x.acme.io`, `4.x.acme.io`) || Host("5.x.acme.io")',
        "c": "HostHeader (`6.x.acme.io` ) && Header(`Host(`, `7.x.acme.io`)",
    }
    items = [
        *(by_hand(policies.route(rule), name, target=f" {endpoint}.") for name, rule in rules.items()),
        by_hand(policies.route("Path(`/`)"), "d", target=endpoint, hostname="8.x.acme.io,9.x.acme.io"),
        by_hand(policies.route("Host(`10.x.acme.io`)"), "e", hostname="11.x.acme.io"),
        by_hand(policies.service(type="LoadBalancer"), "f", hostname="12.x.acme.io, 13.x.acme.io."),
    ]
    with names.stack.clusters[cluster].applied(NAMESPACE, *items):
        names.sync(cluster)
    found = {name for name, kind in names.records if kind == "CNAME"} - expected(names.stack, cluster).keys()
    assert found == {name for item in items for name in dns_names(item)} != set()


def test_without_the_policies_an_annotation_would_take_the_hosts_of_others(names: NameServer) -> None:
    cluster = CLUSTERS[0]
    taken = [way.host for way in ways(names.stack, cluster)] + [answers_of(names.stack, cluster)["ingress_host"]]
    names.sync(cluster)
    assert {names.records.get((name, "CNAME")) is not None for name in taken} == {True}
    route = policies.route("Host(`a.dev.acme.io`)")
    intruder = by_hand(route, "intruder", hostname=",".join(taken), target="198.51.100.66")
    with names.stack.clusters[cluster].applied(NAMESPACE, intruder):
        names.sync(cluster)
    # Of several records, external-dns takes the one with an address, whoever owns the other.
    assert [names.records.get((name, "A")) for name in taken] == [["198.51.100.66"]] * len(taken)


def test_a_route_that_goes_takes_its_record_along_and_no_other(names: NameServer) -> None:
    cluster = names.stack.clusters["nonprod"]
    target = {"external-dns.kubernetes.io/target": answers_of(names.stack, cluster.name)["ingress_host"]}
    rule = {"kind": "Rule", "match": f"Host(`{BY_HAND}`)", "services": [{"name": "api", "port": 9000}]}
    route = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": "by-hand", "namespace": "shop-dev", "annotations": target},
        "spec": {"entryPoints": ["websecure"], "routes": [rule]},
    }
    with cluster.applied(route):
        for name in CLUSTERS:
            names.sync(name)
        before = names.records
    for name in CLUSTERS:
        names.sync(name)
    after = names.records
    assert before.keys() - after.keys() == {(BY_HAND, "CNAME"), (f"{OWNER}{BY_HAND}", "TXT")}
    assert after.items() <= before.items()
    with cluster.applied(route):
        names.sync(cluster.name)
    assert names.records == before


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_an_upgrade_of_external_dns_changes_no_record(names: NameServer, cluster: str) -> None:
    names.sync(cluster, binary=PREVIOUS)
    assert_records(names.records, (expected(names.stack, cluster), owner(names.stack, cluster)))
    before = names.records
    log = names.sync(cluster)
    assert names.records == before
    assert "up to date" in log


def test_versions_that_read_other_annotations_would_delete_every_record(names: NameServer) -> None:
    cluster = CLUSTERS[0]
    names.sync(cluster)
    assert names.records
    names.sync(cluster, binary=PREVIOUS, without="--annotation-prefix=external-dns.kubernetes.io/")
    assert names.records == {}
