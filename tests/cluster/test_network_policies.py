"""Who may talk to whom under the rendered NetworkPolicies: an engine answers for every pair of addresses and port."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests import engines
from tests.conftest import Document, Repository, examples, pick, render
from tests.rendering.test_workloads import expected_host, public_component

# An image whose process asks these gets the AWS role of the node that it runs on.
METADATA = {"instance metadata": "169.254.169.254", "instance metadata (IPv6)": "fd00:ec2::254"}
ELSEWHERE = {
    # The kubelet's probes come from the pod's own node. The VPC CNI lets its address through whatever the rules say,
    # and no rule could name it: nodes and pods share address ranges. So to the rules a node is a stranger like others.
    "the node": "10.0.0.10",
    "the resolver of the VPC": "169.254.169.253",
    "the Pod Identity agent": "169.254.170.23",
    "the internet": "203.0.113.7",
    "the internet (IPv6)": "2001:db8::7",
}
PODS_OF_OTHERS = {
    "external-dns/external-dns": {"app.kubernetes.io/name": "external-dns"},
    "kube-system/coredns": {"k8s-app": "kube-dns"},
    "argocd/argocd-server": {"app.kubernetes.io/name": "argocd-server"},
    "default/shell": {"run": "shell"},
    "default/claims-to-be-traefik": {"app.kubernetes.io/name": "traefik"},
    "traefik/shell": {"run": "shell"},
}
PORTS = {53, 80, 443, 8080, 9100}


@dataclass(frozen=True)
class Peer:
    """A pod, or an address that is none. Only pods of workloads belong to one, and to an environment."""

    name: str
    address: str
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict, compare=False)
    workload: str = ""
    environment: str = ""
    public_port: int | None = None
    is_traefik: bool = False

    def for_engine(self) -> Document:
        """What the engine may know: the address and, of a pod, its labels and its namespace's."""
        if not self.namespace:
            return {"IP": self.address}
        labels = {"kubernetes.io/metadata.name": self.namespace}
        pod = {"Namespace": self.namespace, "NamespaceLabels": labels, "PodLabels": self.labels}
        return {"IP": self.address, "Internal": pod}

    def is_with(self, other: Peer) -> bool:
        """Whether both belong to the same workload, in the same environment."""
        return bool(self.workload) and (self.workload, self.environment) == (other.workload, other.environment)


@dataclass(frozen=True)
class Verdict:
    """What the engine says to one question."""

    source: Peer
    target: Peer
    port: int
    protocol: str
    allowed: bool

    def leaves(self) -> bool:
        """Out, by the design: to DNS wherever it is, to the workload's own pods, to all but the instance metadata."""
        inside = self.source.is_with(self.target)
        elsewhere = self.target.address not in METADATA.values()
        return not self.source.workload or self.port == 53 or inside or elsewhere

    def enters(self) -> bool:
        """In, by the design: from the workload's own pods on any port, from Traefik's pods on the public one."""
        inside = self.source.is_with(self.target)
        routed = self.source.is_traefik and (self.port, self.protocol) == (self.target.public_port, "TCP")
        return not self.target.workload or inside or routed


def routed_component(workload: dict[str, Any], environments: list[dict[str, Any]]) -> tuple[str, int] | None:
    """The object and the port that a host routes to in one environment at least, by the answers."""
    own = [e for e in environments if e["name"] in workload.get("environments", [e["name"]])]
    public = public_component(workload)
    if not public or not any(expected_host(workload, environment) for environment in own):
        return None
    name, part = public
    return name, part["port"]


def peers(repository: Repository, cluster: str) -> Iterator[Peer]:
    """All that a cluster has to do with: two pods of each Deployment, pods of others, addresses that are no pods."""
    addresses = (str(ip_address("10.0.1.0") + number) for number in itertools.count(1))
    for workload, environment, overlay in repository.overlays():
        if environment["cluster"] != cluster:
            continue
        namespace = f"{workload['name']}-{environment['name']}"
        belongs = {"namespace": namespace, "workload": workload["name"], "environment": environment["name"]}
        public = routed_component(workload, repository.environments)
        for deployment in pick(repository.build(overlay), "Deployment"):
            assert deployment["metadata"]["namespace"] == namespace
            name = deployment["metadata"]["name"]
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            port = public[1] if public and public[0] == name else None
            for number in "12":
                yield Peer(f"{namespace}/{name}-{number}", next(addresses), labels=labels, public_port=port, **belongs)
        yield Peer(f"{namespace}/made-by-hand", next(addresses), labels={"run": "made-by-hand"}, **belongs)
    for number in "12":
        labels = {"app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-traefik"}
        yield Peer(f"traefik/traefik-{number}", next(addresses), "traefik", labels, is_traefik=True)
    for pod, labels in PODS_OF_OTHERS.items():
        yield Peer(pod, next(addresses), pod.partition("/")[0], labels)
    for name, address in (ELSEWHERE | METADATA).items():
        yield Peer(name, address)


