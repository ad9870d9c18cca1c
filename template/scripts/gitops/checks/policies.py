"""Check that the admission policies of a cluster admit its workloads."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gitops import kyverno
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import CRD, Object

POLICY_PREFIX = "ValidatingAdmissionPolicy"


@check("policies", "Policies admit the workloads", tools=("kyverno",))
def policies(repository: Repository) -> Iterator[str]:
    """Find objects of workloads that the platform's policies would reject in the API server."""
    by_cluster: dict[str, list[tuple[str, Object]]] = defaultdict(list)
    for application, item in repository.objects():
        if application.workload:
            by_cluster[application.cluster].append((application.name, item))
    if not by_cluster:
        raise NothingToCheckError("there is no workload to check")
    platform = repository.platform
    without_policies = []
    for cluster, items in by_cluster.items():
        objects = [item for application, item in platform if application.cluster == cluster]
        rules = [item for item in objects if item["kind"].startswith(POLICY_PREFIX)]
        if not rules:
            without_policies.append(cluster)
            continue
        crds = [item for item in objects if item["kind"] == CRD]
        yield from sorted(_on_all_cores(rules, crds, items))
    if without_policies:
        raise NothingToCheckError(f"no policy is applied in {', '.join(without_policies)}")


def _on_all_cores(rules: list[Object], crds: list[Object], items: list[tuple[str, Object]]) -> Iterator[str]:
    """Evaluate the policies for one slice of the objects per core."""
    cores = os.cpu_count() or 1
    slices = [items[start::cores] for start in range(min(cores, len(items)))]
    with ThreadPoolExecutor(cores) as pool:
        for problems in pool.map(partial(kyverno.refusals, rules, crds), slices):
            yield from problems
