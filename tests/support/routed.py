"""Return answers with a workload that has routes of every kind."""

from __future__ import annotations

from typing import Any

from tests.support.repository import examples

Object = dict[str, Any]
# The network that clients of tests are in.
ALLOWED = "10.244.200.0/24"
ROUTES: list[Object] = [
    {"host": "www", "component": "web", "sticky": True},
    {"host": "www", "path": "/api", "component": "api"},
    {"host": "www", "path": "/api/v1/", "component": "web", "strip": True},
    {"host": "@", "redirect": "www"},
    {"host": "old", "path": "/a", "redirect": "https://example.com"},
    {"host": "rpc.v2", "component": "rpc", "protocol": "h2c"},
    {
        "host": "admin",
        "path": "/console",
        "component": "web",
        "allow": [ALLOWED],
        "basic_auth": "admins",
        "rate_limit": 1,
        "strip": True,
    },
    {"host": "admin", "component": "api"},
    {"host": "limited", "component": "web", "rate_limit": 1},
]


def portal() -> Object:
    """Return the workload. Only dev has all routes."""
    parts = {"web": 8080, "api": 9000, "rpc": 50051}
    return {
        "name": "portal",
        "routes": [{"host": "portal", "component": "web"}, {"host": "api", "component": "api"}],
        "components": [
            {"name": name, "image": f"ghcr.io/acme/portal-{name}:1.0.0", "port": port} for name, port in parts.items()
        ],
        "overrides": {"dev": {"routes": ROUTES}},
    }


def answers() -> Object:
    """Return the example with several clusters, with this workload besides its own."""
    stages = examples()["stages"]
    return stages | {"workloads": [*stages["workloads"], portal()]}
