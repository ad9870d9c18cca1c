"""The load balancer reaches only Traefik's entry points, and routes reach only their namespace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cluster.addons import pod_template
from tests.support.cluster.api import Object
from tests.support.cluster.way_in import WayIn

UNKNOWN = "unknown.acme.io"
BY_HAND = "by-hand.dev.acme.io"
HEALTH_CHECK = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-"


def route(name: str, namespace: str, host: str, **rule: Any) -> Object:
    """Return a route as a user may write it by hand."""
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"routes": [{"kind": "Rule", "match": f"Host(`{host}`)"} | rule]},
    }


def test_the_load_balancer_s_health_check_gets_its_answer_and_nobody_else(way_in: WayIn) -> None:
    annotations = way_in.service["metadata"]["annotations"]
    check = {k.removeprefix(HEALTH_CHECK): v for k, v in annotations.items() if k.startswith(HEALTH_CHECK)}
    assert check.pop("protocol") == "http"
    path, asked = check.pop("path"), int(check.pop("port"))
    assert not check
    requests = {port: way_in.request(way_in.address, path, port) for port in way_in.ports.values()}
    statuses = dict(zip(requests, way_in.statuses(*requests.values()), strict=True))
    assert statuses.pop(asked) == 200
    assert statuses.pop(way_in.http) == 301
    assert set(statuses.values()) == {404}
    assert asked not in way_in.behind.values()


def test_neither_api_nor_dashboard_answer_on_any_port(way_in: WayIn) -> None:
    paths = ("/api", "/api/rawdata", "/api/overview", "/api/version", "/dashboard/", "/debug/pprof/", "/debug/vars")
    for port in way_in.ports.values():
        requests = [way_in.request(host, path, port) for path in paths for host in (UNKNOWN, way_in.address)]
        assert set(way_in.statuses(*requests)) == {301 if port == way_in.http else 404}


def test_metrics_are_served_where_prometheus_is_told_and_nowhere_else(way_in: WayIn) -> None:
    annotations = pod_template(way_in.cluster, "traefik")["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    path, announced = annotations["prometheus.io/path"], int(annotations["prometheus.io/port"])
    way_in.get(way_in.ways[0].host)
    for port in way_in.ports.values():
        answer = way_in.get(UNKNOWN, path, port)
        assert (answer.status == 200) == (port == announced)
        assert ("traefik_router_requests_total" in answer.body) == (port == announced)
    assert announced not in way_in.behind.values()


def test_the_load_balancer_has_no_other_ports(way_in: WayIn) -> None:
    assert way_in.behind.keys() == {80, 443}


def test_a_route_that_names_no_entry_point_is_on_443_only(ways_in: dict[str, WayIn]) -> None:
    way_in = ways_in["nonprod"]
    mine = route("by-hand", "shop-dev", BY_HAND, services=[{"name": "api", "port": 9000}])
    with way_in.cluster.applied(mine):
        way_in.cluster.sandbox.until("the route is followed", lambda: way_in.get(BY_HAND).status == 200)
        statuses = {port: way_in.get(BY_HAND, "/", port).status for port in way_in.ports.values()}
    assert {port for port, status in statuses.items() if status == 200} == {way_in.https}


@pytest.mark.parametrize(
    ("name", "reason", "foreign"),
    [
        (
            "a-service",
            "not in the parent resource namespace",
            {"services": [{"name": "web", "namespace": "shop-staging", "port": 8080}]},
        ),
        (
            "a-middleware",
            "cross-namespace are disallowed",
            {
                "services": [{"name": "api", "port": 9000}],
                "middlewares": [{"name": "forwarded-https", "namespace": "traefik"}],
            },
        ),
        (
            "metrics",
            "not in crossProviderNamespaces",
            {"services": [{"name": "prometheus@internal", "kind": "TraefikService"}]},
        ),
        ("an-external-name", "externalName services not allowed", {"services": [{"name": "elsewhere", "port": 9000}]}),
    ],
    ids=["a Service", "a Middleware", "metrics", "an ExternalName"],
)
def test_a_route_reaches_nothing_outside_of_its_namespace(
    ways_in: dict[str, WayIn], name: str, reason: str, foreign: dict[str, Any]
) -> None:
    way_in = ways_in["nonprod"]
    # Outside the environments: there the API server rejects it before Traefik sees it.
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-hand"}}
    elsewhere = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "elsewhere", "namespace": "by-hand"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": 9000}]},
    }
    theirs = route(f"by-hand-{name}", "by-hand", f"{name}.elsewhere.{BY_HAND}", **foreign)
    mine = route("by-hand", "shop-dev", f"{name}.{BY_HAND}", services=[{"name": "api", "port": 9000}])
    with way_in.cluster.applied(namespace, elsewhere, theirs, mine):
        # Traefik reads the routes in order: after the second, it has also read the first.
        way_in.cluster.sandbox.until(
            "the other route is followed", lambda: way_in.get(f"{name}.{BY_HAND}").status == 200
        )
        assert way_in.get(f"{name}.elsewhere.{BY_HAND}").status == 404
    assert any(reason in entry["error"] for entry in way_in.log() if entry.get("ingress") == f"by-hand-{name}")
