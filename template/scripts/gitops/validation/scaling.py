"""Rules of autoscalers and disruption budgets (k8s.io/kubernetes, pkg/apis/autoscaling and policy)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar, quantities
from gitops.validation.resources import OF_CONTAINERS
from gitops.validation.terms import Problem, Rule, between, choice, removal, required, valid
from gitops.validation.workloads import most

SOURCES = {
    **{"Object": "object", "Pods": "pods", "Resource": "resource"},
    **{"External": "external", "ContainerResource": "containerResource"},
}
# The target of each source has one of these.
TARGETS = {
    "object": ("value", "averageValue"),
    "external": ("value", "averageValue"),
    "pods": ("averageValue",),
    "resource": ("averageUtilization", "averageValue"),
    "containerResource": ("averageUtilization", "averageValue"),
}
EXCLUSIVE = ("external", "resource", "containerResource")


def bounds(node: Object) -> Iterator[Problem]:
    """Check the bounds of an autoscaler."""
    lowest, highest = node.get("minReplicas", 1), node.get("maxReplicas", 0)
    if highest < 1:
        yield "maxReplicas", f"{highest} must be at least 1"
    elif highest < lowest:
        yield "maxReplicas", f"{highest} must be at least minReplicas ({lowest})"
    if lowest < 1:
        yield "minReplicas", f"{lowest} must be at least 1"


def metric(node: Object) -> Iterator[Problem]:
    """Check that a metric has the source of its type, and one target."""
    expected, present = SOURCES.get(node.get("type", "")), [field for field in node if field != "type"]
    if expected is None:
        yield "type", f"{node.get('type')} is not one of {', '.join(SOURCES)}"
        return
    if expected not in present:
        yield "", f"type {node['type']} needs {expected}"
    for field in present:
        if field != expected:
            yield "", f"type {node['type']} excludes {field}: {removal(field)}"
    if expected in node:
        target, allowed = node[expected].get("target") or {}, TARGETS[expected]
        given = [field for field in allowed if field in target]
        if not given:
            yield f"{expected}.target", f"needs {' or '.join(allowed)}"
        elif len(given) > 1 and expected in EXCLUSIVE:
            yield f"{expected}.target", f"{' and '.join(given)} exclude each other: {removal(given[0])}"


def container_metric(node: Object) -> Iterator[Problem]:
    """Check that a metric measures a resource of containers."""
    name = node.get("name") or ""
    if "/" not in name and name not in OF_CONTAINERS and not name.startswith("hugepages-"):
        yield "name", f"{name} is not one of {', '.join(OF_CONTAINERS)}"


def scaling_rules(node: Object) -> Iterator[Problem]:
    """Check that scaling rules have policies, unless they are the defaults."""
    if node.get("policies") == []:
        yield "policies", "must not be empty: remove it for the defaults"


def budget(node: Object) -> Iterator[Problem]:
    """Check that a budget has one measure."""
    if "minAvailable" in node and "maxUnavailable" in node:
        yield "", f"minAvailable and maxUnavailable exclude each other: {removal('minAvailable')}"


def api_version(node: Object) -> Iterator[Problem]:
    """Check that an API version is a group and a version."""
    if node.get("apiVersion", "").count("/") > 1:
        yield "apiVersion", f"{node['apiVersion']} must be a group and a version, such as apps/v1"


def target(node: Object) -> Iterator[Problem]:
    """Check that the scaled object has an API group; only ReplicationControllers have none."""
    reference = node.get("scaleTargetRef") or {}
    if reference.get("kind") != "ReplicationController" and "/" not in reference.get("apiVersion", ""):
        yield (
            "scaleTargetRef.apiVersion",
            f"{reference.get('apiVersion') or '(empty)'} must have a group, such as apps/v1",
        )


RULES: dict[str, tuple[Rule, ...]] = {
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (bounds, target),
    "autoscaling.v1.HorizontalPodAutoscalerSpec": (bounds, target),
    "autoscaling.v2.MetricSpec": (metric,),
    "autoscaling.v2.MetricTarget": (
        required("type"),
        choice("type", "Utilization", "Value", "AverageValue"),
        valid(quantities.positive, "value", "averageValue"),
        between(1, 2**31 - 1, "averageUtilization"),
    ),
    "autoscaling.v2.MetricIdentifier": (required("name"), valid(grammar.path_segment, "name")),
    "autoscaling.v2.ResourceMetricSource": (required("name"),),
    "autoscaling.v2.ContainerResourceMetricSource": (
        required("name", "container"),
        container_metric,
        valid(grammar.dns_label, "container"),
    ),
    "autoscaling.v2.CrossVersionObjectReference": (
        required("kind", "name"),
        valid(grammar.path_segment, "kind", "name"),
        api_version,
    ),
    "autoscaling.v2.HPAScalingRules": (
        scaling_rules,
        between(0, 3600, "stabilizationWindowSeconds"),
        choice("selectPolicy", "Max", "Min", "Disabled", even_if_empty=True),
        valid(quantities.not_negative, "tolerance"),
    ),
    "autoscaling.v2.HPAScalingPolicy": (
        required("type"),
        choice("type", "Pods", "Percent"),
        between(1, 2**31 - 1, "value"),
        between(1, 1800, "periodSeconds"),
    ),
    "policy.v1.PodDisruptionBudgetSpec": (
        budget,
        most("minAvailable", "maxUnavailable"),
        choice("unhealthyPodEvictionPolicy", "IfHealthyBudget", "AlwaysAllow", even_if_empty=True),
    ),
}
