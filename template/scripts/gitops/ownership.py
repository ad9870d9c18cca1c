"""Find objects of workloads that affect other namespaces, or outlive their commit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.objects import Object

# The fields that authors set. The API server and controllers set the others.
METADATA = {"annotations", "finalizers", "labels", "name", "namespace"}
FINALIZERS = {"kubernetes.io/pvc-protection"}
ARGOCD = re.compile(r"([\w.-]+\.)?argocd\.argoproj\.io/.*|helm\.sh/.*")
WAVE = re.compile(r"-?[0-9]{1,4}")
HOOKS = {"PreSync", "Sync", "PostSync", "SyncFail"}
HELM_HOOKS = {"pre-install", "post-install", "pre-upgrade", "post-upgrade"}
# With these values Argo CD keeps and deletes exactly what Git has.
LISTS = {
    "argocd.argoproj.io/hook": HOOKS,
    "argocd.argoproj.io/hook-delete-policy": {"HookSucceeded", "HookFailed", "BeforeHookCreation"},
    "argocd.argoproj.io/compare-options": {"ServerSideDiff=true", "IncludeMutationWebhook=true"},
    "argocd.argoproj.io/sync-options": {"ApplyOutOfSyncOnly=true", "PruneLast=true", "ServerSideApply=true"},
    "argocd.argoproj.io/ignore-healthcheck": {"true", "false"},
    "helm.sh/hook": HELM_HOOKS,
    "helm.sh/hook-delete-policy": {"hook-succeeded", "hook-failed", "before-hook-creation"},
}
WAVES = {"argocd.argoproj.io/sync-wave", "helm.sh/hook-weight"}
# A volume claim may outlive its commit, since it holds data.
KEPT_CLAIM = {"Delete=false", "Delete=confirm", "Prune=false", "Prune=confirm"}


def problems(item: Object, namespace: str) -> Iterator[str]:
    """Return the reasons why an object of a workload is rejected.

    Args:
        item: The object.
        namespace: The namespace of its Application.
    """
    metadata = item["metadata"]
    if item["kind"] == "Namespace":
        yield f"remove its Namespace: Argo CD creates {namespace} with its labels"
    elif metadata.get("namespace") != namespace:
        yield f"its namespace {metadata.get('namespace')} is not {namespace}, the only one that it may write to"
    for field in sorted(map(str, metadata.keys() - METADATA)):
        if metadata.get(field):
            yield f"remove metadata.{field}: only Kubernetes sets it"
    for finalizer in metadata.get("finalizers") or []:
        if finalizer not in FINALIZERS:
            yield f"remove the finalizer {finalizer}: it would stop the deletion of the object and of its namespace"
    for name, value in (metadata.get("annotations") or {}).items():
        if ARGOCD.fullmatch(name):
            yield from _problems_of_annotation(item, name, value or "")


def _problems_of_annotation(item: Object, name: str, value: str) -> Iterator[str]:
    if name in WAVES:
        if not WAVE.fullmatch(value):
            yield f"the annotation {name} must be a whole number"
    elif name in LISTS:
        is_claim = name.endswith("/sync-options") and item["kind"] == "PersistentVolumeClaim"
        allowed = LISTS[name] | (KEPT_CLAIM if is_claim else set())
        for option in filter(None, (part.strip() for part in value.split(","))):
            if option not in allowed:
                yield f"the annotation {name} may not have {option}: use one of {', '.join(sorted(allowed))}"
    else:
        yield f"remove the annotation {name}: it changes what Argo CD applies, keeps or shows"
