"""Rules of Deployments, StatefulSets and DaemonSets (k8s.io/kubernetes, pkg/apis/apps/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.validation import grammar, selectors
from gitops.validation.terms import Problem, Rule, at_least, choice, removal, valid

ROLLING = "RollingUpdate"


def amount(value: Any) -> int:
    """Return a number, or the number of a percentage."""
    return int(value.rstrip("%")) if isinstance(value, str) and not grammar.percent(value) else value


def most(*fields: str) -> Rule:
    """Check numbers, and percentages up to 100%."""

    def rule(node: Object) -> Iterator[Problem]:
        yield from valid(grammar.int_or_percent, *fields, even_if_empty=True)(node)
        for field in fields:
            value = node.get(field)
            if isinstance(value, str) and not grammar.percent(value) and amount(value) > 100:
                yield field, f"{value} must be at most 100%"

    return rule


def strategy(node: Object) -> Iterator[Problem]:
    """Check that only rolling updates have their settings."""
    if (node.get("type") or ROLLING) != ROLLING and "rollingUpdate" in node:
        yield "", f"type {node['type']} and rollingUpdate exclude each other: {removal('rollingUpdate')}"


def deployment_update(node: Object) -> Iterator[Problem]:
    """Check that a rolling update can make progress."""
    if amount(node.get("maxUnavailable", "25%")) == 0 == amount(node.get("maxSurge", "25%")):
        yield "", "maxUnavailable and maxSurge must not both be 0: raise one"


def daemon_set_update(node: Object) -> Iterator[Problem]:
    """Check that a rolling update either surges or removes pods."""
    unavailable, surge = amount(node.get("maxUnavailable", 1)), amount(node.get("maxSurge", 0))
    if unavailable != 0 and surge != 0:
        yield "", "maxSurge excludes maxUnavailable: set maxUnavailable: 0 beside it"
    if unavailable == 0 == surge:
        yield "", "maxUnavailable and maxSurge must not both be 0: raise one"


def daemon_set_strategy(node: Object) -> Iterator[Problem]:
    """Check a rolling update where it is used: Kubernetes ignores it otherwise."""
    update = node.get("rollingUpdate") or {}
    if (node.get("type") or ROLLING) == ROLLING:
        for rule in (most("maxUnavailable", "maxSurge"), daemon_set_update):
            yield from (("rollingUpdate" + (path and f".{path}"), message) for path, message in rule(update))


def with_claims(item: Object) -> Object:
    """Return a StatefulSet as the API server checks it: its pods have a volume for each claim template, and no names.

    The controller gives each pod these volumes, its hostname and its subdomain.
    """
    spec = item.get("spec") or {}
    template = spec.get("template") or {}
    if item["kind"] != "StatefulSet" or "spec" not in template:
        return item
    names = [(claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or []]
    pod = {key: value for key, value in template["spec"].items() if key not in ("hostname", "subdomain")}
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in dict.fromkeys(names)]
    pod |= {"volumes": [*claims, *(v for v in pod.get("volumes") or [] if v["name"] not in names)]} if names else {}
    return item | {"spec": spec | {"template": template | {"spec": pod}}}


def forever(node: Object) -> Iterator[Problem]:
    """Check that pods run until they are replaced."""
    spec = (node.get("template") or {}).get("spec") or {}
    if (spec.get("restartPolicy") or "Always") != "Always":
        yield "template.spec.restartPolicy", f"{spec['restartPolicy']} must be Always: use a Job for pods that end"
    if "activeDeadlineSeconds" in spec:
        yield "template.spec.activeDeadlineSeconds", "is for Jobs only: remove it"


def deadline(node: Object) -> Iterator[Problem]:
    """Check that the deadline is after the time to become ready."""
    limit, ready = node.get("progressDeadlineSeconds", 600), node.get("minReadySeconds", 0)
    if limit <= ready:
        yield "progressDeadlineSeconds", f"{limit} must be more than minReadySeconds ({ready})"


COUNTS = at_least(0, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
CONTROLLER: tuple[Rule, ...] = (forever, selectors.template, COUNTS)
RULES: dict[str, tuple[Rule, ...]] = {
    "apps.v1.DeploymentSpec": (*CONTROLLER, deadline),
    "apps.v1.DeploymentStrategy": (choice("type", ROLLING, "Recreate"), strategy),
    "apps.v1.RollingUpdateDeployment": (
        valid(grammar.int_or_percent, "maxSurge", even_if_empty=True),
        most("maxUnavailable"),
        deployment_update,
    ),
    "apps.v1.DaemonSetSpec": CONTROLLER,
    "apps.v1.DaemonSetUpdateStrategy": (choice("type", ROLLING, "OnDelete"), daemon_set_strategy),
    "apps.v1.StatefulSetSpec": (
        *CONTROLLER,
        choice("podManagementPolicy", "OrderedReady", "Parallel"),
        valid(grammar.dns_label, "serviceName"),
    ),
    "apps.v1.StatefulSetUpdateStrategy": (choice("type", ROLLING, "OnDelete"), strategy),
    "apps.v1.RollingUpdateStatefulSetStrategy": (at_least(0, "partition"),),
    "apps.v1.StatefulSetOrdinals": (at_least(0, "start"),),
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": (
        choice("whenDeleted", "Retain", "Delete"),
        choice("whenScaled", "Retain", "Delete"),
    ),
}
