"""Run the platform's add-ons as local processes, with the arguments of their pods in the cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.answers import expected_host, public_component
from tests.support.cluster.api import Object
from tests.support.cluster.credentials import kubeconfig
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.stack import Stack
from tests.support.repository import examples

CLUSTERS = [c if isinstance(c, str) else c["name"] for c in examples()["stages"]["clusters"]]


@dataclass(frozen=True)
class Way:
    """The route of a host, as defined in the answers.

    Attributes:
        to: The public component, as <namespace>/<name>.
    """

    host: str
    cluster: str
    to: str


def ways(stack: Stack, cluster: str = "") -> list[Way]:
    """Return the routes of one cluster, or of all."""
    result = []
    for workload, environment, _ in stack.repository.overlays():
        if (host := expected_host(workload, environment)) and cluster in ("", environment["cluster"]):
            public = public_component(workload)
            assert public
            result.append(Way(host, environment["cluster"], f"{workload['name']}-{environment['name']}/{public[0]}"))
    return result


def answers_of(stack: Stack, cluster: str) -> dict[str, Any]:
    """Return the answers for a cluster."""
    (found,) = [given for given in stack.repository.clusters if given["name"] == cluster]
    return found


def pod_template(cluster: Kubernetes, addon: str) -> Object:
    """Return the pod template of an add-on's Deployment, as Argo CD applied it."""
    deployment = cluster.get("deployment", addon, addon)
    assert deployment
    return dict(deployment["spec"]["template"])


def container(cluster: Kubernetes, addon: str) -> Object:
    """Return the only container of an add-on."""
    (only,) = pod_template(cluster, addon)["spec"]["containers"]
    return dict(only)


def token(cluster: Kubernetes, addon: str) -> str:
    """Return a token of the service account of an add-on's pods, with the rights of its chart and no others."""
    account = pod_template(cluster, addon)["spec"]["serviceAccountName"]
    return cluster.kubectl("create", "token", account, f"--namespace={addon}", "--duration=2h").strip()


def kubeconfig_of(cluster: Kubernetes, addon: str) -> Path:
    """Return a kubeconfig file for clients that do not accept a bare token."""
    folder = cluster.sandbox.folder
    file = folder / cluster.name / f"{addon}.kubeconfig"
    config = kubeconfig(addon, cluster.url, folder / "authority.pem", token(cluster, addon))
    file.write_text(json.dumps(config))
    return file
