"""The scripts read the hosts that Traefik routes, and the DNS names that external-dns creates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from gitops.routes import dns_names, hosts, read_rule
from tests.support import policies
from tests.support.policies import routes
from tests.support.properties import up_to
from tests.support.repository import Document
from tests.support.rules import DECEPTIVE, rules

DOMAIN = "dev.acme.io"
DNS = "external-dns.kubernetes.io/"
OF_SERVICE = dict.fromkeys(["a.b", "c.d", "e.f"], "Service tool")


def annotated(item: Document, **annotations: str) -> Document:
    """Return an object with annotations of external-dns."""
    names = {f"{DNS}{name.replace('_', '-')}": value for name, value in annotations.items()}
    return item | {"metadata": item["metadata"] | {"annotations": names}}


@pytest.mark.parametrize("rule", routes.accepted_rules(DOMAIN))
def test_every_accepted_form_is_read(rule: str) -> None:
    assert read_rule(rule)


@pytest.mark.parametrize("rule", [rule for rule, said in routes.rules(DOMAIN).values() if said == routes.RULE])
def test_what_the_policy_cannot_read_the_scripts_cannot_read(rule: str) -> None:
    assert read_rule(rule) is None


@pytest.mark.parametrize("rule", DECEPTIVE)
def test_what_is_written_to_deceive_is_not_read(rule: str) -> None:
    assert read_rule(rule) is None


def test_the_hosts_of_a_rule_are_read_in_their_order() -> None:
    assert read_rule("(Host(`b.a`)||Host(`a.b`)) && Path(`/`) && !Header(`A`, `b`)") == ["b.a", "a.b"]


@up_to(500)
@given(rule=rules())
def test_external_dns_finds_the_same_hosts_in_an_accepted_rule(rule: str) -> None:
    read = read_rule(rule)
    if read is not None:
        names = dns_names(annotated(policies.route(rule), target="in.acme.io"))
        assert names == dict.fromkeys(read, "in.acme.io")


@pytest.mark.parametrize(
    ("item", "names"),
    [
        (policies.route("Host(`a.b`)"), {}),
        (annotated(policies.route("Host(`A.b`) && HostHeader(`c.d`)"), target="t."), {"a.b": "t", "c.d": "t"}),
        (annotated(policies.route("Header(`Host(`, `a.b`)"), target="t"), {"a.b": "t"}),
        (annotated(policies.route("Path(`/`)"), target="t, u", hostname="a.b, C.d."), {"a.b": "t, u", "c.d": "t, u"}),
        (annotated(policies.route("Path(`/`)"), target="t", internal_hostname="a.b"), {}),
        (annotated(policies.service(), hostname="a.b,c.d", internal_hostname="e.f"), OF_SERVICE),
        (annotated(policies.service(), hostname="a.b", target="192.0.2.1"), {"a.b": "192.0.2.1"}),
        (annotated(routes.tcp(), target="t"), {}),
        (annotated(policies.maker(), hostname="a.b", target="t"), {}),
    ],
)  # fmt: skip
def test_the_names_of_an_object_are_those_that_external_dns_creates(item: Document, names: dict[str, str]) -> None:
    assert dns_names(item) == names


@pytest.mark.parametrize("spec", [None, [], "a", {"routes": None}, {"routes": "a"}, {"routes": [1, {"match": 2}, {}]}])
def test_a_route_without_rules_has_no_hosts(spec: Any) -> None:
    route = {"kind": "IngressRoute", "metadata": {"name": "tool", "annotations": 1}, "spec": spec}
    assert hosts(route) == set() == set(dns_names(route))


def test_a_rule_that_cannot_be_read_claims_what_is_found_in_it() -> None:
    assert hosts(policies.route("Host(`A.b`) || Path(`/`)")) == {"a.b"}
