"""The real API server rejects the same changes of live objects that the scripts report, and accepts the others."""

from __future__ import annotations

import pytest

from gitops.refusals import refusals
from tests.support.cluster import storage
from tests.support.cluster.admission import MANAGER
from tests.support.cluster.stack import Stack
from tests.support.repository import Document
from tests.support.validation.live import CASES, GROWING

# It belongs to no environment, so no policy checks it.
NAMESPACE = "live-changes"


def placed(item: Document, name: str) -> Document:
    """Return an object under a unique name."""
    return item | {"metadata": item["metadata"] | {"name": name, "namespace": NAMESPACE}}


def test_the_api_server_refuses_the_changes_that_we_tell_about(installed: Stack) -> None:
    growing = storage.storage_class(GROWING, storage.DRIVERS[storage.EBS], allowVolumeExpansion=True)
    cases = {
        name: (placed(old, f"case-{number}"), placed(new, f"case-{number}"))
        for number, (name, (old, new, _)) in enumerate(CASES.items())
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}

    def unbound() -> list[str]:
        claims = installed.argocd.list("persistentvolumeclaims", NAMESPACE)
        return [claim["metadata"]["name"] for claim in claims if claim["status"]["phase"] != "Bound"]

    with installed.argocd.applied(growing, namespace):
        installed.argocd.apply(*(old for old, _ in cases.values()), manager=MANAGER)
        installed.until("the claims are bound", lambda: not unbound())
        said = installed.argocd.api.refusals(*(new for _, new in cases.values()))
        told = [bool(refusals(old, new)) for old, new in cases.values()]
        wrong = {name: text for name, text, ours in zip(cases, said, told, strict=True) if bool(text) != ours}
        assert not wrong


@pytest.mark.parametrize(
    "exposed",
    [
        {"loadBalancerClass": "service.k8s.aws/nlb"},
        {"loadBalancerClass": "eks.amazonaws.com/nlb"},
        {"externalTrafficPolicy": "Local"},
    ],
    ids=["controller", "auto-mode", "legacy"],
)
def test_a_certificate_may_come_later_and_go_again(small: Stack, exposed: Document) -> None:
    """Without one, Traefik's Service is of type ClusterIP: the same object changes its type in both directions."""
    ports = [{"name": "web", "port": 80, "protocol": "TCP", "targetPort": "web"}]
    metadata = {"name": "certified-later", "namespace": "default"}
    uids = set()
    for fields in ({"type": "ClusterIP"}, {"type": "LoadBalancer", **exposed}, {"type": "ClusterIP"}):
        spec = {"selector": {"app": "traefik"}, "ports": ports} | fields
        service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        small.argocd.apply(service, manager=MANAGER)
        live = small.argocd.get("service", metadata["name"], metadata["namespace"])
        assert live
        uids.add(live["metadata"]["uid"])
        assert live["spec"] == live["spec"] | fields
        assert live["spec"]["type"] == "LoadBalancer" or not live["spec"].keys() & {*exposed, "healthCheckNodePort"}
    small.argocd.api.delete("service", metadata["name"], metadata["namespace"])
    assert len(uids) == 1
