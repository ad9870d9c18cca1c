"""Determine the effect of a sync on an object that changes, or that is removed from Git."""

from __future__ import annotations

from gitops import hooks
from gitops.applications import Application
from gitops.objects import CRD, Object, sync_options
from gitops.refusals import refusals, value_of

KINDS_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout")
# Deleting and recreating these loses pods, connections or data.
SERVING_KINDS = (*KINDS_WITH_PODS, "IngressRoute", "PersistentVolumeClaim", "Service")


def effect_of_change(old: Object, new: Object) -> str:
    """Return the field of a Change that lists an object which differs between two revisions."""
    if hooks.is_skipped(new):
        return "kept"
    if hooks.is_recreated(new) and not hooks.is_recreated(old) and old["kind"] in SERVING_KINDS:
        # From now on each sync deletes it, although pods, clients or data depend on it.
        return "deleted"
    is_gone = _is_gone_before(old, new)
    if not is_gone and refusals(old, new):
        return "replaced"
    if hooks.is_hook(new):
        return "hooks" if hooks.runs_in_each_sync(new) else "changed"
    if is_gone:
        return "recreated" if hooks.is_recreated(new) else "added"
    if old["kind"] in KINDS_WITH_PODS and value_of(old, "spec.template") != value_of(new, "spec.template"):
        return "restarted"
    if value_of(old, "spec.replicas") != value_of(new, "spec.replicas"):
        return "scaled"
    return "changed"


def _is_gone_before(old: Object, new: Object) -> bool:
    """Whether Argo CD has deleted an object before it applies it again, so that every field may change."""
    if hooks.is_hook(old) and "HookSucceeded" in hooks.delete_policies(old):
        return True
    if hooks.is_hook(new):
        return "BeforeHookCreation" in hooks.delete_policies(new)
    return hooks.is_recreated(new)


def effect_of_removal(old: Application, new: Application | None, item: Object) -> str:
    """Return the field of a Change that lists an object which is removed from Git."""
    if new and hooks.is_hook(item):
        # Argo CD does not prune hooks.
        return "" if "HookSucceeded" in hooks.delete_policies(item) else "kept"
    if new and (hooks.is_skipped(item) or new.place != old.place):
        return "kept"
    option, is_removed = ("Prune", old.prunes) if new else ("Delete", not old.is_kept and item["kind"] != CRD)
    options = [value for value in sync_options(item) if value.startswith(f"{option}=")]
    options = options or [value for value in old.sync_options if value.startswith(f"{option}=")]
    return "deleted" if is_removed and f"{option}=false" not in options else "kept"
