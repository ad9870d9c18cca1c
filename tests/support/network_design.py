"""Define the allowed connections by design: workloads, and the platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from tests.support.network_policies import METADATA, Verdict, argocd_cluster, prometheus
from tests.support.repository import Repository

PRIVATE = [
    ip_network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
]
LINK_LOCAL = [ip_network(block) for block in ("169.254.0.0/16", "fd00:ec2::/32")]
AGENT = "169.254.170.23"
Rule = Callable[[Verdict], bool]


def is_private(address: str) -> bool:
    """Return whether an address can belong to a VPC, a pod or a Service."""
    return any(ip_address(address) in block for block in PRIVATE) and not is_link_local(address)


def is_link_local(address: str) -> bool:
    """Return whether AWS itself serves an address, on each node."""
    return any(ip_address(address) in block for block in LINK_LOCAL)


def tcp(*ports: int) -> Rule:
    """Traffic to some ports."""
    return lambda v: v.protocol == "TCP" and v.port in ports


def to(pod: str, port: int) -> Rule:
    """Traffic to a pod."""
    return lambda v: v.target.name == pod and tcp(port)(v)


def by(pods: list[str], *ports: int) -> Rule:
    """Traffic from pods."""
    return lambda v: v.source.name in pods and tcp(*ports)(v)


def to_all(*ports: int) -> Rule:
    """Traffic to every address except those that AWS serves."""
    return lambda v: not is_link_local(v.target.address) and tcp(*ports)(v)


def to_private(*ports: int) -> Rule:
    """Traffic to addresses of the cluster: the answers do not contain the address of the API server."""
    return lambda v: is_private(v.target.address) and tcp(*ports)(v)


def to_public(*ports: int) -> Rule:
    """Traffic to the internet."""
    return lambda v: to_all(*ports)(v) and not is_private(v.target.address)


def to_agent(v: Verdict) -> bool:
    """Traffic to the agent that provides the AWS role of a pod."""
    return v.target.address == AGENT and tcp(80)(v)


def to_workloads(v: Verdict) -> bool:
    """Traffic to pods of workloads."""
    return bool(v.target.workload)


@dataclass(frozen=True)
class Design:
    """The design of a cluster.

    Attributes:
        leaves: The allowed egress by namespace or pod, besides DNS.
        enters: The allowed ingress by namespace or pod.
        monitoring: The namespace whose pods read metrics.
    """

    leaves: dict[str, list[Rule]]
    enters: dict[str, list[Rule]]
    monitoring: str

    def allows(self, verdict: Verdict) -> bool:
        """Return whether the source may send it and the target may receive it."""
        return self._leaves(verdict) and self._enters(verdict)

    def _leaves(self, v: Verdict) -> bool:
        source = v.source
        if source.workload:
            elsewhere = v.target.address not in METADATA.values()
            return v.port == 53 or source.is_with(v.target) or elsewhere
        rules = self.leaves.get(source.name, self.leaves.get(source.namespace))
        return rules is None or v.port == 53 or any(rule(v) for rule in rules)

    def _enters(self, v: Verdict) -> bool:
        target = v.target
        if target.workload:
            routed = v.source.is_traefik and (v.port, v.protocol) == (target.public_port, "TCP")
            called = target.is_called_by(v.source) and target.serves(v.port, v.protocol)
            scraped = v.source.namespace == self.monitoring and target.is_scraped(v.port, v.protocol)
            return v.source.is_with(target) or routed or called or scraped
        rules = self.enters.get(target.name, self.enters.get(target.namespace))
        return rules is None or any(rule(v) for rule in rules)


# The egress and ingress of optional add-ons.
ADDONS: dict[str, Callable[[list[str]], tuple[list[Rule], list[Rule]]]] = {
    "aws-load-balancer-controller": lambda by_whom: ([to_all(443), to_agent], [tcp(9443), by(by_whom, 8080)]),
    "external-secrets": lambda by_whom: ([to_all(443), to_agent], [by(by_whom, 8080)]),
    "metrics-server": lambda by_whom: ([to_private(443, 10250)], [tcp(10250)]),
}


def design(repository: Repository, cluster: str) -> Design:
    """Return the design of a cluster."""
    (answers,) = [given for given in repository.clusters if given["name"] == cluster]
    is_route53 = repository.answers.get("dns_provider", "cloudflare") == "route53"
    entry_points = [tcp(8000, 8443)] + ([tcp(8080)] if answers["load_balancer"] != "legacy" else [])
    monitoring = [prometheus(repository)]
    leaves = {
        "traefik": [to_private(443), to_workloads],
        "external-dns": [to_all(443), *([to_agent] if is_route53 else [])],
    }
    enters = {
        "traefik": [*entry_points, by(monitoring, 9100)],
        "external-dns": [by(monitoring, 7979)],
    }
    chosen = set(repository.answers.get("addons", [])) - set(answers.get("provides", []))
    for addon, ways in ADDONS.items():
        if addon in chosen:
            leaves[addon], enters[addon] = ways(monitoring)
    if cluster == argocd_cluster(repository):
        git = 443 if repository.answers["repo_url"].startswith("https://") else 22
        controller, server, repo_server = "argocd/application-controller", "argocd/server", "argocd/repo-server"
        redis, sets = "argocd/redis", "argocd/applicationset-controller"
        inside = [to(redis, 6379), to(repo_server, 8081)]
        leaves |= {
            "argocd": [],
            controller: [*inside, to_all(443), to_agent],
            server: [*inside, to_all(443), to_agent],
            sets: [to(repo_server, 8081), to_private(443)],
            redis: [to_private(443)],
            repo_server: [to(redis, 6379), to_public(443, git)],
        }
        enters |= {
            "argocd": [],
            controller: [by(monitoring, 8082)],
            server: [by(monitoring, 8083)],
            sets: [by(monitoring, 8080)],
            redis: [by([controller, server, repo_server], 6379)],
            repo_server: [by([controller, server, sets], 8081), by(monitoring, 8084)],
        }
    return Design(leaves, enters, prometheus(repository).partition("/")[0])
