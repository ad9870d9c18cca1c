"""Find routes that Traefik answers with 404 or 502: their Services, ports or Middlewares are missing or unreachable."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from gitops.objects import Object, api_group
from gitops.routes import PREFIX, hosts

ENTRY_POINT = "websecure"
TARGET = f"{PREFIX}target"
TRAEFIK = "traefik.io"
WITH_PODS = ("DaemonSet", "Deployment", "StatefulSet", "Pod")


def unreachable(item: Object, aliases: Collection[str] = ()) -> Iterator[str]:
    """Return why clients cannot reach a public route.

    Args:
        item: An IngressRoute.
        aliases: The hostnames of Traefik's Service, which need no target.
    """
    if not is_served(item):
        return
    if "tls" in _map(item.get("spec")):
        yield "spec.tls: remove it. TLS ends at the load balancer, and Traefik answers 404 to routes with tls"
    names = hosts(item)
    if _map(item["metadata"].get("annotations")).get(TARGET):
        for host in sorted(names.intersection(aliases)):
            yield (
                f"metadata.annotations: remove {TARGET}, or route {host} in an IngressRoute without it. "
                f"{host} is a hostname of Traefik's Service, which already has a DNS record"
            )
    elif names.difference(aliases):
        yield (
            f"metadata.annotations: add {TARGET} with the endpoint of the cluster (docs/inventory.md). "
            "Without it, external-dns creates no DNS record"
        )


def is_served(route: Object) -> bool:
    """Whether a route is on the public entry point."""
    return ENTRY_POINT in (_map(route.get("spec")).get("entryPoints") or [ENTRY_POINT])


def is_route(item: Object) -> bool:
    """Whether an object is a route of Traefik for HTTP."""
    return (api_group(item), item["kind"]) == (TRAEFIK, "IngressRoute")


def missing(route: Object, items: list[Object]) -> Iterator[str]:
    """Return the Services, ports and Middlewares of a route that do not exist.

    Args:
        route: An IngressRoute.
        items: The objects of its application, which all are in one namespace.
    """
    services = {item["metadata"]["name"]: item for item in items if item["kind"] == "Service"}
    middlewares = [item["metadata"]["name"] for item in items if item["kind"] == "Middleware"]
    for index, rule in enumerate(_maps(_map(route.get("spec")).get("routes"))):
        for middleware in _maps(rule.get("middlewares")):
            if middleware.get("name") not in middlewares and _is_own(middleware, route):
                known = ", ".join(middlewares) or "none"
                yield f"spec.routes[{index}]: there is no Middleware {middleware.get('name')} (there is {known})"
        for entry in _maps(rule.get("services")):
            if entry.get("kind", "Service") == "Service" and _is_own(entry, route):
                problem = _problem(entry, services)
                yield from [f"spec.routes[{index}]: {problem}"] if problem else []


def _problem(entry: Object, services: dict[str, Object]) -> str:
    """Return why Traefik cannot forward requests to a Service (pkg/provider/kubernetes/crd, getServicePort)."""
    name, port = str(entry.get("name")), entry.get("port")
    if name not in services:
        return f"there is no Service {name} (there is {', '.join(services) or 'none'})"
    spec = _map(services[name].get("spec"))
    if spec.get("type") == "ExternalName":
        return f"Service {name} is of type ExternalName, which Traefik does not serve: use a Service with pods"
    ports = _maps(spec.get("ports"))
    if port in [given.get("name" if isinstance(port, str) else "port") for given in ports] and port:
        return ""
    known = ", ".join(f"{given.get('port')}{_in_brackets(given.get('name'))}" for given in ports)
    return f"Service {name} has no port {port} (it has {known or 'none'})"


def unnamed_ports(service: Object, items: list[Object]) -> Iterator[str]:
    """Return the ports of a Service whose target is a port name that no container has."""
    spec = _map(service.get("spec"))
    selector = _map(spec.get("selector"))
    pods = [pod for item in items if (pod := _pod(item)) and _has(_labels(item), selector)]
    for port in _maps(spec.get("ports")) if selector and pods else []:
        target = port.get("targetPort")
        if isinstance(target, str) and target and not target.isdecimal():
            names = [given.get("name") for pod in pods for c in _containers(pod) for given in _maps(c.get("ports"))]
            if target not in names:
                known = ", ".join(str(name) for name in names if name) or "none"
                yield f"spec.ports: targetPort {target} is the name of no port of its containers (they have {known})"


def _is_own(entry: Object, route: Object) -> bool:
    """Whether a route refers to its own namespace. The admission policies reject other references."""
    namespace = route["metadata"].get("namespace")
    return entry.get("namespace", namespace) == namespace and "@" not in str(entry.get("name"))


def _pod(item: Object) -> Object:
    if item["kind"] not in WITH_PODS:
        return {}
    spec = _map(item.get("spec"))
    return spec if item["kind"] == "Pod" else _map(_map(spec.get("template")).get("spec"))


def _labels(item: Object) -> Object:
    of_template = _map(_map(item.get("spec")).get("template"))
    metadata = item["metadata"] if item["kind"] == "Pod" else _map(of_template.get("metadata"))
    return _map(metadata.get("labels"))


def _has(labels: Object, selector: Object) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _containers(pod: Object) -> list[Object]:
    return _maps(pod.get("containers")) + _maps(pod.get("initContainers"))


def _in_brackets(name: Any) -> str:
    return f" ({name})" if name else ""


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Object]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
