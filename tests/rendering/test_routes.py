"""Routes of every kind are consistent for Traefik, external-dns, policies and the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.own_checks import Validate
from tests.support.preflight import Preflight
from tests.support.repository import Document, Repository, pick
from tests.support.routed import ALLOWED

OVERLAY = "apps/workloads/portal/overlays/dev"
HOSTS = ["www.dev.acme.io", "dev.acme.io", "old.dev.acme.io", "rpc.v2.dev.acme.io", "admin.dev.acme.io"]
TARGET = "external-dns.kubernetes.io/target"


def entries(repository: Repository, name: str = "portal", overlay: str = OVERLAY) -> dict[str, Document]:
    """Return the rules of an IngressRoute, by what they match."""
    (route,) = [r for r in pick(repository.build(overlay), "IngressRoute") if r["metadata"]["name"] == name]
    return {rule["match"]: rule for rule in route["spec"]["routes"]}


def middlewares(repository: Repository, rule: Document) -> list[Any]:
    """Return what the Middlewares of a rule do, in their order."""
    specs = {m["metadata"]["name"]: m["spec"] for m in pick(repository.build(OVERLAY), "Middleware")}
    return [specs[entry["name"]] for entry in rule.get("middlewares", [])]


def test_a_path_is_a_whole_segment_and_leads_to_its_component(routed: Repository) -> None:
    found = entries(routed)
    services = {match: rule["services"][0]["name"] for match, rule in found.items()}
    assert services["Host(`www.dev.acme.io`)"] == "web"
    assert services["Host(`www.dev.acme.io`) && (Path(`/api`) || PathPrefix(`/api/`))"] == "api"
    strip = found["Host(`www.dev.acme.io`) && (Path(`/api/v1`) || PathPrefix(`/api/v1/`))"]
    assert middlewares(routed, strip) == [{"stripPrefix": {"prefixes": ["/api/v1"]}}]


def test_middlewares_stand_in_the_order_in_which_they_refuse(routed: Repository) -> None:
    rule = entries(routed)["Host(`admin.dev.acme.io`) && (Path(`/console`) || PathPrefix(`/console/`))"]
    assert middlewares(routed, rule) == [
        {"ipAllowList": {"sourceRange": [ALLOWED]}},
        {"rateLimit": {"average": 1, "burst": 2}},
        {"basicAuth": {"secret": "admins", "removeHeader": True}},
        {"stripPrefix": {"prefixes": ["/console"]}},
    ]


def test_a_login_below_another_route_is_closed_without_its_secret(routed: Repository) -> None:
    login, closed, above = [match for match in entries(routed) if match.startswith("Host(`admin.")]
    assert len(login) > len(closed) > len(above)
    assert closed.replace("||", " || ") == login
    (spec,) = middlewares(routed, entries(routed)[closed])
    assert spec == {"ipAllowList": {"sourceRange": ["255.255.255.255/32"], "rejectStatusCode": 404}}
    (limited,) = [match for match in entries(routed) if match.startswith("Host(`limited.")]
    assert len(middlewares(routed, entries(routed)[limited])) == 1


def test_sticky_sessions_and_http2_are_those_of_their_service(routed: Repository) -> None:
    found = {match: rule["services"][0] for match, rule in entries(routed).items()}
    cookie = {"name": "web-pod", "httpOnly": True, "secure": True, "sameSite": "lax"}
    assert found["Host(`www.dev.acme.io`)"] == {"name": "web", "port": 8080, "sticky": {"cookie": cookie}}
    assert found["Host(`rpc.v2.dev.acme.io`)"] == {"name": "rpc", "port": 50051, "scheme": "h2c"}


def test_the_domain_itself_has_no_target_but_a_hostname_of_traefik(routed: Repository) -> None:
    routes = {r["metadata"]["name"]: r for r in pick(routed.build(OVERLAY), "IngressRoute")}
    assert "annotations" not in routes["portal-apex"]["metadata"]
    (match,) = entries(routed, "portal-apex")
    assert match == "Host(`dev.acme.io`)"
    endpoint = routes["portal"]["metadata"]["annotations"][TARGET]
    values = {name: routed.one(f"apps/platform/traefik/clusters/{name}/values.yaml") for name in ("nonprod", "prod")}
    names = {name: v["service"]["annotations"]["external-dns.kubernetes.io/hostname"] for name, v in values.items()}
    assert names["nonprod"] == f"{endpoint},dev.acme.io"
    assert "," not in names["prod"]


def test_the_load_balancer_offers_http2_where_a_route_needs_it(routed: Repository) -> None:
    policy = "service.beta.kubernetes.io/aws-load-balancer-alpn-policy"
    values = {name: routed.one(f"apps/platform/traefik/clusters/{name}/values.yaml") for name in ("nonprod", "prod")}
    assert {name: v["service"]["annotations"].get(policy) for name, v in values.items()} == {
        "nonprod": "HTTP2Preferred",
        "prod": None,
    }


def test_an_override_of_routes_replaces_the_list(routed: Repository) -> None:
    found = entries(routed, overlay="apps/workloads/portal/overlays/prod")
    assert [*found] == ["Host(`portal.acme.com`)", "Host(`api.acme.com`)"]


def test_traefik_reaches_each_component_that_an_environment_routes_to(routed: Repository) -> None:
    built = pick(routed.build("apps/workloads/portal/overlays/staging"), "NetworkPolicy")
    ports = {
        policy["metadata"]["name"]: policy["spec"]["ingress"][0]["ports"]
        for policy in built
        if policy["metadata"]["name"].endswith("-from-traefik")
    }
    assert ports == {
        "api-from-traefik": [{"port": 9000, "protocol": "TCP"}],
        "rpc-from-traefik": [{"port": 50051, "protocol": "TCP"}],
        "web-from-traefik": [{"port": 8080, "protocol": "TCP"}],
    }


def test_policies_inventory_and_certificates_know_every_host(routed: Repository) -> None:
    policy = (routed.path / "apps/platform/policies/base/hosts.yaml").read_text()
    inventory = (routed.path / "docs/inventory.md").read_text()
    for host in HOSTS:
        assert f'"{host}": "portal-dev",' in policy
        assert f"<https://{host}>" in inventory
    page = (routed.path / "docs/domain-configuration.md").read_text()
    assert "Names: `*.dev.acme.io`, `*.staging.acme.io`, `dev.acme.io`, `rpc.v2.dev.acme.io`." in page
    preflight = (routed.path / "bootstrap/preflight.sh").read_text()
    assert "names=('*.dev.acme.io' '*.staging.acme.io' 'dev.acme.io' 'rpc.v2.dev.acme.io')" in preflight


def test_the_rendered_checks_have_nothing_to_say_of_routes(routed: Repository, validate: Validate) -> None:
    assert validate(routed.path) == {}


def test_preflight_knows_which_hosts_a_wildcard_does_not_cover(routed: Repository, tmp_path: Path) -> None:
    preflight = Preflight(routed.path, tmp_path)
    for names, uncovered in {
        "*.dev.acme.io\t*.staging.acme.io": ["dev.acme.io", "rpc.v2.dev.acme.io"],
        "*.dev.acme.io\t*.staging.acme.io\t*.acme.io\t*.v2.dev.acme.io": [],
        "*.dev.acme.io\t*.staging.acme.io\tdev.acme.io\trpc.v2.dev.acme.io": [],
    }.items():
        lines = preflight(CERTIFICATE_NAMES=names).stdout.splitlines()
        assert [line for line in lines if line.startswith("FAIL")] == [
            f"FAIL  no certificate covers {name}" for name in uncovered
        ]
