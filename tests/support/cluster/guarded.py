"""Record objects by UID, so that a deleted and recreated object counts as lost."""

from __future__ import annotations

from tests.support.cluster.stack import Stack

KINDS = (
    "namespaces,deployments,statefulsets,persistentvolumeclaims,services,serviceaccounts,networkpolicies,"
    "ingressroutes,horizontalpodautoscalers"
)
Identities = dict[str, str]


def unprotected_suffixes(stack: Stack) -> tuple[str, ...]:
    """Return the suffixes of the namespaces of unprotected environments."""
    return tuple(f"-{e['name']}" for e in stack.repository.environments if not e["protected"])


def protected(stack: Stack) -> Identities:
    """Return the objects of the platform and of protected environments."""
    suffixes = unprotected_suffixes(stack)
    return {name: uid for name, uid in everything(stack).items() if not name.split("/")[1].endswith(suffixes)}


def everything(stack: Stack) -> Identities:
    """Return all objects of workloads and of the platform."""
    return stack.identities(KINDS)


def outside(identities: Identities, *namespaces: str) -> Identities:
    """Return the objects outside some namespaces."""
    return {name: uid for name, uid in identities.items() if name.split("/")[1] not in namespaces}


def inside(identities: Identities, namespace: str) -> set[str]:
    """Return the kinds of the objects in a namespace, except those that Kubernetes creates itself."""
    return {name.split("/")[2] for name in identities if name.split("/")[1] == namespace} - {"Namespace"}


def sets_and_projects(stack: Stack) -> Identities:
    """Return the uids of ApplicationSets and projects."""
    items = stack.argocd.list("applicationsets,appprojects", "argocd")
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}
