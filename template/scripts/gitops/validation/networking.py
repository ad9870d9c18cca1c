"""Rules of network policies (k8s.io/kubernetes, pkg/apis/networking/validation)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.terms import Problem, Rule, between, choice, removal, required, valid


def peer(node: Object) -> Iterator[Problem]:
    """Check that a peer is pods and namespaces, or addresses."""
    if not node:
        yield "", "needs podSelector, namespaceSelector or ipBlock; {} for podSelector means every pod"
    elif "ipBlock" in node and len(node) > 1:
        yield "", f"ipBlock excludes podSelector and namespaceSelector: {removal('ipBlock')}"


def port(node: Object) -> Iterator[Problem]:
    """Check that a port range is in order."""
    first, last = node.get("port"), node.get("endPort")
    if first is not None and (message := grammar.port(first)):
        yield "port", f"{first} {message}"
    if last is not None and not isinstance(first, int):
        yield "endPort", f"{last} needs a number in port"
    elif isinstance(first, int) and last is not None and last < first:
        yield "endPort", f"{last} must be at least port ({first})"


def block(node: Object) -> Iterator[Problem]:
    """Check that exceptions are inside the block."""
    if grammar.network(node.get("cidr", "")):
        return
    outer = ipaddress.ip_network(node["cidr"], strict=False)
    for text in node.get("except") or []:
        if grammar.network(text):
            continue
        inner = ipaddress.ip_network(text, strict=False)
        is_inside = inner.version == outer.version and inner.network_address in outer
        if not is_inside or inner.prefixlen <= outer.prefixlen:
            yield "except", f"{text} must be a part of {node['cidr']}"


def types(node: Object) -> Iterator[Problem]:
    """Check the directions of a policy."""
    listed = node.get("policyTypes") or []
    for name in listed:
        if name not in ("Ingress", "Egress"):
            yield "policyTypes", f"{name} is not one of Ingress, Egress"
    if len(listed) > 2:
        yield "policyTypes", "must be at most two"


RULES: dict[str, tuple[Rule, ...]] = {
    "networking.v1.NetworkPolicySpec": (types,),
    "networking.v1.NetworkPolicyPeer": (peer,),
    "networking.v1.NetworkPolicyPort": (
        port,
        choice("protocol", "TCP", "UDP", "SCTP", even_if_empty=True),
        between(1, 65535, "endPort"),
    ),
    "networking.v1.IPBlock": (required("cidr"), valid(grammar.network, "cidr", "except"), block),
}
