"""Metadata, Secrets and cluster-wide objects that the admission policies accept and reject."""

from __future__ import annotations

from typing import Any

from tests.support.policies.objects import Object, Violation, maker, service

OWNER = {"apiVersion": "example.com/v1", "name": "nobody", "uid": "00000000-0000-0000-0000-000000000000"}
# Metadata that an author may write besides a name: none of it may exempt an object.
METADATA: dict[str, Object] = {
    **{
        f"an owner of kind {kind}": {"ownerReferences": [OWNER | {"kind": kind}]}
        for kind in ("CronJob", "Job", "ReplicaSet", "Node", "ExternalSecret")
    },
    "an owner that controls": {
        "ownerReferences": [OWNER | {"kind": "CronJob", "apiVersion": "batch/v1", "controller": True}]
    },
    "a finalizer": {"finalizers": ["example.com/forever"]},
    "the finalizer of a claim": {"finalizers": ["kubernetes.io/pvc-protection"]},
    "the finalizer of a hook": {"finalizers": ["argocd.argoproj.io/hook-finalizer"]},
    "a finalizer of Kubernetes": {"finalizers": ["foregroundDeletion"]},
    "a generated name": {"generateName": "tool-"},
}
# These are accepted, but must not exempt anything else.
MARKS: dict[str, Object] = {
    f"the annotation {name}": {"annotations": {name: value}}
    for name, value in {
        "workload-images": "mutable-tag",
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/sync-options": "Replace=true,Force=true",
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T00:00:00Z",
        "kubernetes.io/config.source": "file",
    }.items()
} | {
    f"the label {name}": {"labels": {name: value}}
    for name, value in {
        "kubernetes.io/metadata.name": "kube-system",
        "pod-security.kubernetes.io/enforce": "privileged",
        "app.kubernetes.io/managed-by": "Helm",
        "argocd.argoproj.io/instance": "traefik-main",
        "controller-uid": "00000000-0000-0000-0000-000000000000",
    }.items()
}


def secret(kind: str = "Opaque", **fields: Any) -> Object:
    """Return a Secret of a type."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tool"}, "type": kind} | fields


def config_map(**metadata: Any) -> Object:
    """Return a ConfigMap with metadata."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tool"} | metadata}


def accepted(domain: str) -> list[Object]:
    """Return objects that comply with these policies."""
    hook = maker("Job")
    hook["metadata"]["annotations"] = {
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }
    hook["metadata"]["finalizers"] = ["argocd.argoproj.io/hook-finalizer"]
    login = secret("kubernetes.io/basic-auth", stringData={"username": "tool"})
    registry = secret("kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": "{}"})
    untyped = secret()
    del untyped["type"]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tool"}}
    return [hook, secret(), untyped, login, registry, account, config_map(labels={"app": "tool"})]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule."""
    found = {
        what: Violation(config_map(**metadata), "workload-own", "only controllers set owners and finalizers")
        for what, metadata in METADATA.items()
    }
    kinds = ("kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1", "x")
    for kind in kinds:
        name = {"annotations": {"kubernetes.io/service-account.name": "default"}, "name": "tool"}
        found[f"a Secret of type {kind}"] = Violation(secret(kind, metadata=name), "workload-secrets", "Opaque")
    role: Object = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {}, "rules": []}
    found["a role in the whole cluster"] = Violation(role, "workload-own", "whole cluster")
    found["a Service with an owner"] = Violation(
        service() | {"metadata": {"name": "tool", "ownerReferences": [OWNER | {"kind": "CronJob"}]}},
        "workload-own",
        "metadata.ownerReferences",
    )
    return found
