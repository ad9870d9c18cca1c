"""Attacks through a merged commit to one workload: the API server rejects them, and no other workload is affected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import attacks
from tests.support.attacks import Attack
from tests.support.cluster import guarded
from tests.support.cluster.admission import complaints
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.stack import Stack
from tests.support.policies import secretstores
from tests.support.repository import render

DENIED = re.compile(r"ValidatingAdmissionPolicy '([^']+)'")
REFUSED = [attack for attack in attacks.commits() if attack.policies and not attack.is_deployed]
DEPLOYED = [attack for attack in attacks.commits() if attack.is_deployed]


@pytest.fixture(scope="module")
def original(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository with the workload that each attack is a copy of."""
    return render(template, attacks.ANSWERS, tmp_path_factory.mktemp("attacks") / "repository")


@pytest.fixture(scope="module")
def dev(stages: Stack) -> str:
    """Return the cluster that dev runs in."""
    (environment,) = [item for item in stages.repository.environments if item["name"] == "dev"]
    return str(environment["cluster"])


@pytest.fixture(scope="module")
def cluster(stages: Stack, dev: str) -> Iterator[Kubernetes]:
    """Yield the cluster of dev, with the namespaces of the attackers, and an operator's kind."""
    labels = {"environment": "dev", "pod-security.kubernetes.io/enforce": "restricted"}
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": attack.namespace, "labels": labels}}
        for attack in REFUSED
    ]
    cluster = stages.clusters[dev]
    with cluster.applied(secretstores.DEFINITION, *namespaces):
        stages.until("the kind is served", lambda: cluster.api.serves(secretstores.KIND))
        yield cluster


@pytest.mark.parametrize("attack", REFUSED, ids=lambda attack: attack.name)
def test_the_api_server_refuses_it(attack: Attack, cluster: Kubernetes, original: Path, tmp_path: Path) -> None:
    attacks.commit(attack, tmp_path, original)
    said = complaints(cluster.api, *attacks.objects(attack, tmp_path))
    denied = set(DENIED.findall(json.dumps(said)))
    # The API server names only one of the policies that deny an object.
    assert denied & set(attack.policies), f"{attack.about}: {said}"


@pytest.fixture(scope="module")
def merged(stages: Stack, original: Path) -> Iterator[guarded.Identities]:
    """Publish one commit with every attack that Argo CD would execute, each in a separate workload."""
    with stages.undone():
        before = guarded.everything(stages)
        for attack in DEPLOYED:
            attacks.commit(attack, stages.checkout.work, original)
        stages.publish("Attack")
        yield before
    stages.rest()
    for cluster in stages.clusters.values():
        cluster.api.delete_namespaces(attack.namespace for attack in DEPLOYED)


@pytest.mark.parametrize("attack", DEPLOYED, ids=lambda attack: attack.name)
def test_argo_cd_cannot_carry_it_out(attack: Attack, stages: Stack, merged: guarded.Identities) -> None:
    def is_refused() -> bool:
        said = stages.argo.says(attack.namespace)
        return any(f"'{policy}'" in said for policy in attack.policies)

    stages.until(f"{attack.about} It is refused", is_refused)


def test_nobody_else_has_suffered(stages: Stack, merged: guarded.Identities) -> None:
    mine = [attack.namespace for attack in DEPLOYED]
    assert guarded.outside(guarded.everything(stages), *mine) == merged
