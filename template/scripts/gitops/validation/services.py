"""Rules of Services (k8s.io/kubernetes, pkg/apis/core/validation, validateService)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar
from gitops.validation.selectors import labels
from gitops.validation.terms import Problem, Rule, between, choice, each, removal, repeated, required, valid

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
FAMILIES = ("IPv4", "IPv6")
EXTERNAL = ("NodePort", "LoadBalancer")
LONGEST_AFFINITY = 86_400
# Fields that a type does not have.
NOT_EXTERNAL_NAME = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
ONLY_LOAD_BALANCER = ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass")


def of_type(node: Object) -> Iterator[Problem]:
    """Check that only fields of the Service's type are set."""
    kind, address = node.get("type") or "ClusterIP", node.get("clusterIP")
    if not node.get("ports") and address != "None" and kind != "ExternalName":
        yield "ports", "must not be empty, unless clusterIP is None"
    if kind in EXTERNAL and address == "None":
        yield "clusterIP", f"None and type {kind} exclude each other: {removal('clusterIP')}"
    if kind == "ExternalName":
        name = (node.get("externalName") or "").removesuffix(".")
        if message := grammar.dns_subdomain(name):
            yield "externalName", f"{name or '(empty)'} {message}"
        for field in NOT_EXTERNAL_NAME:
            if node.get(field):
                yield field, f"is not for type ExternalName: {removal(field)}"
        if address:
            yield "clusterIP", f"is not for type ExternalName: {removal('clusterIP')}"
    if kind != "LoadBalancer":
        for field in ONLY_LOAD_BALANCER:
            if node.get(field) not in (None, []):
                yield field, f"is for type LoadBalancer only: {removal(field)}"
    if kind not in EXTERNAL and not node.get("externalIPs") and node.get("externalTrafficPolicy"):
        yield "externalTrafficPolicy", f"is not for type {kind}: {removal('externalTrafficPolicy')}"
    is_local = kind == "LoadBalancer" and node.get("externalTrafficPolicy") == "Local"
    if node.get("healthCheckNodePort") and not is_local:
        yield "healthCheckNodePort", "needs type LoadBalancer and externalTrafficPolicy: Local: remove it"


def ports(node: Object) -> Iterator[Problem]:
    """Check that several ports have unique names."""
    listed, kind = node.get("ports") or [], node.get("type") or "ClusterIP"
    for path, port in each(node, "ports"):
        if len(listed) > 1 and not port.get("name"):
            yield path, "needs a name, because there are several ports"
        if port.get("nodePort") and kind == "ClusterIP":
            yield path, f"nodePort is not for type ClusterIP: {removal('nodePort')}"
        target = port.get("targetPort")
        if target not in (None, 0, "") and (message := grammar.port(target)):
            yield f"{path}.targetPort", f"{target} {message}"
    for name in repeated([port["name"] for port in listed if port.get("name")]):
        yield "ports", f"two ports have the name {name}: rename one"
    node_ports = [(port.get("protocol", "TCP"), port["nodePort"]) for port in listed if port.get("nodePort")]
    for _, number in repeated(node_ports):
        yield "ports", f"two ports have the nodePort {number}: remove one"


def addresses(node: Object) -> Iterator[Problem]:
    """Check addresses and IP families."""
    address, several = node.get("clusterIP") or "", node.get("clusterIPs") or []
    for family in node.get("ipFamilies") or []:
        if family not in FAMILIES:
            yield "ipFamilies", f"{family} is not one of {', '.join(FAMILIES)}"
    for family in repeated(node.get("ipFamilies") or []):
        yield "ipFamilies", f"{family} occurs twice: remove one"
    if several and address and several[0] != address:
        yield "clusterIPs", f"must begin with clusterIP ({address})"
    for given in {address, *several} - {"", "None"}:
        if message := grammar.address(given):
            yield "clusterIP", f"{given} {message}, or None"
    if len(several) > 2 or ("None" in several and len(several) > 1):
        yield "clusterIPs", "must be None, or one address of each family"


def affinity(node: Object) -> Iterator[Problem]:
    """Check that session affinity lasts at most a day."""
    config = (node.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    seconds = config.get("timeoutSeconds", 1)
    if node.get("sessionAffinity") == "ClientIP" and not 0 < seconds <= LONGEST_AFFINITY:
        yield "sessionAffinityConfig.clientIP.timeoutSeconds", f"{seconds} must be from 1 to {LONGEST_AFFINITY}"


RULES: dict[str, tuple[Rule, ...]] = {
    "core.v1.ServiceSpec": (
        choice("type", *TYPES),
        choice("sessionAffinity", "None", "ClientIP"),
        choice("externalTrafficPolicy", "Cluster", "Local"),
        choice("internalTrafficPolicy", "Cluster", "Local", even_if_empty=True),
        choice("ipFamilyPolicy", "SingleStack", "PreferDualStack", "RequireDualStack", even_if_empty=True),
        choice("trafficDistribution", "PreferClose", "PreferSameZone", "PreferSameNode", even_if_empty=True),
        between(0, 65535, "healthCheckNodePort"),
        of_type,
        ports,
        addresses,
        affinity,
        valid(grammar.address, "externalIPs"),
        valid(lambda text: grammar.network(text.strip()), "loadBalancerSourceRanges"),
        valid(grammar.label_key, "loadBalancerClass"),
        *labels("selector"),
    ),
    "core.v1.ServicePort": (
        between(1, 65535, "port"),
        valid(grammar.dns_label, "name"),
        choice("protocol", "TCP", "UDP", "SCTP"),
        valid(grammar.label_key, "appProtocol", even_if_empty=True),
    ),
    "core.v1.ServiceReference": (required("name"),),
}
