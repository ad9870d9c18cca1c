"""Determine the effect on the data of an object that changes or is removed."""

from __future__ import annotations

from gitops.objects import Object
from gitops.refusals import CLAIM, SIZE, value_of
from gitops.validation import quantities

RETENTION = "spec.persistentVolumeClaimRetentionPolicy"
DELETED = ("deleted", "recreated")


def data_lost(effect: str, old: Object, new: Object | None) -> str:
    """Return how data is deleted; empty if none is.

    Args:
        effect: The effect on the object: a field of a Change.
        old: The object before.
        new: The object after, or None.
    """
    if old["kind"] == CLAIM:
        return "deleted with its volume, unless its storage class retains volumes" if effect in DELETED else ""
    claims = _claims(old)
    if claims and effect in DELETED and value_of(old, f"{RETENTION}.whenDeleted") == "Delete":
        return f"its claims {', '.join(claims)} are deleted with it, and with them their volumes"
    if claims and new and value_of(new, f"{RETENTION}.whenScaled") == "Delete":
        counts = [value_of(item, "spec.replicas") for item in (old, new)]
        before, after = (1 if count is None else count for count in counts)
        if isinstance(before, int) and isinstance(after, int) and after < before:
            return f"the claims of pods {after} to {before - 1} are deleted, and with them their volumes"
    return ""


def data_left(effect: str, item: Object) -> str:
    """Return which data of an object stays when it is removed from Git; empty if there is none."""
    name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
    if item["kind"] == CLAIM and effect == "kept":
        return f"stays with its volume: to delete both, run `kubectl delete pvc {name} --namespace {namespace}`"
    claims = _claims(item)
    if claims and effect == "deleted" and value_of(item, f"{RETENTION}.whenDeleted") != "Delete":
        return f"its claims {', '.join(claims)} stay, but no pod uses them"
    return ""


def growth(old: Object, new: Object | None) -> str:
    """Return the old and the new size of a claim that grows; empty if it does not."""
    if old["kind"] != CLAIM or new is None:
        return ""
    before, after = (value_of(item, f"spec.{SIZE}") for item in (old, new))
    amounts = [quantities.exact(size) for size in (before, after)]
    is_larger = amounts[0] is not None and amounts[1] is not None and amounts[1] > amounts[0]
    return f"{before} → {after}" if is_larger else ""


def _claims(item: Object) -> list[str]:
    """Return the claims of the pods of a StatefulSet, as patterns."""
    templates = value_of(item, "spec.volumeClaimTemplates") if item["kind"] == "StatefulSet" else None
    names = [value_of(template, "metadata.name") for template in templates or [] if isinstance(template, dict)]
    return [f"{claim}-{item['metadata']['name']}-*" for claim in names]
