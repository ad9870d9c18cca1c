"""Run metrics-server of a cluster, with the arguments and rights of its pods, behind its own Service."""

from __future__ import annotations

from tests.support.cluster.addons import container, kubeconfig_of
from tests.support.cluster.api import Object
from tests.support.cluster.stack import BINARIES, Stack

ADDON = "metrics-server"
API = "v1beta1.metrics.k8s.io"
# KWOK is the kubelet of every node. It listens at one address for all of them, with its own certificate.
HERE = ["--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP"]


class MetricsServer:
    """metrics-server at the addresses of its pods."""

    def __init__(self, stack: Stack, cluster: str) -> None:
        """Start it with the arguments of its Deployment."""
        self.stack, self.cluster = stack, stack.clusters[cluster]
        self.name = f"{ADDON}-of-{cluster}"
        given, here = container(self.cluster, ADDON)["args"], [*HERE, f"--cert-dir={self.cluster.folder / ADDON}"]
        mine = [argument.partition("=")[0] for argument in here]
        kept = [argument for argument in given if argument.partition("=")[0] not in mine]
        file = kubeconfig_of(self.cluster, ADDON)
        kubeconfigs = [f"--{use}kubeconfig={file}" for use in ("", "authentication-", "authorization-")]
        stack.sandbox.start(self.name, BINARIES / "kubernetes/metrics-server", *kept, *here, *kubeconfigs)

    def close(self) -> None:
        """Stop it."""
        self.stack.sandbox.end(self.name)


def availability(stack: Stack, cluster: str) -> Object:
    """Return the condition Available of the metrics API."""
    item = stack.clusters[cluster].get("apiservice", API) or {}
    conditions = item.get("status", {}).get("conditions", [])
    return next((dict(condition) for condition in conditions if condition["type"] == "Available"), {})