def ask(policies: list[Document], questions: list[tuple[Peer, Peer, int, str]]) -> list[Verdict]:
    """The engine's verdicts on whether packets leave their source and enter their target."""
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


def verdicts_on(repository: Repository) -> list[Verdict]:
    """The verdicts on everything that can be asked about the clusters of a repository, each a world of its own."""
    found = []
    for cluster in (cluster["name"] for cluster in repository.clusters):
        overlays = [overlay for _, environment, overlay in repository.overlays() if environment["cluster"] == cluster]
        built = [document for overlay in overlays for document in repository.build(overlay)]
        containers = [d["spec"]["template"]["spec"]["containers"] for d in pick(built, "Deployment")]
        listening = {port["containerPort"] for (container,) in containers for port in container.get("ports", [])}
        everyone = list(peers(repository, cluster))
        questions = [
            (source, target, port, protocol)
            for source, target in itertools.permutations(everyone, 2)
            if source.namespace or target.namespace
            for port in sorted(PORTS | listening)
            for protocol in ("TCP", "UDP")
        ]
        found += ask(pick(built, "NetworkPolicy"), questions)
    return found


def readable(verdicts: Iterable[Verdict]) -> str:
    """Verdicts, one pair of peers a line, and no more lines than anyone reads."""
    lines: dict[str, list[str]] = {}
    for verdict in verdicts:
        pair = f"{verdict.source.name} {'reaches' if verdict.allowed else 'does not reach'} {verdict.target.name}"
        lines.setdefault(pair, []).append(f"{verdict.port}/{verdict.protocol}")
    shown = [f"{pair}: {' '.join(ports)}" for pair, ports in lines.items()]
    return "\n".join(["", *shown[:20], f"{len(shown)} pairs in all"])


def refused(verdicts: list[Verdict], about: Callable[[Verdict], bool]) -> None:
    """Check that something was asked, and that all of it is refused."""
    asked = [verdict for verdict in verdicts if about(verdict)]
    assert asked
    allowed = [verdict for verdict in asked if verdict.allowed]
    assert not allowed, readable(allowed)


@pytest.fixture(scope="module")
def verdicts(repository: Repository) -> list[Verdict]:
    return verdicts_on(repository)


@pytest.fixture(scope="module")
def several(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """The verdicts on the example with several environments in one cluster, and several workloads in one of them."""
    answers = examples()["stages"]
    path = render(template, answers, tmp_path_factory.mktemp("stages") / "repository")
    return verdicts_on(Repository("stages", path, answers))


def test_everyone_reaches_whom_the_design_names_and_nobody_else(verdicts: list[Verdict]) -> None:
    wrong = [verdict for verdict in verdicts if verdict.allowed != (verdict.leaves() and verdict.enters())]
    assert verdicts
    assert not wrong, readable(wrong)


def test_another_environment_of_the_same_workload_cannot_be_reached(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return source.workload == target.workload != "" and source.environment != target.environment

    refused(several, about)


def test_another_workload_of_the_same_environment_cannot_be_reached(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return source.environment == target.environment != "" and source.workload != target.workload

    refused(several, about)


def test_nobody_from_outside_reaches_a_workload_past_traefik(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        source, target = verdict.source, verdict.target
        return bool(target.workload) and not source.workload and not source.is_traefik

    refused(several, about)


def test_traefik_reaches_no_component_that_is_not_public(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        return verdict.source.is_traefik and bool(verdict.target.workload) and verdict.target.public_port is None

    refused(several, about)


def test_the_credentials_of_the_node_are_out_of_reach(several: list[Verdict]) -> None:
    def about(verdict: Verdict) -> bool:
        # Port 53 is open everywhere. The instance metadata service listens on port 80 alone.
        return bool(verdict.source.workload) and verdict.target.name in METADATA and verdict.port != 53

    refused(several, about)
