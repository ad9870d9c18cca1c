"""Run Kubernetes without containers: the real control plane as processes, and KWOK's nodes and pods."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import trustme

from tests.support.cluster import storage
from tests.support.cluster.api import Api, Object
from tests.support.cluster.client import fetch
from tests.support.cluster.control_plane import ARGO_CD, CONTROLLERS, NODES, PROXY, SCHEDULER, Command, ControlPlane
from tests.support.cluster.credentials import kubeconfig, write_certificate
from tests.support.cluster.nodes import Node, configuration, is_ready
from tests.support.cluster.sandbox import PATIENCE, Sandbox, SandboxError


class Kubernetes:
    """One cluster: API server, controller manager, scheduler, KWOK's nodes and pods, and a metrics API.

    Clusters of one sandbox share an etcd, each with its own keys.

    Attributes:
        api: The resident client of its API server.
        kubeconfig: The file of administrators.
        argocd_token: The token for an Argo CD in another cluster.
        load_balancer: The host name that its Services of type LoadBalancer get.
    """

    def __init__(self, sandbox: Sandbox, name: str, index: int, authority: trustme.CA, *, asks_pods: bool) -> None:
        """Write the files of the cluster; `start` starts it.

        Args:
            sandbox: The sandbox, with an etcd in it.
            name: Its name, which is also its kubectl context.
            index: Its number in the sandbox.
            authority: The authority that signs its server certificates.
            asks_pods: Whether an add-on serves the metrics API, at the addresses of its pods.
        """
        self.sandbox = sandbox
        self.name = name
        folder = sandbox.folder / name
        folder.mkdir()
        self._plane = ControlPlane(name, index, folder, sandbox.folder / "authority.pem", asks_pods)
        self.url = f"https://127.0.0.1:{self._plane.port}"
        self.load_balancer = f"nlb-{name}.elb.eu-central-1.amazonaws.com"
        self.token, self.argocd_token = secrets.token_hex(16), secrets.token_hex(16)
        write_certificate(authority.issue_cert("127.0.0.1", "localhost", common_name=PROXY), folder / "tls")
        tokens = {"administrator": self.token}
        self.kubeconfig = kubeconfig(name, self.url, self._plane.authority, self.token)
        self._plane.kubeconfig.write_text(json.dumps(self.kubeconfig))
        for user in (ARGO_CD, CONTROLLERS, NODES, SCHEDULER):
            tokens[user] = secrets.token_hex(16)
            config = kubeconfig(name, self.url, self._plane.authority, tokens[user])
            self._plane.kubeconfig_of(user).write_text(json.dumps(config))
        # Programs without a built-in role are administrators.
        groups = {user: "" if user in (CONTROLLERS, SCHEDULER) else "system:masters" for user in tokens}
        lines = [f'{token},{user},{user},"{groups[user]}"\n' for user, token in tokens.items()]
        # Like an EKS access entry: a name, a group, and no rights.
        lines.append(f'{self.argocd_token},arn:aws:iam::123456789012:role/argocd,argocd,"argocd"\n')
        (folder / "tokens.csv").write_text("".join(lines))
        self.api = Api(sandbox, self.url, self.token, self._plane.authority)
        self.get, self.list, self.apply, self.applied = self.api.get, self.api.list, self.api.apply, self.api.applied

    @property
    def folder(self) -> Path:
        """Return the folder of the cluster's files."""
        return self._plane.folder

    @property
    def argocd_kubeconfig(self) -> Path:
        """Return the kubeconfig file of an Argo CD in this cluster."""
        return self._plane.kubeconfig_of(ARGO_CD)

    def start(self, nodes: list[Node], grace_seconds: int) -> None:
        """Start everything, and return when the nodes are ready.

        Args:
            nodes: The nodes.
            grace_seconds: How long a terminating pod still occupies its node.
        """
        plane, config = self._plane, self.folder / "kwok.yaml"
        self._start("kube-apiserver", plane.api_server())
        config.write_text(configuration(self.load_balancer, grace_seconds))
        self.sandbox.wait_for(f"kube-apiserver-{self.name}", self.api.is_ready)
        self._start("kube-controller-manager", plane.controller_manager())
        self._start("kube-scheduler", plane.scheduler())
        self._start("kwok", plane.kwok(config))
        self._start("metrics-server", plane.metrics_server())
        health = f"http://127.0.0.1:{plane.kwok_port}/healthz"
        self.sandbox.wait_for(f"kwok-{self.name}", lambda: fetch(self.sandbox, health) is not None)
        self.serve_metrics()
        self._start("provisioner", storage.provisioner(self.url, self.token, plane.authority))
        self.apply(*storage.objects())
        self.apply(*(node.manifest() for node in nodes))
        # Not earlier: KWOK overwrites the status of new nodes.
        self.sandbox.until("its nodes are ready", lambda: all(map(is_ready, self.list("nodes"))))
        for node in nodes:
            self.api.patch("nodes", node.name, node.status(), subresource="status")

    def serve_metrics(self) -> None:
        """Make the API server forward requests for metrics to the metrics API."""
        self.apply(*_metrics_api(self._plane.metrics_port))

    def kubectl(self, *arguments: str | Path, stdin: str = "", seconds: float = PATIENCE) -> str:
        """Run kubectl against this cluster and return what it prints.

        Raises:
            SandboxError: with the output of kubectl, if it fails.
        """
        result = self.sandbox.run("kubectl", "--context", self.name, *arguments, stdin=stdin, seconds=seconds)
        if result.returncode:
            raise SandboxError(f"kubectl {' '.join(map(str, arguments))}: {result.stderr or result.stdout}")
        return result.stdout

    def _start(self, program: str, command: Command) -> None:
        self.sandbox.start(f"{program}-{self.name}", *command)


def _metrics_api(port: int) -> tuple[Object, Object]:
    """Return the objects that make the API server forward requests for metrics."""
    service = {"name": "metrics-server", "namespace": "kube-system"}
    return (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": service,
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": service | {"port": port},
                "insecureSkipTLSVerify": True,
            },
        },
    )
