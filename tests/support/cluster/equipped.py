"""A cluster with every add-on, and the real programs that its tests need."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple

from tests.support.cluster import layout
from tests.support.cluster.api import Object
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.metrics_server import MetricsServer
from tests.support.cluster.secrets_operator import Operator, Upstream
from tests.support.cluster.stack import Stack

CLUSTER, DEV = "main", "notes-dev"
# The operator ends without them. Its pod would restart.
KINDS = ("externalsecrets", "clustersecretstores")
DATABASE = {"password": "first"}
VALUES = {
    **{f"{environment}/notes/database": DATABASE for environment in ("dev", "prod")},
    **{f"{environment}/notes/registry": {"auths": '{"ghcr.io": {"auth": "a"}}'} for environment in ("dev", "prod")},
    "dev/ledger/database": DATABASE,
}


class Platform(NamedTuple):
    """The platform that runs."""

    stack: Stack
    cluster: Kubernetes
    upstream: Upstream
    operator: Operator

    def read(self, kind: str, name: str, namespace: str = "") -> Object:
        """Return an object that exists."""
        item = self.cluster.get(kind, name, namespace)
        assert item, f"{kind} {namespace}/{name}"
        return item

    def value(self, namespace: str = DEV) -> str:
        """Return the password in the Secret that the pods of a namespace read."""
        secret = self.cluster.get("secret", "database", namespace)
        return base64.b64decode(secret["data"]["password"]).decode() if secret else ""

    def pods(self) -> set[str]:
        """Return the uids of the pods of dev."""
        return {pod["metadata"]["uid"] for pod in self.cluster.list("pods", DEV)}

    def image(self, namespace: str, name: str) -> str:
        """Return the image that a Deployment runs."""
        deployment = self.read("deployment", name, namespace)
        return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])

    def release(self, name: str, old: str, new: str) -> None:
        """Publish another version of a workload in dev."""
        self.stack.checkout.edit(layout.kustomization(name, "dev"), f'newTag: "{old}"', f'newTag: "{new}"')
        self.stack.publish(f"Release {name} {new}")


def installed(stack: Stack) -> Platform:
    """Install everything as documented. The real programs start with their pods."""
    policy = stack.checkout.work / f"infrastructure/policies/{CLUSTER}/external-secrets.json"
    upstream = Upstream(stack, VALUES, json.loads(policy.read_text()))
    stack.install()
    wait_for_pods(stack, "metrics-server")
    MetricsServer(stack, CLUSTER)
    wait_for_pods(stack, "external-secrets")
    stack.until("its kinds are served", lambda: all(map(stack.argocd.api.serves, KINDS)))
    operator = Operator(stack, CLUSTER)
    operator.start()
    platform = Platform(stack, stack.argocd, upstream, operator)
    stack.until("a secret arrives", platform.value)
    stack.settle()
    return platform


def wait_for_pods(stack: Stack, addon: str) -> None:
    """Wait until a pod of an add-on runs."""
    stack.until(f"{addon} runs", lambda: any(p["status"].get("podIP") for p in stack.argocd.list("pods", addon)))


def external_secret(namespace: str, key: str, store: str) -> Object:
    """Return an ExternalSecret."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "database", "namespace": namespace},
        "spec": {
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "dataFrom": [{"extract": {"key": key}}],
        },
    }


def has_retried(stack: Stack, application: str) -> bool:
    """Return whether an operation of an Application has failed at least once."""
    operation = stack.argo.applications[application]["status"].get("operationState", {})
    return operation.get("retryCount", 0) > 0 or operation.get("phase") in ("Error", "Failed")
