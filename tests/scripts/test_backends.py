"""Routes that would return 404 or 502: the checks report what is missing before the merge."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from gitops import backends
from tests.support import policies

Object = dict[str, Any]
TARGET = {"annotations": {"external-dns.kubernetes.io/target": "ingress-main.acme.io"}}


def objects() -> list[Object]:
    """Return a route with its Service, pods and Middleware."""
    deployment = policies.maker()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["ports"] = [{"name": "http", "containerPort": 8080}]
    service = policies.service(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    middleware = {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": "limit"}}
    route = policies.marked(policies.route("Host(`a.dev.acme.io`)"), TARGET)
    route["spec"]["routes"][0]["middlewares"] = [{"name": "limit"}]
    return [route, service, deployment, middleware]


def problems(items: list[Object], aliases: Collection[str] = ()) -> list[str]:
    found = []
    for item in items:
        if backends.is_route(item):
            found += [*backends.unreachable(item, aliases), *backends.missing(item, items)]
        elif item["kind"] == "Service":
            found += backends.unnamed_ports(item, items)
    return found


def rule(items: list[Object]) -> Object:
    entry: Object = items[0]["spec"]["routes"][0]
    return entry


def served(items: list[Object]) -> Object:
    entry: Object = rule(items)["services"][0]
    return entry


REFUSED: dict[str, tuple[Callable[[list[Object]], Any], str]] = {
    "TLS": (lambda items: items[0]["spec"].update(tls={}), "spec.tls: remove it. TLS ends at the load balancer"),
    "no target": (
        lambda items: items[0]["metadata"].pop("annotations"),
        "metadata.annotations: add external-dns.kubernetes.io/target with the endpoint of the cluster",
    ),
    "no target on the default entry point": (
        lambda items: (items[0]["metadata"].pop("annotations"), items[0]["spec"].pop("entryPoints")),
        "metadata.annotations: add external-dns.kubernetes.io/target",
    ),
    "another Service": (
        lambda items: served(items).update(name="tol"),
        "spec.routes[0]: there is no Service tol (there is tool)",
    ),
    "another port": (
        lambda items: served(items).update(port=8080),
        "spec.routes[0]: Service tool has no port 8080 (it has 80 (web))",
    ),
    "the name of the container's port": (
        lambda items: served(items).update(port="http"),
        "spec.routes[0]: Service tool has no port http (it has 80 (web))",
    ),
    "no port": (lambda items: served(items).pop("port"), "spec.routes[0]: Service tool has no port None"),
    "a name elsewhere": (
        lambda items: items[1]["spec"].update(type="ExternalName", externalName="a.example.org"),
        "spec.routes[0]: Service tool is of type ExternalName, which Traefik does not serve",
    ),
    "another Middleware": (
        lambda items: rule(items).update(middlewares=[{"name": "limits"}]),
        "spec.routes[0]: there is no Middleware limits (there is limit)",
    ),
    "a target that no container has": (
        lambda items: items[1]["spec"]["ports"][0].update(targetPort="htpp"),
        "spec.ports: targetPort htpp is the name of no port of its containers (they have http)",
    ),
}
ACCEPTED: dict[str, Callable[[list[Object]], Any]] = {
    "all": lambda items: None,
    "the port by its name": lambda items: served(items).update(port="web"),
    "a target by its number": lambda items: items[1]["spec"]["ports"][0].update(targetPort=9999),
    "no target port": lambda items: items[1]["spec"]["ports"][0].pop("targetPort"),
    "a Service without pods here": lambda items: items.pop(2),
    "a route of the platform without a host": lambda items: (
        items[0]["metadata"].pop("annotations"),
        rule(items).update(match="Header(`Upgrade`, `h2c`)"),
    ),
    "another entry point": lambda items: (
        items[0]["metadata"].pop("annotations"),
        items[0]["spec"].update(entryPoints=["traefik"]),
    ),
    "what the policies refuse": lambda items: served(items).update(namespace="other", name="x"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_nobody_reaches_is_named(what: str) -> None:
    change, message = REFUSED[what]
    items = objects()
    change(items)
    (problem,) = problems(items)
    assert message in problem


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_can_be_reached_passes(what: str) -> None:
    items = objects()
    ACCEPTED[what](items)
    assert problems(items) == []


def test_a_hostname_of_traefik_needs_no_target_and_must_not_have_one() -> None:
    items = objects()
    (problem,) = problems(items, ["a.dev.acme.io", "ingress-main.acme.io"])
    assert "route a.dev.acme.io in an IngressRoute without it" in problem
    items[0]["metadata"].pop("annotations")
    assert problems(items, ["a.dev.acme.io"]) == []
    (problem,) = problems(items, ["b.dev.acme.io"])
    assert "add external-dns.kubernetes.io/target" in problem
