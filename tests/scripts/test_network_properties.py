"""A real engine evaluates the network policies that the admission policies accept: none opens what must be closed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops import kyverno
from gitops.checks.networks import POLICY
from gitops.objects import load_yaml
from tests.support import engines
from tests.support.network_policies import METADATA, Peer, ask
from tests.support.policies import networks
from tests.support.properties import up_to
from tests.support.repository import Document, examples, render

pytestmark = pytest.mark.proof
NAMESPACE = "shop-dev"
ENVIRONMENTS = ["dev", "prod"]
INSIDE = Peer("inside", "10.0.1.1", NAMESPACE, {"app": "tool"}, environment="dev")
STRANGERS = [
    Peer("another environment", "10.0.2.1", "shop-prod", {"app": "tool"}, environment="prod"),
    Peer("Argo CD", "10.0.2.3", "argocd", {"app": "tool"}),
    Peer("a namespace of nobody", "10.0.2.4", "default", {"app": "tool"}),
    Peer("a node", "10.0.0.10"),
    Peer("the internet", "203.0.113.7"),
    Peer("the internet (IPv6)", "2001:db8::7"),
]
FRIENDS = [
    Peer("the same environment", "10.0.3.1", "other-dev", {"app": "tool"}, environment="dev"),
    Peer("Traefik", "10.0.3.2", "traefik", {"app": "tool"}),
    Peer("monitoring", "10.0.3.3", "monitoring", {"app": "tool"}),
]
ROLES = [Peer(name, address) for name, address in METADATA.items()]
PORTS = [52, 54, 80, 443, 8080]
QUESTIONS = [
    *((INSIDE, role, port, protocol) for role in ROLES for port in PORTS for protocol in ("TCP", "UDP", "SCTP")),
    *(
        (stranger, INSIDE, port, protocol)
        for stranger in STRANGERS
        for port in [53, *PORTS]
        for protocol in ("TCP", "UDP")
    ),
]
WELCOME = [(friend, INSIDE, 80, "TCP") for friend in FRIENDS] + [(INSIDE, STRANGERS[-2], 443, "TCP")]

NEAR = ["169.254.169.254", "169.254.169.252", "169.254.0.0", "128.0.0.0", "0.0.0.0", "10.0.0.1"]
NEAR_V6 = ["fd00:ec2::254", "fd00:ec2::", "fc00::", "::", "::ffff:169.254.169.254", "2001:db8::1"]


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """Return a block of addresses, mostly near the instance metadata, in any notation."""
    address = ip_address(draw(st.sampled_from(NEAR + NEAR_V6)))
    length = draw(st.integers(0, address.max_prefixlen) | st.sampled_from([0, address.max_prefixlen]))
    text = str(ip_network((address, length), strict=False)) if draw(st.booleans()) else f"{address}/{length}"
    if address.version == 6 and draw(st.booleans()):
        text = f"{address.exploded}/{length}".upper()
    return text


@st.composite
def ip_blocks(draw: st.DrawFn) -> Document:
    """Return a peer of addresses that is valid for the API server: its exceptions are inside it."""
    cidr = draw(blocks())
    whole = ip_network(cidr, strict=False)
    parts = [ip_network(part, strict=False) for part in draw(st.lists(blocks(), max_size=2))]
    parts += [ip_network(role.address) for role in ROLES if draw(st.booleans())]
    inside = [str(part) for part in parts if part.version == whole.version and part != whole and part.subnet_of(whole)]  # type: ignore[arg-type]
    return {"ipBlock": {"cidr": cidr} | ({"except": inside} if inside else {})}


NAMES = st.sampled_from(["traefik", "monitoring", "other-dev", "dev", "shop-prod", "argocd", "default"])
LABELS = st.fixed_dictionaries(
    {},
    optional={
        networks.NAME: NAMES,
        "environment": st.sampled_from([*ENVIRONMENTS, ""]),
        "team": st.just("a"),
    },
)
VALUED = st.fixed_dictionaries(
    {
        "key": st.sampled_from([networks.NAME, "environment"]),
        "operator": st.sampled_from(["In", "NotIn"]),
        "values": st.lists(NAMES | st.sampled_from(ENVIRONMENTS), min_size=1, max_size=2),
    }
)
BARE = st.fixed_dictionaries(
    {
        "key": st.sampled_from([networks.NAME, "environment"]),
        "operator": st.sampled_from(["Exists", "DoesNotExist"]),
    }
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(VALUED | BARE, max_size=2)}
)
PODS = st.sampled_from([{}, {"matchLabels": {"app": "tool"}}, {"matchLabels": {"app": "other"}}])
PEERS = (
    ip_blocks()
    | st.fixed_dictionaries({"podSelector": PODS})
    | st.fixed_dictionaries({"namespaceSelector": SELECTORS}, optional={"podSelector": PODS})
)
RULE_PORTS = st.fixed_dictionaries(
    {"protocol": st.sampled_from(["TCP", "UDP", "SCTP"])},
    optional={"port": st.sampled_from([53, 80, "dns"]), "endPort": st.sampled_from([80, 65535])},
).map(lambda port: port if port.get("port") in (53, 80) else {k: v for k, v in port.items() if k != "endPort"})


def rules(peers: str) -> st.SearchStrategy[list[Document]]:
    """Return rules of one direction."""
    rule = st.fixed_dictionaries(
        {}, optional={peers: st.lists(PEERS, max_size=2), "ports": st.lists(RULE_PORTS, max_size=2)}
    )
    return st.lists(rule, max_size=2)


SPECS = st.fixed_dictionaries(
    {
        "podSelector": PODS,
        "policyTypes": st.lists(st.sampled_from(["Ingress", "Egress"]), min_size=1, max_size=2, unique=True),
    },
    optional={"ingress": rules("from"), "egress": rules("to")},
)


@pytest.fixture(scope="module")
def admission(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Return the policies of a repository with two environments."""
    answers = examples()["minimal"] | {"environments": ENVIRONMENTS}
    path = render(template, answers, tmp_path_factory.mktemp("environments") / "repository")
    return engines.kustomize_build(path / "apps/platform/policies/clusters/main")


