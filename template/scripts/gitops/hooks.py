"""Determine what Argo CD does with an object besides applying it: hooks, their life cycle, and forced replacement.

Source: gitops-engine of Argo CD 3.6, pkg/sync/hook/, pkg/sync/syncwaves/ and pkg/sync/sync_context.go.
"""

from __future__ import annotations

from gitops.objects import CRD, Object, sync_options

HOOK, DELETE_POLICY = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
HELM_HOOK, HELM_DELETE_POLICY = "helm.sh/hook", "helm.sh/hook-delete-policy"
SKIP = "Skip"
# Argo CD applies a hook in these phases of a sync.
ON_FAILURE = "SyncFail"
PHASES = {"PreSync", "Sync", "PostSync", ON_FAILURE}
HELM_PHASES = {"pre-install": "PreSync", "pre-upgrade": "PreSync", "post-install": "PostSync"}
HELM_PHASES |= {"post-upgrade": "PostSync"}
POLICIES = {"HookSucceeded", "HookFailed", "BeforeHookCreation"}
HELM_POLICIES = {"hook-succeeded": "HookSucceeded", "hook-failed": "HookFailed"}
HELM_POLICIES |= {"before-hook-creation": "BeforeHookCreation"}
DEFAULT_POLICY = "BeforeHookCreation"
# Argo CD updates these in spite of Replace=true, since deleting one deletes everything in it.
NEVER_REPLACED = {CRD, "Namespace"}


def is_hook(item: Object) -> bool:
    """Whether Argo CD runs an object as a hook. It prunes no hook, and a hook is never out of sync."""
    # An object with an unknown type is a hook as well, but is never applied.
    return not is_skipped(item) if HOOK in _annotations(item) else _is_helm_hook(item)


def is_skipped(item: Object) -> bool:
    """Whether Argo CD neither applies nor prunes an object, because its only hook type is Skip."""
    return HOOK in _annotations(item) and _types(item) == {SKIP}


def is_applied(item: Object) -> bool:
    """Whether a sync applies an object. Tests of charts and hooks of a deletion, for example, are not applied."""
    return bool(_types(item) & PHASES) if is_hook(item) else not is_skipped(item)


def runs_in_each_sync(item: Object) -> bool:
    """Whether each sync runs an object as a hook, unless it fails before. Self-heal runs no hooks."""
    return is_hook(item) and bool(_types(item) & (PHASES - {ON_FAILURE}))


def is_recreated(item: Object) -> bool:
    """Whether a sync deletes an object before it applies it again, so that every field may change.

    A hook that Argo CD deletes once it has succeeded counts. If one fails, it stays until somebody deletes it.
    """
    if is_hook(item):
        metadata = item["metadata"]
        is_named_anew = "generateName" in metadata and metadata["generateName"] == metadata.get("name")
        return is_named_anew or bool(delete_policies(item) & {"BeforeHookCreation", "HookSucceeded"})
    options = sync_options(item)
    if "Force=true" not in options:
        return False
    if "Replace=true" in options:
        return item["kind"] not in NEVER_REPLACED
    # A server-side apply, which every Application here uses, forces nothing.
    return "ServerSideApply=false" in options


def delete_policies(item: Object) -> set[str]:
    """Return when Argo CD deletes a hook."""
    policies = _values(item, DELETE_POLICY) & POLICIES
    policies |= {HELM_POLICIES[name] for name in _values(item, HELM_DELETE_POLICY) & HELM_POLICIES.keys()}
    return policies or {DEFAULT_POLICY}


def _is_helm_hook(item: Object) -> bool:
    return bool(_annotations(item).get(HELM_HOOK, "crd-install") != "crd-install")


def _types(item: Object) -> set[str]:
    """Return the known types of a hook. Those of Helm count only if Argo CD's own are missing."""
    types = _values(item, HOOK) & (PHASES | {SKIP})
    return types or {HELM_PHASES[name] for name in _values(item, HELM_HOOK) & HELM_PHASES.keys()}


def _values(item: Object, annotation: str) -> set[str]:
    return {value.strip() for value in (_annotations(item).get(annotation) or "").split(",")}


def _annotations(item: Object) -> Object:
    return item["metadata"].get("annotations") or {}
