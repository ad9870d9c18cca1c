"""The API server parses rules like the scripts, and knows every annotation of external-dns."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gitops.routes import read_rule
from tests.support import engines, policies
from tests.support.cluster.admission import denied, objections
from tests.support.cluster.stack import Stack
from tests.support.policies import routes
from tests.support.properties import up_to
from tests.support.repository import Document
from tests.support.rules import rules

NAMESPACE = "whoami-dev"


def domain(stack: Stack) -> str:
    """Return the domain of the only environment."""
    (environment,) = stack.repository.environments
    return str(environment["domain"])


def placed(item: Document) -> Document:
    """Return an object in the namespace of a workload."""
    return item | {"metadata": item["metadata"] | {"namespace": NAMESPACE}}


@up_to(2)
@given(batch=st.lists(rules(), min_size=100, max_size=100, unique=True))
def test_the_api_server_reads_the_rules_that_the_scripts_read(installed: Stack, batch: list[str]) -> None:
    items = policies.named([policies.route(rule.replace("dev.acme.io", domain(installed))) for rule in batch])
    said = denied(installed.argocd.api, *map(placed, items))
    refused = {name for name, (_, message) in said.items() if message.startswith(routes.RULE)}
    rule_of = {item["metadata"]["name"]: item["spec"]["routes"][0]["match"] for item in items}
    assert [rule for name, rule in rule_of.items() if (read_rule(rule) is None) != (name in refused)] == []


def known() -> list[str]:
    """Return every annotation that external-dns knows, from its source; one for each variable suffix."""
    folder = engines.go_module("sigs.k8s.io/external-dns") / "source/annotations"
    endings = re.findall(r'AnnotationKeyPrefix \+ "([a-z-]+)"', (folder / "annotations.go").read_text())
    assert {"hostname", "target", "aws-", "set-identifier"} <= set(endings)
    names = [f"{ending}x" if ending.endswith("-") else ending for ending in sorted(set(endings))]
    return [f"{prefix}{name}" for prefix in (routes.DNS, routes.LEGACY) for name in names]


def test_every_annotation_of_external_dns_is_refused(installed: Stack) -> None:
    kinds = (policies.route(f"Host(`a.{domain(installed)}`)"), policies.service())
    items = policies.named(
        [item | {"metadata": {"annotations": {name: "a.example.org"}}} for item in kinds for name in known()]
    )
    said = denied(installed.argocd.api, *map(placed, items))
    assert {policy for policy, _ in said.values()} == {"workload-dns"}
    assert {item["metadata"]["name"]: item for item in items if item["metadata"]["name"] not in said} == {}


def test_an_annotation_that_is_added_later_is_refused(installed: Stack) -> None:
    route = installed.argocd.get("ingressroute", "whoami", NAMESPACE)
    assert route
    names = {routes.DNS + "hostname": "a.example.org"}
    metadata = {"name": "whoami", "namespace": NAMESPACE, "annotations": route["metadata"]["annotations"] | names}
    again = {key: route[key] for key in ("apiVersion", "kind", "spec")}
    assert objections(installed.argocd.api, again | {"metadata": metadata | {"annotations": {}}}) == []
    assert denied(installed.argocd.api, again | {"metadata": metadata})["whoami"][0] == "workload-dns"
