"""A compromised Argo CD may do only what its projects admit in the clusters that it reaches.

The drills of the same stack show that these rights are sufficient.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import victims
from tests.support.cluster.admission import MANAGER, complaints
from tests.support.cluster.api import Api
from tests.support.cluster.sandbox import SandboxError
from tests.support.cluster.stack import Stack

ATTACKS = sorted((Path(__file__).parents[1] / "attacks/access").glob("*.yaml"))


@pytest.fixture(scope="module")
def remote(stages: Stack) -> Api:
    """Return a client of the other cluster's API server with the rights of Argo CD there."""
    cluster = stages.clusters[victims.CLUSTER]
    return Api(stages.sandbox, cluster.url, cluster.argocd_token, stages.folder / "authority.pem")


@pytest.mark.parametrize("file", ATTACKS, ids=lambda file: file.stem)
def test_argocd_cannot_leave_its_projects(remote: Api, file: Path) -> None:
    attack: dict[str, Any] = yaml.safe_load(file.read_text())
    ((*lines,),) = complaints(remote, attack["object"])
    assert any(re.search(attack["refused_with"], line) for line in lines), lines


def test_argocd_writes_what_its_projects_admit(remote: Api) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop-dev"}}
    labels = {"environment": "dev", "pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new-dev", "labels": labels}}
    assert remote.objections(settings, namespace, manager=MANAGER) == [[], []]


@pytest.mark.parametrize(
    "command",
    [
        "delete validatingadmissionpolicy argocd-access",
        "delete clusterrolebinding argocd-access",
        "delete namespace kube-system",
        "create token traefik --namespace=traefik",
        "get nodes",
        "get secrets --as=system:masters",
    ],
)
def test_argocd_is_not_asked_to(stages: Stack, command: str) -> None:
    cluster = stages.clusters[victims.CLUSTER]
    with pytest.raises(SandboxError, match=r"[Ff]orbidden|denied"):
        cluster.kubectl("--token", cluster.argocd_token, *command.split())
