"""Names: the real external-dns of each cluster, with its own arguments and rights, and a name server of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.addons import CLUSTERS, answers_of, container, kubeconfig_of, ways
from tests.cluster.client import Request, ask
from tests.cluster.stack import BINARIES, Stack

Records = dict[tuple[str, str], list[str]]
EXTERNAL_DNS = BINARIES / "external-dns/external-dns"
PREVIOUS = BINARIES / "external-dns-previous/external-dns"
SERVER = "http://127.0.0.1:8888"
# The hosted zones of the account: both of the answers' domains.
ZONES = ("acme.com", "acme.io")
# What of the arguments speaks of the provider, which is exchanged.
PROVIDER = re.compile(r"--(provider=|aws-|cloudflare-)")


class NameServer:
    """A name server in memory, served by external-dns itself to other external-dns."""

    def __init__(self, stack: Stack) -> None:
        """Start it, without records."""
        self.stack = stack
        self.sandbox = stack.sandbox
        self._kubeconfigs: dict[str, Path] = {}
        zones = [f"--inmemory-zone={zone}" for zone in ZONES]
        options = ["--webhook-server", "--provider=inmemory", "--source=fake", "--policy=sync"]
        self.sandbox.start("name-server", EXTERNAL_DNS, *options, *zones, "--metrics-address=127.0.0.1:7980")
        self.sandbox.wait_for("name-server", f"{SERVER}/records")

    def close(self) -> None:
        """End it, and forget its records."""
        self.sandbox.end("name-server")

    @property
    def records(self) -> Records:
        """The targets of all records, by name and type."""
        return {(r["dnsName"], r["recordType"]): r["targets"] for r in self._endpoints()}

    def add(self, name: str, kind: str, *targets: str) -> None:
        """Add a record by hand."""
        self._change({"create": [{"dnsName": name, "recordType": kind, "targets": targets}]})

    def sync(self, cluster: str, binary: Path = EXTERNAL_DNS, without: str = "") -> str:
        """Let external-dns of a cluster do its work once, as its Deployment says, and return its log.

        Args:
            cluster: The name of the cluster.
            binary: The version that does it.
            without: An argument to leave out.
        """
        kubernetes = self.stack.clusters[cluster]
        if cluster not in self._kubeconfigs:
            self._kubeconfigs[cluster] = kubeconfig_of(kubernetes, "external-dns")
        given = container(kubernetes, "external-dns")["args"]
        assert not without or without in given
        kept = [argument for argument in given if not PROVIDER.match(argument) and argument != without]
        ours = ["--provider=webhook", f"--webhook-provider-url={SERVER}", "--once"]
        result = self.sandbox.run(binary, *kept, *ours, f"--kubeconfig={self._kubeconfigs[cluster]}")
        assert not result.returncode, result.stdout + result.stderr
        self._forget_labels()
        return result.stdout + result.stderr

    def _endpoints(self) -> list[dict[str, Any]]:
        (answer,) = ask(self.sandbox, Request(f"{SERVER}/records"))
        return list(answer.json)

    def _forget_labels(self) -> None:
        """Keep of the records what a zone keeps. In memory, labels would tell the owner without a TXT record."""
        endpoints = self._endpoints()
        plain = [{k: v for k, v in endpoint.items() if k != "labels"} for endpoint in endpoints]
        self._change({"updateOld": endpoints, "updateNew": plain})
        assert not any(endpoint.get("labels") for endpoint in self._endpoints())

    def _change(self, changes: dict[str, Any]) -> None:
        (answer,) = ask(self.sandbox, Request(f"{SERVER}/records", method="POST", body=json.dumps(changes)))
        assert answer.status == 204


def owner(stack: Stack, cluster: str) -> str:
    """The owner id of a cluster's records."""
    repository = stack.repository.answers["repo_url"].rpartition("/")[2].removesuffix(".git")
    return f"{repository}-{cluster}"


def owned(records: Records) -> dict[str, str]:
    """The owner of each CNAME record, read from the TXT record beside it."""
    found = {}
    for (name, kind), targets in records.items():
        if kind == "TXT" and name.startswith("cname-"):
            (text,) = targets
            (found[name.removeprefix("cname-")],) = re.findall("external-dns/owner=([^,]+)", text)
    return found


def expected(stack: Stack, cluster: str) -> dict[str, str]:
    """The CNAME records that the answers imply for a cluster."""
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
    """A name server without records."""
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


def test_a_service_inside_the_cluster_gets_no_record(names: NameServer) -> None:
    cluster = CLUSTERS[0]
    metadata = {
        "name": "inside",
        "namespace": "shop-dev",
        "annotations": {"external-dns.kubernetes.io/hostname": "inside.dev.acme.io"},
    }
    spec = {"clusterIP": "None", "selector": {"app.kubernetes.io/name": "shop-api"}, "ports": [{"port": 9000}]}
    kubernetes = names.stack.clusters[cluster]
    with kubernetes.applied({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}):
        names.sync(cluster)
    assert_records(names.records, (expected(names.stack, cluster), owner(names.stack, cluster)))


def test_a_route_that_goes_takes_its_record_along_and_no_other(names: NameServer) -> None:
    stack, (gone, *_) = names.stack, [way for way in ways(names.stack) if way.to.startswith("shop-dev/")]
    for cluster in CLUSTERS:
        names.sync(cluster)
    before = names.records
    overlay = stack.work / "apps/workloads/shop/overlays/dev"
    with stack.undone():
        # The route is all that is in this file.
        (overlay / "resources.yaml").unlink()
        stack.edit("apps/workloads/shop/overlays/dev/kustomization.yaml", "  - resources.yaml\n", "")
        stack.publish("Take the route of shop out of dev")
        kubernetes = stack.clusters[gone.cluster]
        stack.until("the route is gone", lambda: not kubernetes.list("ingressroutes", "shop-dev"))
        for cluster in CLUSTERS:
            names.sync(cluster)
        after = names.records
    assert before.keys() - after.keys() == {(gone.host, "CNAME"), (f"cname-{gone.host}", "TXT")}
    assert after.items() <= before.items()
    names.sync(gone.cluster)
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
