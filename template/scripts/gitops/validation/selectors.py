"""Rules of labels and selectors (k8s.io/apimachinery, pkg/apis/meta/v1/validation)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.terms import Problem, Rule, keys, required, valid, values

ANNOTATION_BYTES = 256 * 1024


def labels(field: str) -> tuple[Rule, Rule]:
    """Return the rules of a map of labels."""
    return keys(grammar.label_key, field), values(grammar.label_value, field)


def annotation_map(node: Object) -> Iterator[Problem]:
    """Limit the size of annotations, and their keys."""
    given = node.get("annotations") or {}
    yield from keys(grammar.annotation_key, "annotations")(node)
    size = sum(len((key + value).encode()) for key, value in given.items())
    if size > ANNOTATION_BYTES:
        yield "annotations", f"{size} bytes are more than {ANNOTATION_BYTES}: remove some"


def operator(node: Object) -> Iterator[Problem]:
    """Check that a requirement has the values that its operator needs."""
    name, given = node.get("operator"), node.get("values")
    if name not in ("In", "NotIn", "Exists", "DoesNotExist"):
        yield "operator", f"{name} is not one of In, NotIn, Exists, DoesNotExist"
    elif name in ("In", "NotIn") and not given:
        yield "values", f"operator {name} needs values"
    elif name in ("Exists", "DoesNotExist") and given:
        yield "values", f"operator {name} takes no values: remove them"


def selects(selector: Object, given: dict[str, str]) -> bool:
    """Whether a selector matches labels."""
    for entry in selector.get("matchExpressions") or []:
        has, listed = entry["key"] in given, given.get(entry["key"]) in (entry.get("values") or [])
        matches = {"In": has and listed, "NotIn": not listed, "Exists": has, "DoesNotExist": not has}
        if not matches.get(entry["operator"], True):
            return False
    return all(given.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())


def template(spec: Object) -> Iterator[Problem]:
    """Check that the selector of a controller matches its pod template."""
    selector = spec.get("selector") or {}
    given = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield "selector", "must not be empty: name a label of the template"
    elif not selects(selector, given):
        yield "selector", f"does not match the labels of template ({_text(given)}): use the same labels in both"


def _text(given: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in given.items()) or "none"


RULES: dict[str, tuple[Rule, ...]] = {
    "meta.v1.LabelSelector": labels("matchLabels"),
    "meta.v1.LabelSelectorRequirement": (
        operator,
        required("key"),
        valid(grammar.label_key, "key"),
        valid(grammar.label_value, "values"),
    ),
}
