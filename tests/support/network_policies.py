"""Compare the allowed connections of a repository by design with the verdicts of a real engine."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from tests.support import engines
from tests.support.network_answers import Component, components_of, is_caller, routed_port
from tests.support.repository import Document, Repository, pick

# A process that can reach these gets the AWS role of its node.
METADATA = {"instance metadata": "169.254.169.254", "instance metadata (IPv6)": "fd00:ec2::254"}
ELSEWHERE = {
    # The kubelet's probes come from the pod's own node. The VPC CNI always admits its address,
    # and no rule could name it: nodes and pods share address ranges. For the rules, a node is any other address.
    "the node": "10.0.0.10",
    "the API server": "172.20.0.1",
    "the API server (IPv6)": "fd12:3456::1",
    "the resolver of the VPC": "169.254.169.253",
    "the Pod Identity agent": "169.254.170.23",
    "the internet": "203.0.113.7",
    "the internet (IPv6)": "2001:db8::7",
}
OF_ARGOCD = ("application-controller", "applicationset-controller", "redis", "repo-server", "server")
PODS_OF_OTHERS = {
    "external-dns/external-dns": "external-dns",
    "external-dns/shell": "shell",
    "kube-system/coredns": "kube-dns",
    "default/shell": "shell",
    "default/claims-to-be-traefik": "traefik",
    "default/claims-to-be-argocd": "argocd-server",
    "traefik/shell": "shell",
}
PODS_OF_ARGOCD = {
    "argocd/shell": "shell",
    **{f"argocd/{component}": f"argocd-{component}" for component in OF_ARGOCD},
}
# DNS, instance metadata and Pod Identity, the ports of the platform's pods, and an unused one.
PORTS = {22, 53, 80, 443, 6379, 7979, 8000, 8080, 8081, 8082, 8083, 8084, 8443, 9100, 9999}


@dataclass(frozen=True)
class Peer:
    """A pod, or another address. Only pods of workloads have a workload and an environment."""

    name: str
    address: str
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict, compare=False)
    workload: str = ""
    environment: str = ""
    component: Component | None = None
    is_service: bool = False
    public_port: int | None = None
    is_traefik: bool = False

    def for_engine(self) -> Document:
        """Return the input of the engine: the address and, for a pod, its labels and those of its namespace."""
        if not self.namespace:
            return {"IP": self.address}
        labels = {"kubernetes.io/metadata.name": self.namespace}
        labels |= {"environment": self.environment} if self.environment else {}
        pod = {"Namespace": self.namespace, "NamespaceLabels": labels, "PodLabels": self.labels}
        return {"IP": self.address, "Internal": pod}

    def is_with(self, other: Peer) -> bool:
        """Return whether both belong to the same workload, in the same environment."""
        return bool(self.workload) and (self.workload, self.environment) == (other.workload, other.environment)

    def serves(self, port: int, protocol: str) -> bool:
        """Return whether it is a pod that others may call on a port. Jobs are not."""
        return self.is_service and self.component is not None and (port, protocol) in self.component.ports

    def is_scraped(self, port: int, protocol: str) -> bool:
        """Return whether Prometheus reads its metrics from this port."""
        metrics = self.component.metrics if self.is_service and self.component else None
        return (port, protocol) == (metrics, "TCP")

    def is_called_by(self, other: Peer) -> bool:
        """Return whether its component lists the other one as a caller, in the same environment."""
        if not self.component or not other.workload or self.environment != other.environment:
            return False
        return is_caller(self.component, other.workload, other.component)


@dataclass(frozen=True)
class Verdict:
    """The engine's verdict on one connection."""

    source: Peer
    target: Peer
    port: int
    protocol: str
    allowed: bool


def prometheus(repository: Repository) -> str:
    """Return the pod that reads metrics."""
    return f"{repository.answers.get('monitoring_namespace', 'monitoring')}/prometheus"


def argocd_cluster(repository: Repository) -> str:
    """Return the cluster that Argo CD runs in, from the answers: the one of the last protected environment."""
    if "argocd_cluster" in repository.answers:
        return str(repository.answers["argocd_cluster"])
    kinds: dict[str, set[bool]] = {}
    for environment in repository.environments:
        kinds.setdefault(environment["cluster"], set()).add(environment["protected"])
    for wanted in ({True}, {True, False}):
        for environment in reversed(repository.environments):
            if environment["protected"] and kinds[environment["cluster"]] == wanted:
                return str(environment["cluster"])
    return str(repository.clusters[0]["name"])


