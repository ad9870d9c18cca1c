"""The real Traefik routes exactly the hosts that the scripts read from an accepted rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.routes import read_rule
from tests.support.cluster import sandbox
from tests.support.cluster.client import Request, ask, fetch
from tests.support.cluster.sandbox import Sandbox
from tests.support.cluster.way_in import TRAEFIK
from tests.support.properties import up_to
from tests.support.repository import Document
from tests.support.rules import DECEPTIVE, HEADERS, OWN, PROBE, always_true, plain, probes, rules

PING, FIRST_PORT = 9000, 10000
# A Service without pods: a routed request gets 503, any other one 404.
ROUTED, UNKNOWN = 503, 404


@pytest.fixture(scope="module")
def network() -> Iterator[Sandbox]:
    """Yield an empty network."""
    if reason := sandbox.missing():
        pytest.skip(f"no clusters on this machine: {reason}")
    with TemporaryDirectory(prefix="rules-") as folder:
        network = Sandbox(Path(folder) / "sandbox", {"PATH": "/usr/bin:/bin"})
        try:
            yield network
        finally:
            network.close()


def routed(network: Sandbox, batch: list[str]) -> list[set[str]]:
    """Return the probes that each rule routes: each rule has its own entry point of Traefik."""
    names = [f"rule{number}" for number in range(len(batch))]
    configuration = network.folder / "rules.yaml"
    routers = {
        name: {"rule": r, "service": "none", "entryPoints": [name]} for name, r in zip(names, batch, strict=True)
    }
    services: Document = {"none": {"loadBalancer": {"servers": []}}}
    configuration.write_text(json.dumps({"http": {"routers": routers, "services": services}}))
    points = {name: FIRST_PORT + number for number, name in enumerate(names)} | {"traefik": PING}
    options = [f"--entryPoints.{name}.address=127.0.0.1:{port}" for name, port in points.items()]
    network.start("traefik", TRAEFIK, f"--providers.file.filename={configuration}", "--ping=true", *options)
    try:
        network.wait_for("traefik", lambda: fetch(network, f"http://127.0.0.1:{PING}/ping") is not None)
        # The rule of the last entry point works: when it does, Traefik has read the others too.
        last = Request(f"http://127.0.0.1:{points[names[-1]]}{PROBE}", {"Host": OWN[0]} | HEADERS)
        network.until("Traefik has read the rules", lambda: ask(network, last)[0].status == ROUTED)
        return [hosts_of(network, points[name], rule) for name, rule in zip(names, batch, strict=True)]
    finally:
        network.end("traefik")


def hosts_of(network: Sandbox, port: int, rule: str) -> set[str]:
    """Return the probes that an entry point routes."""
    hosts = probes(rule)
    requests = [Request(f"http://127.0.0.1:{port}{PROBE}", {"Host": host} | HEADERS) for host in hosts]
    statuses = {host: answer.status for host, answer in zip(hosts, ask(network, *requests), strict=True)}
    assert set(statuses.values()) <= {ROUTED, UNKNOWN}, statuses
    return {host for host, status in statuses.items() if status == ROUTED}


CONTROL = f"Host(`{OWN[0]}`)"


@up_to(10)
@given(batch=st.lists(rules(), min_size=100, max_size=100))
def test_an_accepted_rule_routes_the_hosts_that_are_read_from_it_and_no_others(
    network: Sandbox, batch: list[str]
) -> None:
    read = [read_rule(rule) for rule in batch]
    accepted = [(rule, hosts) for rule, hosts in zip(batch, read, strict=True) if hosts is not None]
    found = routed(network, [*(rule for rule, _ in accepted), CONTROL])
    for (rule, hosts), answering in zip(accepted, found, strict=False):
        assert answering <= set(hosts), rule
        assert answering == set(hosts) or not always_true(rule), rule


@up_to(2)
@given(batch=st.lists(plain(), min_size=40, max_size=40))
def test_traefik_understands_every_accepted_form(network: Sandbox, batch: list[str]) -> None:
    found = routed(network, [*batch, CONTROL])
    for rule, answering in zip(batch, found, strict=False):
        assert answering == set(read_rule(rule) or ()) != set(), rule


def test_rules_that_deceive_are_refused_although_traefik_follows_them(network: Sandbox) -> None:
    found = dict(zip(DECEPTIVE, routed(network, [*DECEPTIVE, CONTROL]), strict=False))
    assert {rule: host for rule, host in DECEPTIVE.items() if host not in found[rule]} == {}
    assert [rule for rule in DECEPTIVE if read_rule(rule) is not None] == []
