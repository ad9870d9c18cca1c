"""All public systems run in one repository and one cluster, with `restricted` enforced."""

from __future__ import annotations

import re

import pytest

from tests.support.cluster import layout
from tests.support.cluster.api import Object
from tests.support.cluster.argocd import HEALTHY
from tests.support.cluster.stack import Stack
from tests.support.systems import systems

SYSTEMS = systems()
REFUSAL = re.compile(r"forbidden|denied|violates|not allowed|exceeded quota|is invalid", re.IGNORECASE)


def built(stack: Stack, system: str) -> dict[str, list[Object]]:
    """Return what Kustomize builds for each application of a system."""
    names = {workload["name"] for workload in SYSTEMS[system]["workloads"]}
    return {
        f"{workload['name']}-{environment['name']}": stack.repository.build(overlay)
        for workload, environment, overlay in stack.repository.overlays()
        if workload["name"] in names
    }


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_is_synced_and_healthy(moved_in: Stack, system: str) -> None:
    applications = dict.fromkeys(built(moved_in, system), HEALTHY)
    moved_in.until(
        f"{', '.join(applications)}: {HEALTHY}",
        lambda: {name: moved_in.argo.state(name) for name in applications} == applications,
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_event_of_a_system_is_a_refusal(moved_in: Stack, system: str) -> None:
    for namespace in built(moved_in, system):
        events = moved_in.argocd.list("events", namespace)
        assert events
        assert [event["message"] for event in events if REFUSAL.search(event.get("message", ""))] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_api_server_says_nothing_against_an_object(moved_in: Stack, system: str) -> None:
    for documents in built(moved_in, system).values():
        objections = moved_in.argocd.api.objections(*documents, manager="argocd-controller")
        said = zip(documents, objections, strict=True)
        assert {f"{item['kind']}/{item['metadata']['name']}": words for item, words in said if words} == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_pod_of_a_system_is_ready(moved_in: Stack, system: str) -> None:
    for namespace, documents in built(moved_in, system).items():
        replicas = [item["spec"]["replicas"] for item in documents if item["kind"] in ("Deployment", "StatefulSet")]
        # Pods of Jobs have ended.
        running = [pod for pod in moved_in.argocd.list("pods", namespace) if pod["status"]["phase"] == "Running"]
        ready = [
            pod
            for pod in running
            if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])
        ]
        assert len(ready) == sum(replicas) > 0


# A database of one system. No node has this label: its pod never starts.
WORKLOAD, DATABASE = "robot-shop", "redis"
NOWHERE = f"""
patches:
  - target: {{kind: StatefulSet, name: {DATABASE}}}
    patch: |-
      - {{op: add, path: /spec/template/spec/nodeSelector/nowhere, value: "true"}}
"""


def test_a_revert_gets_through_when_a_database_does_not_start(moved_in: Stack) -> None:
    def waits() -> bool:
        pod = moved_in.argocd.get("pod", f"{DATABASE}-0", f"{WORKLOAD}-prod")
        return bool(pod and "nowhere" in pod["spec"].get("nodeSelector", {}))

    with moved_in.undone():
        file = moved_in.checkout.work / layout.kustomization(WORKLOAD, "prod")
        assert "patches:" not in file.read_text()
        file.write_text(file.read_text() + NOWHERE)
        moved_in.publish("Release a database that does not start")
        moved_in.until("its pod waits for a node", waits)
    moved_in.settle()
    assert not waits()
