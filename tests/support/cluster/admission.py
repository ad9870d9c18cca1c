"""Return the objections of an API server to objects, without applying them."""

from __future__ import annotations

import re

from tests.support.cluster.api import Api
from tests.support.repository import Document

DENIED = re.compile(r"ValidatingAdmissionPolicy '([^']+)' with binding '\1' denied request: ")
MANAGER = "argocd-controller"
# Argo CD's own field manager for ApplicationSets.
KNOWN = 'metadata.finalizers: "resources-finalizer.argocd.argoproj.io": prefer a domain-qualified finalizer name'


def complaints(api: Api, *documents: Document) -> list[list[str]]:
    """Return the API server's objections to each object, warnings included, as if Argo CD applied it."""
    said = api.objections(*documents, manager=MANAGER)
    return [[line for line in lines if not line.startswith(KNOWN)] for lines in said]


def objections(api: Api, *documents: Document) -> list[str]:
    """Return the objections to all objects; nothing if the API server accepts them."""
    return [line for lines in complaints(api, *documents) for line in lines]


def refusal(api: Api, document: Document) -> str:
    """Return the objections to one object, as one text."""
    return "\n".join(objections(api, document))


def denied(api: Api, *documents: Document) -> dict[str, tuple[str, str]]:
    """Return the denials of policies: by the name of an object, the policy and its message."""
    said = zip(documents, complaints(api, *documents), strict=True)
    found = {item["metadata"]["name"]: DENIED.search("\n".join(lines)) for item, lines in said}
    return {name: (match[1], match.string[match.end() :]) for name, match in found.items() if match}
