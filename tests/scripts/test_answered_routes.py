"""Routes from answers: the checks accept rendered routes, find broken ones, and list every DNS name."""

from __future__ import annotations

import pytest

from gitops import checks
from tests.support.checkout import Checkout
from tests.support.repository import Repository, examples, installation_id

OVERLAY = "apps/workloads/portal/overlays/dev/resources.yaml"
VALUES = "apps/platform/traefik/clusters/nonprod"
ENDPOINT = f"ingress-nonprod-{installation_id(examples()['stages'])}.acme.io"
TARGET = f"  annotations:\n    external-dns.kubernetes.io/target: {ENDPOINT}\n"
APEX = "  name: portal-apex\n"
MISSING = "IngressRoute/portal-apex: metadata.annotations: add external-dns.kubernetes.io/target"


@pytest.fixture
def answered(checkout: Checkout, routed: Repository) -> Checkout:
    """Return the example, updated to routes of every kind."""
    checkout.become(routed.path)
    return checkout


def said(checkout: Checkout) -> list[str]:
    """Return the results of the checks of routes and hosts."""
    return [
        text
        for result in checks.run(checkout.path, only=["routes", "hosts"])
        for text in result.problems + result.notes
    ]


def test_the_domain_itself_and_several_labels_are_no_news(answered: Checkout) -> None:
    assert said(answered) == []


def test_a_top_of_a_zone_that_is_no_hostname_of_traefik_gets_no_record(answered: Checkout) -> None:
    answered.replace(f"{VALUES}/values.yaml", ",dev.acme.io", "")
    assert [MISSING in text for text in said(answered)] == [True]
    overrides = f"service: {{annotations: {{external-dns.kubernetes.io/hostname: '{ENDPOINT}, dev.acme.io.'}}}}\n"
    answered.write(f"{VALUES}/overrides.yaml", overrides)
    assert said(answered) == []


def test_a_top_of_a_zone_with_a_target_has_two_records(answered: Checkout) -> None:
    answered.replace(OVERLAY, APEX, APEX + TARGET)
    (text,) = said(answered)
    assert "dev.acme.io is a hostname of Traefik's Service, which already has a DNS record" in text


def test_a_route_of_another_workload_takes_no_host_of_these(answered: Checkout) -> None:
    answered.replace("apps/workloads/shop/overlays/dev/resources.yaml", "`shop.dev.acme.io`", "`rpc.v2.dev.acme.io`")
    assert any("rpc.v2.dev.acme.io is a host of" in text for text in said(answered))
    answered.replace("apps/workloads/shop/overlays/dev/resources.yaml", "`rpc.v2.dev.acme.io`", f"`{ENDPOINT}`")
    assert any(f"{ENDPOINT} is a host of" in text for text in said(answered))


def test_every_dns_name_of_the_routes_is_listed(answered: Checkout) -> None:
    added = answered.blast_radius()["hosts_added"]
    hosts = {f"{label}.dev.acme.io": ENDPOINT for label in ("www", "old", "rpc.v2", "admin", "limited")}
    in_dev = {name: target for name, target in added.items() if name.endswith("dev.acme.io")}
    assert in_dev == hosts | {"dev.acme.io": "Service traefik"}
