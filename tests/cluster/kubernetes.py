"""Kubernetes without containers: the real control plane as processes, and KWOK's nodes and pods, which only say so."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import yaml

from tests import engines
from tests.cluster.sandbox import PATIENCE, Sandbox, SandboxError

Object = dict[str, Any]
BINARIES = engines.CACHE / "bin/kubernetes"
# What the API server calls itself when it passes on who asks.
PROXY = "api-server"
ETCD = "http://127.0.0.1:2379"


@dataclass(frozen=True)
class Node:
    """What a node has to give to pods, after the kubelet and the system took theirs."""

    name: str
    cpu: str = "32"
    memory: str = "128Gi"
    pods: int = 1000
    zone: str = "a"
    arch: str = "amd64"


class Kubernetes:
    """One cluster: API server, controller manager, scheduler, KWOK's nodes and pods, and a metrics API.

    Clusters of one sandbox share an etcd, each with keys of its own.
    """

    def __init__(
        self, sandbox: Sandbox, name: str, nodes: list[Node], authority: trustme.CA, grace_seconds: int = 0
    ) -> None:
        """Start the cluster, and return when its nodes are ready.

        Args:
            sandbox: Where it runs.
            name: Its name, also that of its context for kubectl.
            nodes: Its nodes.
            authority: Who signs the certificates of its servers.
            grace_seconds: How long a pod that is being deleted still holds its place.
        """
        self.sandbox = sandbox
        self.name = name
        self.index = sum(process.startswith("kube-apiserver") for process in sandbox.processes)
        self.url = f"https://127.0.0.1:{6443 + self.index}"
        self.load_balancer = f"nlb-{name}.elb.amazonaws.com"
        self.token = secrets.token_hex(16)
        self._folder = sandbox.folder / name
        self._folder.mkdir()
        self._authority = authority
        self._write_keys()
        self._start_control_plane()
        self._start_kwok(grace_seconds)
        self._serve_metrics()
        for node in nodes:
            self.add_node(node)
        sandbox.until("its nodes are ready", lambda: all(_ready(node) for node in self.list("nodes")))

    def kubectl(self, *arguments: str | Path, stdin: str = "", seconds: float = PATIENCE) -> str:
        """Run kubectl against this cluster and return what it prints.

        Raises:
            SandboxError: with kubectl's own words, if it fails.
        """
        result = self.sandbox.run("kubectl", "--context", self.name, *arguments, stdin=stdin, seconds=seconds)
        if result.returncode:
            raise SandboxError(f"kubectl {' '.join(map(str, arguments))}: {result.stderr or result.stdout}")
        return result.stdout

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, or None."""
        scope = ["--namespace", namespace] if namespace else []
        found = self.kubectl("get", kind, name, *scope, "--ignore-not-found", "--output", "json")
        return json.loads(found) if found else None

    def list(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """All objects of a kind, in one namespace or in all."""
        scope = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        found = self.kubectl("get", kind, *scope, "--selector", selector, "--output", "json")
        return list(json.loads(found)["items"])

    def apply(self, *objects: Object, manager: str = "tests") -> None:
        """Apply objects on the server's side.

        Raises:
            SandboxError: with the server's words, if it refuses one.
        """
        documents = "\n---\n".join(map(json.dumps, objects))
        self.kubectl(
            "apply",
            "--server-side",
            "--force-conflicts",
            f"--field-manager={manager}",
            "--filename",
            "-",
            stdin=documents,
        )

    @contextmanager
    def applied(self, *objects: Object) -> Iterator[None]:
        """Objects that are there until the end of the block."""
        self.apply(*objects)
        try:
            yield
        finally:
            self.kubectl("delete", "--filename", "-", stdin="\n---\n".join(map(json.dumps, objects)))

    def add_node(self, node: Node) -> None:
        """Add a node, ready."""
        resources = {"cpu": node.cpu, "memory": node.memory, "pods": str(node.pods)}
        labels = {
            "kubernetes.io/arch": node.arch,
            "kubernetes.io/hostname": node.name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": node.zone,
        }
        annotations = {
            "kwok.x-k8s.io/node": "fake",
            "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{node.name}/metrics/resource",
        }
        metadata = {"name": node.name, "labels": labels, "annotations": annotations}
        self.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        status = json.dumps({"status": {"allocatable": resources, "capacity": resources}})
        self.kubectl("patch", "node", node.name, "--subresource=status", "--type=merge", "--patch", status)

    def _write_keys(self) -> None:
        certificate = self._authority.issue_cert("127.0.0.1", "localhost", common_name=PROXY)
        write_certificate(certificate, self._folder / "tls")
        (self._folder / "tokens.csv").write_text(f'{self.token},administrator,administrator,"system:masters"\n')
        own = kubeconfig(self.name, self.url, self.sandbox.folder / "authority.pem", self.token)
        (self._folder / "kubeconfig").write_text(json.dumps(own))
        # One for all clusters, where commands name their context, or mean the cluster that Argo CD runs in.
        file = self.sandbox.folder / "kubeconfig"
        shared: Object = json.loads(file.read_text()) if file.exists() else {}
        for section in ("clusters", "users", "contexts"):
            own[section] = shared.get(section, []) + own[section]
        file.write_text(json.dumps(own | {"current-context": shared.get("current-context", self.name)}))

    def _start(self, program: str, *arguments: str) -> None:
        self.sandbox.start(f"{program}-{self.name}", BINARIES / program, *arguments)

    def _start_control_plane(self) -> None:
        folder, kubeconfig = self._folder, f"--kubeconfig={self._folder / 'kubeconfig'}"
        key, certificate, authority = folder / "tls.key", folder / "tls.crt", self.sandbox.folder / "authority.pem"
        if "etcd" not in self.sandbox.processes:
            peer = "http://127.0.0.1:2380"
            self.sandbox.start(
                "etcd",
                BINARIES / "server",
                f"--data-dir={self.sandbox.folder / 'etcd'}",
                "--unsafe-no-fsync",
                "--log-level=warn",
                f"--listen-client-urls={ETCD}",
                f"--advertise-client-urls={ETCD}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            )
            self.sandbox.wait_for("etcd", f"{ETCD}/health")
        self._start(
            "kube-apiserver",
            f"--etcd-servers={ETCD}",
            f"--etcd-prefix=/{self.name}",
            f"--secure-port={6443 + self.index}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={folder}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            # The metrics API trusts what the API server says about who asks.
            f"--client-ca-file={authority}",
            f"--requestheader-client-ca-file={authority}",
            f"--requestheader-allowed-names={PROXY}",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={certificate}",
            f"--proxy-client-key-file={key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--allow-privileged=true",
            "--profiling=false",
        )
        for path in ("readyz", "openapi/v2"):
            bearer = {"Authorization": f"Bearer {self.token}"}
            self.sandbox.wait_for(f"kube-apiserver-{self.name}", f"{self.url}/{path}", bearer)
        self._start(
            "kube-controller-manager",
            kubeconfig,
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={10257 + 100 * self.index}",
            f"--cert-dir={folder / 'manager'}",
            f"--service-account-private-key-file={key}",
            f"--root-ca-file={authority}",
            # Autoscalers act at once, so that tests need not wait for them.
            "--horizontal-pod-autoscaler-sync-period=2s",
            "--horizontal-pod-autoscaler-downscale-stabilization=1s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
        )
        self._start(
            "kube-scheduler",
            kubeconfig,
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={10259 + 100 * self.index}",
            f"--cert-dir={folder / 'scheduler'}",
        )

    def _start_kwok(self, grace_seconds: int) -> None:
        # KWOK has no stages and no metrics of its own: they come with its module.
        parts = ("stage/fast", "metrics/usage")
        documents = [
            item
            for part in parts
            for item in engines.kustomize_build(
                engines.go_module("sigs.k8s.io/kwok", pinned_in="kubernetes") / "kustomize" / part
            )
        ]
        for document in documents:
            if document["metadata"]["name"] == "pod-delete":
                document["spec"]["delay"] = {"durationMilliseconds": 1000 * grace_seconds}
        documents.append(self._load_balancers())
        config = self._folder / "kwok.yaml"
        config.write_text(yaml.safe_dump_all(documents))
        port = 10247 + 100 * self.index
        self._start(
            "kwok",
            f"--kubeconfig={self._folder / 'kubeconfig'}",
            f"--config={config}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            f"--server-address=127.0.0.1:{port}",
            f"--cidr=10.{244 + self.index}.0.0/16",
            f"--tls-cert-file={self._folder / 'tls.crt'}",
            f"--tls-private-key-file={self._folder / 'tls.key'}",
        )
        self.sandbox.wait_for(f"kwok-{self.name}", f"http://127.0.0.1:{port}/healthz")

    def _load_balancers(self) -> Object:
        """A stage that does what a load balancer controller does: gives each Service that asks for one an address."""
        wants = {"key": ".spec.type", "operator": "In", "values": ["LoadBalancer"]}
        has_none = {"key": ".status.loadBalancer.ingress", "operator": "DoesNotExist"}
        status = {"loadBalancer": {"ingress": [{"hostname": self.load_balancer}]}}
        return {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Stage",
            "metadata": {"name": "load-balancer"},
            "spec": {
                "resourceRef": {"apiGroup": "v1", "kind": "Service"},
                "selector": {"matchExpressions": [wants, has_none]},
                "next": {"statusTemplate": yaml.safe_dump(status)},
            },
        }

    def _serve_metrics(self) -> None:
        port = 4443 + self.index
        kubeconfigs = [
            f"--{use}kubeconfig={self._folder / 'kubeconfig'}" for use in ("", "authentication-", "authorization-")
        ]
        self._start(
            "metrics-server",
            *kubeconfigs,
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--metric-resolution=10s",
            "--kubelet-request-timeout=5s",
            f"--tls-cert-file={self._folder / 'tls.crt'}",
            f"--tls-private-key-file={self._folder / 'tls.key'}",
            "--kubelet-insecure-tls",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
        )
        service = {"name": "metrics-server", "namespace": "kube-system"}
        self.apply(
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


def kubeconfig(name: str, url: str, authority: Path, token: str) -> Object:
    """What clients read of one cluster: where it is, who signs for it, and who asks."""
    sections = {
        "clusters": {"cluster": {"server": url, "certificate-authority": str(authority)}},
        "users": {"user": {"token": token}},
        "contexts": {"context": {"cluster": name, "user": name}},
    }
    named = {section: [{"name": name} | entry] for section, entry in sections.items()}
    return {"apiVersion": "v1", "kind": "Config", "current-context": name} | named


def write_certificate(certificate: trustme.LeafCert, path: Path) -> None:
    """Write a certificate with its chain to <path>.crt, and its key to <path>.key."""
    certificate.private_key_pem.write_to_path(path.with_suffix(".key"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(path.with_suffix(".crt"), append=True)


def _ready(node: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