def peers(repository: Repository, cluster: str) -> Iterator[Peer]:
    """Return all peers of a cluster: two pods of each object that creates pods, other pods, other addresses."""
    addresses = (str(ip_address("10.0.1.0") + number) for number in itertools.count(1))
    for workload, environment, overlay in repository.overlays():
        if environment["cluster"] != cluster:
            continue
        namespace = f"{workload['name']}-{environment['name']}"
        belongs: dict[str, Any] = {"namespace": namespace, "workload": workload["name"]}
        belongs["environment"] = environment["name"]
        made = labels_of_pods(repository.build(overlay), namespace)
        for component in components_of(workload, environment["name"]):
            public = routed_port(workload, component, repository.environments)
            for pod in component.pods:
                fields: dict[str, Any] = {
                    "component": component,
                    "is_service": pod == component.name,
                    "labels": made.pop(pod),
                }
                port = public if pod == component.name else None
                for number in "12":
                    yield Peer(f"{namespace}/{pod}-{number}", next(addresses), public_port=port, **fields, **belongs)
        assert not made, f"{overlay} makes other pods: {sorted(made)}"
        yield Peer(f"{namespace}/made-by-hand", next(addresses), labels={"run": "made-by-hand"}, **belongs)
    for number in "12":
        labels = {"app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-traefik"}
        yield Peer(f"traefik/traefik-{number}", next(addresses), "traefik", labels, is_traefik=True)
    others = PODS_OF_OTHERS | dict.fromkeys((prometheus(repository), "default/prometheus"), "prometheus")
    others |= PODS_OF_ARGOCD if cluster == argocd_cluster(repository) else {}
    for pod, name in others.items():
        yield Peer(pod, next(addresses), pod.partition("/")[0], {"app.kubernetes.io/name": name})
    for name, address in (ELSEWHERE | METADATA).items():
        yield Peer(name, address)


def labels_of_pods(documents: list[Document], namespace: str) -> dict[str, dict[str, str]]:
    """Return the labels of all pods of an overlay, by the name of the object that creates them."""
    found = {}
    for document in documents:
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        if "containers" in template.get("spec", {}):
            assert document["metadata"]["namespace"] == namespace
            found[document["metadata"]["name"]] = template["metadata"]["labels"]
    return found


def ask(policies: list[Document], questions: list[tuple[Peer, Peer, int, str]]) -> list[Verdict]:
    """Return the engine's verdicts on whether packets may leave their source and enter their target."""
    binary = engines.CACHE / "bin/network-policies/network-policies"
    if not binary.exists():
        raise engines.EngineError("network-policies is not built yet: run `make tools`")
    known = {peer.name: peer.for_engine() for question in questions for peer in question[:2]}
    asked = [
        {"From": source.name, "To": target.name, "Port": port, "Protocol": protocol}
        for source, target, port, protocol in questions
    ]
    document = json.dumps({"Policies": policies, "Peers": known, "Questions": asked})
    result = subprocess.run([binary], input=document, capture_output=True, text=True, check=False)
    if result.returncode:
        raise engines.EngineError(result.stderr)
    return [Verdict(*question, said) for question, said in zip(questions, json.loads(result.stdout), strict=True)]


def of_argocd(repository: Repository) -> list[Document]:
    """Return the NetworkPolicies of Argo CD, from their files: building its whole manifest takes seconds."""
    files = ("network-policies", "git-servers")
    documents = [document for file in files for document in repository.read(f"bootstrap/argocd/{file}.yaml")]
    return [document | {"metadata": document["metadata"] | {"namespace": "argocd"}} for document in documents]


def policies_of(repository: Repository, cluster: str) -> list[Document]:
    """Return the NetworkPolicies of a cluster: those of its workloads and of the platform."""
    folders = [overlay for _, environment, overlay in repository.overlays() if environment["cluster"] == cluster]
    folders += [str(path.parent) for path in repository.files if path.match(f"*/clusters/{cluster}/kustomization.yaml")]
    documents = [document for folder in folders for document in pick(repository.build(folder), "NetworkPolicy")]
    return documents + (of_argocd(repository) if cluster == argocd_cluster(repository) else [])


def verdicts_on(repository: Repository, cluster: str) -> list[Verdict]:
    """Return the verdicts on all connections in a cluster of a repository."""
    everybody = list(peers(repository, cluster))
    listening = {port for peer in everybody if peer.component for port, _ in peer.component.ports}
    questions = [
        (source, target, port, protocol)
        for source, target in itertools.permutations(everybody, 2)
        if source.namespace or target.namespace
        for port in sorted(PORTS | listening)
        for protocol in (("TCP", "UDP") if port in {53, 80, 443, 8000} | listening else ("TCP",))
    ]
    return ask(policies_of(repository, cluster), questions)
