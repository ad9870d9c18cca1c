"""Other objects that the admission policies accept and reject."""

from __future__ import annotations

from tests.support.policies.objects import Object, Violation, service


def accepted(domain: str) -> list[Object]:
    """Return objects that no policy rejects."""
    return [service(), service(clusterIP="None")]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule."""
    services = {
        "a load balancer": service(type="LoadBalancer"),
        "a port of all nodes": service(type="NodePort"),
        "a name elsewhere": service(type="ExternalName", externalName="example.com"),
        "an address of others": service(externalIPs=["192.0.2.1"]),
    }
    return {what: Violation(item, "workload-services", "type ClusterIP") for what, item in services.items()}
