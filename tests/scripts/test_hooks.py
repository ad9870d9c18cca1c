"""The scripts treat hooks and replaced objects like Argo CD's gitops-engine."""

from __future__ import annotations

import re

import pytest

from gitops import hooks
from tests.support import engines
from tests.support.repository import Document

ARGO, HELM = "argocd.argoproj.io/", "helm.sh/"
ENGINE = "github.com/argoproj/argo-cd/gitops-engine/v3"


def job(kind: str = "Job", **annotations: str) -> Document:
    """Return an object with annotations: `argo_hook` is argocd.argoproj.io/hook."""
    prefixes = {"argo_": ARGO, "helm_": HELM}
    named = {prefixes[name[:5]] + name[5:].replace("_", "-"): value for name, value in annotations.items()}
    return {"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": "migrate", "annotations": named}}


HOOKS = {
    "a phase": job(argo_hook="PreSync"),
    "two phases": job(argo_hook="PreSync, PostSync"),
    "a phase and Skip": job(argo_hook="Skip,Sync"),
    "a failure": job(argo_hook="SyncFail"),
    "an unknown phase": job(argo_hook="BeforeAll"),
    "a hook of deletion": job(argo_hook="PostDelete"),
    "Helm's": job(helm_hook="pre-install,pre-upgrade"),
    "a test of a chart": job(helm_hook="test"),
    "Helm's with an unknown type of Argo CD": job(argo_hook="-", helm_hook="pre-install"),
}
ORDINARY = {
    "no annotation": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}},
    "null annotations": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "annotations": None}},
    "Skip": job(argo_hook="Skip"),
    "Skip over Helm's": job(argo_hook="Skip", helm_hook="pre-install"),
    "Helm's CRDs": job(helm_hook="crd-install"),
    "a policy only": job(argo_hook_delete_policy="HookSucceeded"),
}
NOT_APPLIED = {"an unknown phase", "a hook of deletion", "a test of a chart", "Skip", "Skip over Helm's"}
RECREATED = {
    "the default policy": job(argo_hook="PreSync"),
    "before creation": job(argo_hook="Sync", argo_hook_delete_policy="HookFailed,BeforeHookCreation"),
    "after success": job(argo_hook="Sync", argo_hook_delete_policy="HookSucceeded"),
    "Helm's policy": job(helm_hook="pre-install", helm_hook_delete_policy="hook-failed, before-hook-creation"),
    "an unknown policy": job(argo_hook="Sync", argo_hook_delete_policy="never"),
    "replaced by force": job(argo_sync_options="Replace=true, Force=true"),
    "applied by force": job(argo_sync_options="Force=true,ServerSideApply=false"),
    "a generated name": job(argo_hook="Sync", argo_hook_delete_policy="HookFailed")
    | {"metadata": {"name": "migrate-", "generateName": "migrate-", "annotations": {f"{ARGO}hook": "Sync"}}},
}
CHANGED_IN_PLACE = {
    "no hook": job(),
    "after failure": job(argo_hook="Sync", argo_hook_delete_policy="HookFailed"),
    "after failure, Helm's": job(helm_hook="pre-upgrade", helm_hook_delete_policy="hook-failed"),
    "replaced": job(argo_sync_options="Replace=true"),
    "force without effect": job(argo_sync_options="Force=true"),
    "a namespace": job(kind="Namespace", argo_sync_options="Replace=true,Force=true"),
    "a definition": job(kind="CustomResourceDefinition", argo_sync_options="Replace=true,Force=true"),
    "a policy of hooks": job(argo_hook_delete_policy="BeforeHookCreation"),
}


@pytest.mark.parametrize("item", HOOKS.values(), ids=list(HOOKS))
def test_what_argo_cd_runs_as_a_hook_is_one(item: Document) -> None:
    assert hooks.is_hook(item)
    assert not hooks.is_skipped(item)


@pytest.mark.parametrize("item", ORDINARY.values(), ids=list(ORDINARY))
def test_what_argo_cd_runs_as_no_hook_is_none(item: Document) -> None:
    assert not hooks.is_hook(item)


@pytest.mark.parametrize(("name", "item"), (HOOKS | ORDINARY).items(), ids=list(HOOKS | ORDINARY))
def test_an_object_is_applied_unless_its_type_has_no_phase(name: str, item: Document) -> None:
    assert hooks.is_applied(item) == (name not in NOT_APPLIED)


@pytest.mark.parametrize(("name", "item"), (HOOKS | ORDINARY).items(), ids=list(HOOKS | ORDINARY))
def test_a_hook_runs_in_each_sync_unless_a_failure_starts_it(name: str, item: Document) -> None:
    assert hooks.runs_in_each_sync(item) == (name in HOOKS.keys() - NOT_APPLIED - {"a failure"})


@pytest.mark.parametrize("item", RECREATED.values(), ids=list(RECREATED))
def test_what_is_deleted_first_is_recreated(item: Document) -> None:
    assert hooks.is_recreated(item)


@pytest.mark.parametrize("item", CHANGED_IN_PLACE.values(), ids=list(CHANGED_IN_PLACE))
def test_what_stays_is_changed_in_place(item: Document) -> None:
    assert not hooks.is_recreated(item)


def test_the_names_are_those_of_argo_cd() -> None:
    engine = engines.go_module(ENGINE, pinned_in="argocd") / "pkg/sync"
    types = (engine / "common/types.go").read_text()
    assert set(re.findall(r'HookType\w+ +HookType = "(\w+)"', types)) == hooks.PHASES | {hooks.SKIP}
    assert set(re.findall(r'HookDeletePolicy\w+ +HookDeletePolicy = "(\w+)"', types)) == hooks.POLICIES
    helm = "".join(file.read_text() for file in (engine / "hook/helm").glob("*.go") if "_test" not in file.name)
    assert set(re.findall(r'\w+ +Type = "([\w-]+)"', helm)) == hooks.HELM_PHASES.keys()
    assert set(re.findall(r'\w+ +DeletePolicy = "([\w-]+)"', helm)) == hooks.HELM_POLICIES.keys()