def placed(item: Document, name: str) -> Document:
    """Return a network policy of the workload."""
    return item | {"metadata": item["metadata"] | {"name": name, "namespace": NAMESPACE}}


def admitted(admission: list[Document], items: list[Document]) -> list[Document]:
    """Return the network policies that the admission policies accept."""
    refused = kyverno.refusals(admission, [], [(NAMESPACE, item) for item in items])
    names = {text.split(": ")[1].partition("/")[2] for text in refused}
    return [item for item in items if item["metadata"]["name"] not in names]


def isolating() -> Document:
    """Return the policy that pods require to start."""
    (policy,) = load_yaml(POLICY, "")
    return placed(policy, "isolation")


@up_to(15)
@given(specs=st.lists(SPECS, min_size=30, max_size=60))
def test_what_is_admitted_opens_neither_the_instance_metadata_nor_the_namespace(
    admission: list[Document], specs: list[dict[str, Any]]
) -> None:
    items = [placed(networks.policy(**spec), f"policy-{index}") for index, spec in enumerate(specs)]
    good, bad = placed(networks.policy(), "good"), placed(networks.lets_out(networks.block("0.0.0.0/0")), "bad")
    accepted = admitted(admission, [*items, good, bad])
    assert good in accepted and bad not in accepted
    # Policies are additive: what one of them opens is open.
    verdicts = ask([isolating(), *accepted], QUESTIONS)
    wrong = [f"{v.source.name} reaches {v.target.name}: {v.port}/{v.protocol}" for v in verdicts if v.allowed]
    assert not wrong, (wrong[:5], [item["spec"] for item in accepted])


def test_what_is_admitted_can_open_the_namespace_to_its_friends(admission: list[Document]) -> None:
    """Otherwise the property would hold for a policy that rejects everything."""
    friends = networks.lets_in(networks.namespaces(networks.one_of("traefik", "monitoring", "other-dev")))
    items = [placed(item, f"policy-{index}") for index, item in enumerate([*networks.accepted("acme.io"), friends])]
    accepted = admitted(admission, items)
    assert accepted == items
    assert all(verdict.allowed for verdict in ask([isolating(), *accepted], WELCOME))
    assert not any(verdict.allowed for verdict in ask([isolating(), *accepted], QUESTIONS))
