"""Derive from the answers which connections are allowed, independently of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.answers import components, expected_host, public_component

Port = tuple[int, str]


@dataclass(frozen=True)
class Component:
    """A component in one environment.

    Attributes:
        name: Its name.
        jobs: The names of its jobs and schedules.
        ports: The ports of it and of its sidecars.
        main_port: The port that routes use.
        metrics: The port from which Prometheus reads its metrics.
        callers: The callers in other workloads.
    """

    name: str
    jobs: tuple[str, ...] = ()
    ports: frozenset[Port] = frozenset()
    main_port: int | None = None
    metrics: int | None = None
    callers: tuple[str, ...] = ()

    @property
    def pods(self) -> tuple[str, ...]:
        """Return the names of the objects that create its pods: itself, then its jobs."""
        return (self.name, *self.jobs)


def components_of(workload: dict[str, Any], environment: str) -> list[Component]:
    """Return the components of a workload in an environment."""
    return [_component(workload.get("defaults", {}) | part, environment) for _, part in components(workload)]


def routed_port(workload: dict[str, Any], component: Component, environments: list[dict[str, Any]]) -> int | None:
    """Return the port of a component that a host routes to in one environment at least."""
    own = [e for e in environments if e["name"] in workload.get("environments", [e["name"]])]
    if "routes" in workload:
        is_routed = component.name in {route.get("component") for route in workload["routes"]}
        return component.main_port if is_routed and own else None
    public = public_component(workload)
    is_public = public is not None and public[0] == component.name
    return component.main_port if is_public and any(expected_host(workload, e) for e in own) else None


def is_caller(target: Component, workload: str, source: Component | None) -> bool:
    """Return whether a component names a workload, or the component of one that a pod belongs to."""
    return workload in target.callers or (source is not None and f"{workload}/{source.name}" in target.callers)


def _component(part: dict[str, Any], environment: str) -> Component:
    part = part | part.get("overrides", {}).get(environment, {})
    name, metrics = part["name"], part.get("metrics")
    releases = [f"{name}-{kind.replace('_', '-')}" for kind in ("before_release", "after_release") if kind in part]
    ports = _ports(part)
    tcp = {name: number for name, (number, protocol) in ports.items() if protocol == "TCP"}
    main = part.get("port", tcp.get("http", min(tcp.values(), default=None)))
    beside = [port for sidecar in part.get("sidecars", []) for port in _ports(sidecar).values()]
    return Component(
        name,
        (*releases, *(f"{name}-{schedule}" for schedule in part.get("schedules", {}))),
        frozenset([*ports.values(), *beside, *([(part["port"], "TCP")] if "port" in part else [])]),
        main,
        metrics["port"] if isinstance(metrics, dict) else metrics,
        tuple(part.get("callers", [])),
    )


def _ports(part: dict[str, Any]) -> dict[str, Port]:
    """Return ports by name, each with its protocol."""
    given = {
        name: value if isinstance(value, dict) else {"port": value} for name, value in part.get("ports", {}).items()
    }
    return {name: (value["port"], value.get("protocol", "TCP")) for name, value in given.items()}
