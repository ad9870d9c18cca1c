"""Check that a network policy isolates the pods of every workload."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import Object, api_group, containers, kind_and_name

LABEL, VALUE = "isolation", "namespace"
HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
# The least that a workload needs: its own pods, DNS, and all addresses except the instance metadata.
ISOLATION: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": LABEL, "labels": {LABEL: VALUE}},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [
            {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
            {
                "to": [
                    {"podSelector": {}},
                    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
                    {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
                ]
            },
        ],
    },
}
POLICY = yaml.safe_dump(ISOLATION, sort_keys=False).strip()


@check("networks", "Network policies isolate the workloads")
def networks(repository: Repository) -> Iterator[str]:
    """Find pods without isolation: every pod can reach them, and they can reach the instance metadata."""
    controllers: dict[str, list[str]] = {}
    isolated: set[str] = set()
    for application in (application for application in repository.applications if application.workload):
        for item in repository.objects_of(application):
            if isolates_namespace(item):
                isolated.add(application.name)
            elif any(containers(item)):
                controllers.setdefault(application.name, []).append(kind_and_name(item))
    if not controllers:
        raise NothingToCheckError("no workload has pods")
    for name, kinds in controllers.items():
        if name not in isolated:
            yield f"{name}: no network policy isolates the pods of {', '.join(kinds)}; add:\n{POLICY}"


def isolates_namespace(item: Object) -> bool:
    """Whether an object is a network policy that selects every pod of its namespace, in both directions.

    A hook does not count: Argo CD applies it apart from the rest, and may delete it again.
    """
    metadata, spec = item["metadata"], item.get("spec") or {}
    return (
        (api_group(item), item["kind"]) == ("networking.k8s.io", "NetworkPolicy")
        and (metadata.get("labels") or {}).get(LABEL) == VALUE
        and not any(hook in (metadata.get("annotations") or {}) for hook in HOOKS)
        and spec.get("podSelector") == {}
        and {*(spec.get("policyTypes") or [])} >= {"Ingress", "Egress"}
    )
