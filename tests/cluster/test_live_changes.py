"""What a change is told about: the real API server refuses the same changes of live objects, and takes the others."""

from __future__ import annotations

from gitops.refusals import refusals
from tests.support.cluster import storage
from tests.support.cluster.admission import MANAGER
from tests.support.cluster.stack import Stack
from tests.support.repository import Document
from tests.support.validation.live import CASES, GROWING

# No environment has it, so no policy looks there.
NAMESPACE = "live-changes"


def placed(item: Document, name: str) -> Document:
    """Return an object under a name of its own."""
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
