"""A release hangs in a protected environment: the old version keeps serving, and the next commit is not blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.cluster import guarded, layout
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.stack import Stack

APPLICATION, CLUSTER = "shop-prod", "prod"
OLD, NEW = "api", "orders"
# No node has this label: the pods never become ready. Kubernetes reports it after 3 seconds instead of 300.
NOWHERE = f"""  - target: {{kind: Deployment, name: {NEW}|worker}}
    patch: |-
      - {{op: add, path: /spec/template/spec/nodeSelector, value: {{nowhere: "true"}}}}
"""
SOON = "      - {op: add, path: /spec/progressDeadlineSeconds, value: 3}\n"
READS_SETTINGS = """  - target: {kind: Deployment, name: worker}
    patch: |-
      - {op: add, path: /spec/template/spec/containers/0/envFrom/-, value: {configMapRef: {name: settings}}}
"""
SETTINGS = """
configMapGenerator:
  - name: settings
    literals:
      - release=1
"""


@pytest.fixture(scope="module")
def reading(stages: Stack) -> Iterator[guarded.Identities]:
    """Let a component in prod read a generated ConfigMap, and yield the objects in prod."""
    with stages.undone():
        file = stages.checkout.work / layout.kustomization("shop", "prod")
        file.write_text(file.read_text() + READS_SETTINGS + SETTINGS)
        stages.publish("Let the worker read settings")
        stages.settle()
        yield there(stages)


def there(stages: Stack) -> guarded.Identities:
    """Return the objects of the workload in prod that a release may replace."""
    found = stages.identities("deployments,services,configmaps")
    return {name: uid for name, uid in found.items() if f"/{APPLICATION}/" in name and "kube-root-ca" not in name}


def hang(stages: Stack, patch: str, reason: str) -> None:
    """Publish a release that never becomes ready, and wait until one of its Deployments reports why.

    It renames a component in all environments, and changes the settings of another one in prod.
    """
    folder = stages.checkout.work / layout.WORKLOADS / "shop"
    for file in folder.rglob("*.yaml"):
        file.write_text(re.sub(rf"(?<= ){OLD}\b", NEW, file.read_text()))
    (folder / f"base/{OLD}.yaml").rename(folder / f"base/{NEW}.yaml")
    kustomization = layout.kustomization("shop", "prod")
    stages.checkout.edit(kustomization, "release=1", "release=2")
    stages.checkout.edit(kustomization, READS_SETTINGS, READS_SETTINGS + patch)
    stages.publish("Rename a component and change settings")

    def reasons() -> set[str]:
        deployment = stages.clusters[CLUSTER].get("deployment", NEW, APPLICATION) or {}
        return {condition["reason"] for condition in deployment.get("status", {}).get("conditions", [])}

    stages.until(f"the release has {reason}", lambda: reason in reasons())


def old_and_new_are_there(stages: Stack, before: guarded.Identities) -> bool:
    """Return whether all objects that the release replaces still exist and serve, beside the new ones."""
    now, old = there(stages), stages.clusters[CLUSTER].get("deployment", OLD, APPLICATION)
    new = {f"{CLUSTER}/{APPLICATION}/{kind}/{NEW}" for kind in ("Deployment", "Service")}
    serves = old and old["status"]["availableReplicas"] == old["spec"]["replicas"]
    return bool(serves and new <= now.keys() and before.items() <= now.items())


def test_what_a_release_replaces_serves_on_while_it_hangs_and_a_revert_gets_through(
    stages: Stack, reading: guarded.Identities
) -> None:
    before = stages.checkout.head
    hang(stages, NOWHERE + SOON, "ProgressDeadlineExceeded")
    assert old_and_new_are_there(stages, reading)
    stages.restore(before)
    stages.settle()
    assert there(stages) == reading


def test_an_older_commit_is_deployed_while_git_still_has_the_release_that_hangs(
    stages: Stack, reading: guarded.Identities
) -> None:
    runbook, good = Runbook(stages, "shop", "prod"), stages.checkout.head
    with stages.undone():
        hang(stages, NOWHERE, "MinimumReplicasUnavailable")
        stages.until("the sync waits", lambda: "waiting for healthy state" in runbook.type("A release hangs", 0))
        assert good in runbook.type("Roll back now", 0)
        try:
            runbook.type("Roll back now", 2, good_commit=good)
            stages.until("all is as before", lambda: there(stages) == reading)
            # The ApplicationSet reads the bad commit, and does not deploy it.
            stages.argo.refresh_sets()
            runbook.type("Refresh now", 1)
            stages.until("it is seen", lambda: stages.argo.state(APPLICATION).startswith("OutOfSync"))
            assert there(stages) == reading
            stages.restore(good)
        finally:
            runbook.type("Pause self-heal and resume", 3)
    stages.settle()
    assert there(stages) == reading


def test_a_fix_does_not_wait_once_the_documented_commands_end_the_sync(
    stages: Stack, reading: guarded.Identities
) -> None:
    hang(stages, NOWHERE, "MinimumReplicasUnavailable")
    stages.until("the sync waits", lambda: "waiting for healthy state" in stages.argo.says(APPLICATION))
    stages.checkout.edit(layout.kustomization("shop", "prod"), NOWHERE, "")
    stages.publish("Start the pods where they can run")
    assert old_and_new_are_there(stages, reading)
    Runbook(stages, "shop", "prod").type("A release hangs", 1)
    stages.settle()
    replaced = [name for name in reading if name.rpartition("/")[2].startswith((OLD, "settings-"))]
    assert len(replaced) == 3
    assert there(stages).keys().isdisjoint(replaced)


def test_what_is_deleted_by_hand_in_a_protected_environment_comes_back(stages: Stack) -> None:
    stages.clusters[CLUSTER].kubectl("delete", "service/web", f"--namespace={APPLICATION}")
    stages.until("the Service is back", lambda: stages.clusters[CLUSTER].get("service", "web", APPLICATION))
    stages.settle()


@pytest.mark.parametrize(("namespace", "name"), [(APPLICATION, "worker"), ("traefik", "traefik")])
def test_broken_pods_do_not_block_the_drain_of_their_nodes(stages: Stack, namespace: str, name: str) -> None:
    cluster, selector = stages.clusters[CLUSTER], f"app.kubernetes.io/name={name}"
    broken = cluster.list("pods", namespace, selector=selector)
    assert len(broken) > 1
    not_ready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    for pod in broken:
        cluster.api.patch("pod", pod["metadata"]["name"], not_ready, namespace, subresource="status")

    def none_is_healthy() -> bool:
        budget = cluster.get("poddisruptionbudget", name, namespace)
        return bool(budget and budget["status"]["currentHealthy"] == 0 and budget["status"]["expectedPods"])

    stages.until("no pod is healthy", none_is_healthy)
    nodes = [node["metadata"]["name"] for node in cluster.list("nodes")]
    try:
        cluster.kubectl("drain", *nodes, f"--pod-selector={selector}", "--delete-emptydir-data", "--timeout=60s")
    finally:
        cluster.kubectl("uncordon", *nodes)
    left = {pod["metadata"]["uid"] for pod in cluster.list("pods", namespace, selector=selector)}
    assert left.isdisjoint(pod["metadata"]["uid"] for pod in broken)
