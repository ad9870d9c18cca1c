"""Objects of workloads stay in their own namespace: listed exceptions are accepted, everything else is rejected."""

from __future__ import annotations

from typing import Any

import pytest

from gitops import ownership

ARGOCD = "argocd.argoproj.io"


def problems(kind: str = "ConfigMap", **metadata: Any) -> list[str]:
    """Return the problems of an object of the application shop-dev."""
    item = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "any", "namespace": "shop-dev"} | metadata}
    return list(ownership.problems(item, "shop-dev"))


ALLOWED = {
    f"{ARGOCD}/sync-wave": ["0", "-1", "10"],
    f"{ARGOCD}/hook": ["PreSync", "Sync", "PostSync, SyncFail"],
    f"{ARGOCD}/hook-delete-policy": ["BeforeHookCreation,HookSucceeded"],
    f"{ARGOCD}/sync-options": ["PruneLast=true", "ServerSideApply=true"],
    f"{ARGOCD}/compare-options": ["ServerSideDiff=true"],
    "helm.sh/hook": ["pre-install,pre-upgrade"],
    "example.com/own": ["anything"],
}
REFUSED = {
    f"{ARGOCD}/sync-wave": ["first", "99999"],
    f"{ARGOCD}/hook": ["Skip", "PostDelete", "PreDelete", "presync"],
    f"{ARGOCD}/hook-delete-policy": ["Never"],
    f"{ARGOCD}/sync-options": [
        *("Replace=true", "Force=true", "Validate=false", "ServerSideApply=false", "SkipDryRunOnMissingResource=true"),
        *("Prune=false", "Delete=false", "PruneLast=true,Prune=false"),
    ],
    f"{ARGOCD}/compare-options": ["IgnoreExtraneous"],
    f"{ARGOCD}/tracking-id": ["shop-prod:apps/Deployment:shop-prod/shop"],
    f"{ARGOCD}/ignore-differences": ["x"],
    f"{ARGOCD}/anything-new": ["true"],
    f"link.{ARGOCD}/own": ["https://evil.example"],
    "helm.sh/resource-policy": ["keep"],
    "helm.sh/hook": ["post-delete"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ALLOWED.items() for value in values])
def test_an_annotation_that_changes_order_only_is_allowed(name: str, value: str) -> None:
    assert problems(annotations={name: value}) == []


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_an_annotation_that_keeps_or_replaces_is_refused(name: str, value: str) -> None:
    (problem,) = problems(annotations={name: value})
    assert name in problem


def test_a_volume_claim_may_stay() -> None:
    kept = {f"{ARGOCD}/sync-options": "Prune=false,Delete=confirm"}
    assert problems("PersistentVolumeClaim", annotations=kept) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"namespace": "shop-prod"},
        {"ownerReferences": [{"kind": "CronJob"}]},
        {"finalizers": ["example.com/forever"]},
        {"generateName": "any-"},
        {"uid": "1"},
        {"managedFields": [{}]},
        {"somethingNew": True},
    ],
    ids=lambda metadata: next(iter(metadata)),
)
def test_other_metadata_is_refused(metadata: dict[str, Any]) -> None:
    assert len(problems(**metadata)) == 1


def test_what_tools_leave_empty_is_ignored() -> None:
    assert problems(creationTimestamp=None, annotations=None, finalizers=[]) == []


def test_a_namespace_is_refused_whatever_its_name() -> None:
    assert problems("Namespace") == ["remove its Namespace: Argo CD creates shop-dev with its labels"]
