"""Return the answers of the stack with two clusters: an example, and workloads that drills may break or remove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.cluster import vault
from tests.support.cluster.checkout import add_by_hand
from tests.support.repository import examples

# The cluster of dev and test. Argo CD is in the other cluster, beside prod.
CLUSTER = "nonprod"
# Workloads of one pod, without a port, by their only environment. Drills remove `test`.
STRAY, BLANK, TRIAL = "stray", "blank", "trial"
ENVIRONMENTS = {STRAY: "dev", BLANK: "dev", TRIAL: "test"}
# Created by hand, not in the answers. It names a namespace that the ApplicationSet overrides.
BY_HAND = "hello"
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "elsewhere"},
    "data": {"a": "b"},
}


def two_clusters() -> dict[str, Any]:
    """Return the example with three environments on two clusters, and `test`. By https: no SSH server runs here."""
    answers = examples()["stages"]
    names = [environment["name"] for environment in answers["environments"]]
    workloads = [{"environments": names} | workload for workload in answers["workloads"]]
    victims = [
        {"name": name, "image": f"example.com/{name}:1.0.0", "replicas": 1, "environments": [environment]}
        for name, environment in ENVIRONMENTS.items()
    ]
    return answers | {
        "repo_url": "https://github.com/acme/stages-gitops.git",
        "environments": [*answers["environments"], {"name": "test", "cluster": CLUSTER}],
        "workloads": [*workloads, *victims],
    }


def renamed(answers: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return answers with a renamed environment."""
    environments = [e | {"name": new} if e["name"] == old else e for e in answers["environments"]]
    workloads = json.loads(json.dumps(answers["workloads"]).replace(f'"{old}"', f'"{new}"'))
    return answers | {"environments": environments, "workloads": workloads}


def make_by_hand(repository: Path) -> None:
    """Add the workloads that are not in the answers."""
    add_by_hand(repository, BY_HAND, SETTINGS)
    for environment in vault.ENVIRONMENTS:
        add_by_hand(repository, vault.NAME, *vault.objects(environment), environment=environment)
