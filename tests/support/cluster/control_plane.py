"""Return the command lines of a control plane without containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support import engines
from tests.support.cluster.nodes import METRICS_SECONDS

BINARIES = engines.CACHE / "bin/kubernetes"
# The API server's own name when it forwards the identity of a client.
PROXY = "api-server"
# The identities of the programs, as on EKS: policies distinguish controllers from people.
CONTROLLERS, SCHEDULER, NODES = "system:kube-controller-manager", "system:kube-scheduler", "system:node:kwok"
ARGO_CD = "system:serviceaccount:argocd:argocd-application-controller"
ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
Command = list[str | Path]


def etcd(folder: Path) -> Command:
    """Return the command of the etcd that all clusters of a sandbox share."""
    return [
        BINARIES / "server",
        f"--data-dir={folder}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
    ]


@dataclass(frozen=True)
class ControlPlane:
    """The files and ports of one control plane.

    Attributes:
        name: The name of the cluster.
        index: Its number in the sandbox, from which its ports are derived.
        folder: For its files.
        authority: The certificate of the authority that signs all server certificates.
        asks_pods: Whether the API server reaches other APIs at the addresses of their pods, as on EKS: no kube-proxy
            runs beside it. So it reaches no Service of the type ExternalName.
    """

    name: str
    index: int
    folder: Path
    authority: Path
    asks_pods: bool

    @property
    def port(self) -> int:
        """Return the port of the API server."""
        return 6443 + self.index

    @property
    def metrics_port(self) -> int:
        """Return the port of the metrics API."""
        return 4443 + self.index

    @property
    def kwok_port(self) -> int:
        """Return the port of KWOK, which is also the kubelet of every node."""
        return 10247 + 100 * self.index

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig file of administrators."""
        return self.folder / "kubeconfig"

    def kubeconfig_of(self, user: str) -> Path:
        """Return the kubeconfig file of one of the programs."""
        return self.folder / f"{user.replace(':', '-')}.kubeconfig"

    def api_server(self) -> Command:
        """Return the command of the API server. The clusters of a sandbox share an etcd, each with its own keys."""
        folder, key, certificate = self.folder, self.folder / "tls.key", self.folder / "tls.crt"
        return [
            BINARIES / "kube-apiserver",
            f"--etcd-servers={ETCD}",
            f"--etcd-prefix=/{self.name}",
            f"--secure-port={self.port}",
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
            # The metrics API trusts the identity of the client that the API server forwards.
            f"--client-ca-file={self.authority}",
            f"--requestheader-client-ca-file={self.authority}",
            f"--requestheader-allowed-names={PROXY}",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={certificate}",
            f"--proxy-client-key-file={key}",
            f"--enable-aggregator-routing={str(self.asks_pods).lower()}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--allow-privileged=true",
            "--profiling=false",
        ]

    def controller_manager(self) -> Command:
        """Return the command of the controller manager, whose autoscalers act immediately."""
        return [
            BINARIES / "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig_of(CONTROLLERS)}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={10257 + 100 * self.index}",
            f"--cert-dir={self.folder / 'manager'}",
            f"--service-account-private-key-file={self.folder / 'tls.key'}",
            f"--root-ca-file={self.authority}",
            "--horizontal-pod-autoscaler-sync-period=2s",
            "--horizontal-pod-autoscaler-downscale-stabilization=1s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
        ]

    def scheduler(self) -> Command:
        """Return the command of the scheduler."""
        return [
            BINARIES / "kube-scheduler",
            f"--kubeconfig={self.kubeconfig_of(SCHEDULER)}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={10259 + 100 * self.index}",
            f"--cert-dir={self.folder / 'scheduler'}",
        ]

    def kwok(self, config: Path) -> Command:
        """Return the command of KWOK, which runs all nodes and pods."""
        return [
            BINARIES / "kwok",
            f"--kubeconfig={self.kubeconfig_of(NODES)}",
            f"--config={config}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--node-ip=127.0.0.1",
            f"--node-port={self.kwok_port}",
            f"--server-address=127.0.0.1:{self.kwok_port}",
            f"--cidr=10.{244 + self.index}.0.0/16",
            f"--tls-cert-file={self.folder / 'tls.crt'}",
            f"--tls-private-key-file={self.folder / 'tls.key'}",
        ]

    def metrics_server(self) -> Command:
        """Return the command of the metrics API."""
        kubeconfigs = [f"--{use}kubeconfig={self.kubeconfig}" for use in ("", "authentication-", "authorization-")]
        return [
            BINARIES / "metrics-server",
            *kubeconfigs,
            "--bind-address=127.0.0.1",
            f"--secure-port={self.metrics_port}",
            f"--metric-resolution={METRICS_SECONDS}s",
            "--kubelet-request-timeout=5s",
            f"--tls-cert-file={self.folder / 'tls.crt'}",
            f"--tls-private-key-file={self.folder / 'tls.key'}",
            "--kubelet-insecure-tls",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
        ]
