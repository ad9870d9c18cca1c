"""Rules of scheduling (k8s.io/kubernetes, pkg/apis/core/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.terms import Problem, Rule, at_least, between, choice, required, valid

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def toleration(node: Object) -> Iterator[Problem]:
    """Check that operator, key, value and effect fit together."""
    operator = node.get("operator") or "Equal"
    if not node.get("key") and operator != "Exists":
        yield "operator", "must be Exists where key is empty"
    if operator == "Exists" and node.get("value"):
        yield "value", "operator Exists takes no value: remove it"
    if operator == "Equal" and (message := grammar.label_value(node.get("value") or "")):
        yield "value", f"{node['value']} {message}"
    if "tolerationSeconds" in node and node.get("effect") != "NoExecute":
        yield "effect", "must be NoExecute where tolerationSeconds is set"


def node_requirement(node: Object) -> Iterator[Problem]:
    """Check that a requirement has the values that its operator needs."""
    operator, count = node.get("operator"), len(node.get("values") or [])
    if operator in ("In", "NotIn") and not count:
        yield "values", f"operator {operator} needs values"
    elif operator in ("Exists", "DoesNotExist") and count:
        yield "values", f"operator {operator} takes no values: remove them"
    elif operator in ("Gt", "Lt") and count != 1:
        yield "values", f"operator {operator} needs one value"
    elif operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"):
        yield "operator", f"{operator} is not one of In, NotIn, Exists, DoesNotExist, Gt, Lt"


def required_values(node: Object) -> Iterator[Problem]:
    """Check that required node labels have valid values."""
    for term in node.get("nodeSelectorTerms") or []:
        for expression in term.get("matchExpressions") or []:
            yield from (("nodeSelectorTerms", m) for _, m in valid(grammar.label_value, "values")(expression))


def node_term(node: Object) -> Iterator[Problem]:
    """Check that node fields are compared by name."""
    for entry in node.get("matchFields") or []:
        if entry.get("key") != "metadata.name":
            yield "matchFields", f"{entry.get('key')} must be metadata.name"
        elif entry.get("operator") not in ("In", "NotIn") or len(entry.get("values") or []) != 1:
            yield "matchFields", "must have operator In or NotIn and one value"


def label_keys(node: Object) -> Iterator[Problem]:
    """Check that label keys have a selector, and that it does not contain them."""
    selector: Any = node.get("labelSelector")
    same, other = node.get("matchLabelKeys") or [], node.get("mismatchLabelKeys") or []
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        if node.get(field) and selector is None:
            yield field, "needs a labelSelector"
        yield from valid(grammar.label_key, field)(node)
    named = [*((selector or {}).get("matchLabels") or {})]
    named += [entry["key"] for entry in (selector or {}).get("matchExpressions") or []]
    for key in same:
        if key in other or key in named:
            yield "matchLabelKeys", f"{key} occurs in another selector, too: remove one"


def spread(node: Object) -> Iterator[Problem]:
    """Check that only hard constraints have a number of domains."""
    if node.get("minDomains") is not None and node.get("whenUnsatisfiable") != "DoNotSchedule":
        yield "minDomains", "needs whenUnsatisfiable: DoNotSchedule"


WEIGHT = between(1, 100, "weight")
RULES: dict[str, tuple[Rule, ...]] = {
    "core.v1.Toleration": (
        toleration,
        valid(grammar.label_key, "key"),
        choice("operator", "Equal", "Exists", "Lt", "Gt"),
        choice("effect", *EFFECTS),
    ),
    "core.v1.NodeSelector": (required("nodeSelectorTerms"), required_values),
    "core.v1.NodeSelectorTerm": (node_term,),
    "core.v1.PreferredSchedulingTerm": (WEIGHT,),
    "core.v1.WeightedPodAffinityTerm": (WEIGHT,),
    "core.v1.PodAffinityTerm": (
        required("topologyKey"),
        valid(grammar.label_key, "topologyKey"),
        valid(grammar.dns_label, "namespaces"),
        label_keys,
    ),
    "core.v1.TopologySpreadConstraint": (
        at_least(1, "maxSkew", "minDomains"),
        required("topologyKey", "whenUnsatisfiable"),
        choice("whenUnsatisfiable", "DoNotSchedule", "ScheduleAnyway"),
        choice("nodeAffinityPolicy", "Honor", "Ignore", even_if_empty=True),
        choice("nodeTaintsPolicy", "Honor", "Ignore", even_if_empty=True),
        spread,
        label_keys,
    ),
    "core.v1.NodeSelectorRequirement": (node_requirement, required("key"), valid(grammar.label_key, "key")),
}
