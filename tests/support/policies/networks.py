"""Network policies that the admission policies accept and reject."""

from __future__ import annotations

from typing import Any

from gitops.checks.networks import POLICY
from gitops.objects import load_yaml
from tests.support.policies.objects import Object, Violation

ENVIRONMENT = "dev"
NAME = "kubernetes.io/metadata.name"
METADATA = {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}
METADATA_V6 = {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}


def policy(**spec: Any) -> Object:
    """A NetworkPolicy."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} | spec
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "tool"}, "spec": spec}


def lets_in(*peers: Object, **rule: Any) -> Object:
    """A NetworkPolicy that lets peers in."""
    return policy(ingress=[{"from": [*peers]} | rule])


def lets_out(*peers: Object, **rule: Any) -> Object:
    """A NetworkPolicy that lets pods out to peers."""
    return policy(egress=[{"to": [*peers]} | rule])


def block(cidr: str, *excepted: str) -> Object:
    """A peer: a block of addresses."""
    return {"ipBlock": {"cidr": cidr} | ({"except": [*excepted]} if excepted else {})}


def namespaces(*expressions: Object, **labels: str) -> Object:
    """A peer: pods of namespaces. Labels are passed as the last part of their names."""
    given = {NAME if name == "name" else name: value for name, value in labels.items()}
    return {"namespaceSelector": {"matchLabels": given} | ({"matchExpressions": [*expressions]} if expressions else {})}


def one_of(*names: str, operator: str = "In") -> Object:
    """An expression on names of namespaces."""
    return {"key": NAME, "operator": operator, "values": [*names]}


def accepted(domain: str) -> list[Object]:
    """Return network policies that no policy rejects, in the environment dev."""
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    return [
        policy(),
        policy(podSelector={"matchLabels": {"app": "tool"}}, policyTypes=["Ingress"], ingress=[]),
        lets_in({"podSelector": {}}),
        lets_in({"podSelector": {"matchLabels": {"app": "tool"}}}, ports=[{"port": 1024, "endPort": 65535}]),
        lets_in(namespaces(name="traefik") | {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "traefik"}}}),
        lets_in(namespaces(name="monitoring"), ports=[{"port": "metrics"}]),
        lets_in(namespaces(name="other-dev"), namespaces(environment="dev")),
        lets_in(namespaces(one_of("other-dev", "traefik"), team="a")),
        policy(egress=[{"ports": dns}, {"ports": [{"port": 53, "endPort": 53}]}]),
        lets_out({"podSelector": {}}, {"ipBlock": METADATA}, {"ipBlock": METADATA_V6}),
        lets_out(block("169.254.0.0/16", "169.254.169.0/24"), block("169.254.170.23/32"), block("203.0.113.0/24")),
        lets_out(namespaces(environment="dev"), namespaces(name="prod"), {"namespaceSelector": {}}),
        load_yaml(POLICY, "")[0],
    ]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule on network policies, in the environment dev."""
    found: dict[str, Violation] = {}
    for message, items in (INGRESS | EGRESS).items():
        for what, item in items.items():
            found[f"a network policy: {what}"] = Violation(item, "workload-network", message)
    return found


INGRESS: dict[str, dict[str, Object]] = {
    "an ingress rule without `from`": {
        "from everybody": policy(ingress=[{}]),
        "from everybody to a port": policy(ingress=[{"ports": [{"port": 80}]}]),
        "from an empty list": policy(ingress=[{"from": []}]),
        "from everybody, too": policy(ingress=[{"from": [{"podSelector": {}}]}, {}]),
        "from everybody, not in effect": policy(ingress=[{}], policyTypes=["Egress"]),
    },
    "not from an ipBlock": {
        "from an address": lets_in(block("10.0.0.1/32")),
        "from all addresses": lets_in(block("0.0.0.0/0")),
        "from half of all addresses, too": lets_in({"podSelector": {}}, block("::/1")),
    },
    "ingress from other namespaces must name them": {
        "from all namespaces": lets_in({"namespaceSelector": {}}),
        "from certain pods of all namespaces": lets_in({"namespaceSelector": {}, "podSelector": {}}),
        "from another environment": lets_in(namespaces(environment="prod")),
        "from a namespace of another environment": lets_in(namespaces(name="other-prod")),
        "from a namespace of the platform": lets_in(namespaces(name="argocd")),
        "from a namespace that begins alike": lets_in(namespaces(name="dev")),
        "from namespaces with some label": lets_in(namespaces(team="a")),
        "from namespaces with any environment": lets_in(
            {"namespaceSelector": {"matchExpressions": [{"key": "environment", "operator": "Exists"}]}}
        ),
        "from namespaces but one": lets_in(namespaces(one_of("other-dev", operator="NotIn"))),
        "from two namespaces": lets_in(namespaces(one_of("other-dev", "other-prod"))),
        "from one environment and another": lets_in(namespaces(environment="dev"), namespaces(environment="prod")),
        "from one environment, then another": policy(
            ingress=[{"from": [namespaces(environment="dev")]}, {"from": [namespaces(name="default")]}]
        ),
    },
}
EGRESS: dict[str, dict[str, Object]] = {
    "an egress rule without `to`": {
        "to everything": policy(egress=[{}]),
        "to an empty list": policy(egress=[{"to": [], "ports": []}]),
        "to everything, not in effect": policy(egress=[{}], policyTypes=["Ingress"]),
        "to a port everywhere": policy(egress=[{"ports": [{"port": 80}]}]),
        "to DNS and another port everywhere": policy(egress=[{"ports": [{"port": 53}, {"port": 80}]}]),
        "to a range of ports everywhere": policy(egress=[{"ports": [{"port": 53, "endPort": 80}]}]),
        "to a named port everywhere": policy(egress=[{"ports": [{"port": "dns"}]}]),
        "to all ports of a protocol everywhere": policy(egress=[{"ports": [{"protocol": "TCP"}]}]),
        "to a third protocol everywhere": policy(egress=[{"ports": [{"port": 53, "protocol": "SCTP"}]}]),
    },
    "must exclude the instance metadata": {
        "to all addresses": lets_out(block("0.0.0.0/0")),
        "to all addresses (IPv6)": lets_out(block("::/0")),
        "to all addresses, too": lets_out({"ipBlock": METADATA}, block("0.0.0.0/0")),
        "to the instance metadata": lets_out(block("169.254.169.254/32")),
        "to the instance metadata (IPv6)": lets_out(block("fd00:ec2::254/128")),
        "to the instance metadata (IPv6, in full)": lets_out(block("fd00:0ec2:0:0:0:0:0:254/128")),
        "to addresses around it": lets_out(block("169.254.169.252/30")),
        "to the upper half of addresses": lets_out(block("128.0.0.0/1")),
        "to all addresses but another": lets_out(block("0.0.0.0/0", "169.254.169.253/32")),
        "to all addresses but others": lets_out(block("::/0", "fd00:ec2::/120")),
    },
}
