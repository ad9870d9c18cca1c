"""Rules of requests and limits (k8s.io/kubernetes, pkg/apis/core/validation, validateResourceRequirements)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.validation import grammar, quantities
from gitops.validation.terms import Problem

HUGE_PAGES = "hugepages-"
OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
OF_PODS = ("cpu", "memory")


def container_resources(node: Object) -> Iterator[Problem]:
    """Check the requests and limits of a container."""
    yield from (
        ("resources" + path, message) for path, message in _problems(node.get("resources") or {}, OF_CONTAINERS)
    )


def pod_resources(node: Object) -> Iterator[Problem]:
    """Check the requests and limits of a pod."""
    given = node.get("resources") or {}
    if "claims" in given:
        yield "resources.claims", "is for containers only: remove it"
    yield from (("resources" + path, message) for path, message in _problems(given, OF_PODS))


def _problems(given: Object, known: tuple[str, ...]) -> Iterator[Problem]:
    requests, limits = given.get("requests") or {}, given.get("limits") or {}
    for side, amounts in (("requests", requests), ("limits", limits)):
        for name, value in amounts.items():
            if message := _amount(name, value, known):
                yield f".{side}[{name}]", message
    for name, value in requests.items():
        if message := _overcommit(name, value, limits):
            yield f".requests[{name}]", message
    names = {*requests, *limits}
    if any(name.startswith(HUGE_PAGES) for name in names) and names.isdisjoint(("cpu", "memory")):
        yield "", "huge pages need a request of cpu or memory, too"


def _amount(name: str, value: Any, known: tuple[str, ...]) -> str:
    """Return what is wrong with one resource."""
    quantity = quantities.read(value)
    if message := grammar.label_key(name):
        return f"the name {message}"
    if not _is_known(name, known):
        return f"is not a resource: use {', '.join(known)}, or the full name of an extended one"
    if quantity is None:
        return ""
    if quantity < 0:
        return f"{value} must not be negative"
    if name.startswith(HUGE_PAGES):
        page = quantities.read(name.removeprefix(HUGE_PAGES))
        return "" if page and page > 0 and quantity % page == 0 else f"{value} must be a multiple of the size of a page"
    return f"{value} must be a whole number" if _is_extended(name) and quantity % 1 else ""


def _overcommit(name: str, value: Any, limits: Object) -> str:
    """Return what is wrong with a request and its limit."""
    quantity, limit = quantities.read(value), quantities.read(limits[name]) if name in limits else None
    may_exceed = not _is_extended(name) and not name.startswith(HUGE_PAGES)
    if name not in limits:
        return "" if may_exceed else "needs a limit of the same amount"
    if quantity is None or limit is None:
        return ""
    if not may_exceed and quantity != limit:
        return f"{value} must equal the limit of {limits[name]}"
    return (
        f"{value} is more than the limit of {limits[name]}: raise the limit, or lower the request"
        if quantity > limit
        else ""
    )


def _is_known(name: str, known: tuple[str, ...]) -> bool:
    if "/" not in name:
        return name in known or name.startswith(HUGE_PAGES)
    return known == OF_CONTAINERS and not (_is_extended(name) and name.startswith("requests."))


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name
