"""A repository without a certificate: it exposes nothing, its checks pass, and it shows how to request one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gitops import checks
from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.cases import minimal
from tests.support.checkout import committed
from tests.support.own_checks import Validate
from tests.support.repository import Repository, pick, render

# Of the notes of validate.
INDENT = 9
PLACE = "apps/platform/traefik/clusters"
AWS = "service.beta.kubernetes.io/aws-load-balancer"
KINDS = {"controller": "aws-load-balancer-controller", "auto": "eks-auto-mode", "old": "legacy"}
ROUTES = [{"host": "@"}, {"host": "whoami"}, {"host": "a.b"}]
NAMES = {
    "controller": ["*.dev.example.com", "a.b.dev.example.com", "dev.example.com"],
    "auto": ["*.acme.io", "*.qa.example.com", "a.b.acme.io", "a.b.qa.example.com", "acme.io", "qa.example.com"],
    "old": [],
}
ANSWERS: dict[str, Any] = minimal() | {
    "acm_certificate_arn": "",
    "aws_region": "eu-west-1",
    "clusters": [{"name": name, "load_balancer": kind} for name, kind in KINDS.items()],
    "environments": [
        {"name": "dev", "cluster": "controller"},
        {"name": "qa", "cluster": "auto"},
        {"name": "live", "cluster": "auto", "domain": "acme.io", "protected": False},
    ],
    "argocd_cluster": "old",
    "workloads": [minimal()["workloads"][0] | {"routes": ROUTES}],
}


@pytest.fixture(scope="module")
def uncertified(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    path = render(template, ANSWERS, tmp_path_factory.mktemp("uncertified") / "repository")
    return Repository("uncertified", committed(path), ANSWERS)


def test_no_service_is_exposed(uncertified: Repository) -> None:
    types = set()
    for application in applications(uncertified).values():
        for service in pick(objects(uncertified, application), "Service"):
            types.add(service["spec"].get("type", "ClusterIP"))
            assert not [name for name in service["metadata"].get("annotations", {}) if name.startswith(AWS)]
            assert not service["spec"].keys() & {"loadBalancerClass", "externalTrafficPolicy", "externalIPs"}
    assert types == {"ClusterIP"}


@pytest.mark.parametrize("cluster", KINDS)
def test_values_without_a_certificate_satisfy_the_charts_own_schema(uncertified: Repository, cluster: str) -> None:
    chart = uncertified.one("apps/platform/traefik/addon.yaml")
    schema = engines.values_schema(chart["chart"], str(chart["version"]))
    if schema is None:
        pytest.skip("the schema of chart traefik cannot be had: no network, and no folder in GITOPS_TEMPLATE_DATA")
    jsonschema.validate(uncertified.one(f"{PLACE}/{cluster}/values.yaml"), schema)


def test_its_own_checks_pass(uncertified: Repository, validate: Validate) -> None:
    assert validate(uncertified.path) == {}


def test_a_note_has_the_names_and_the_command_of_the_docs(uncertified: Repository) -> None:
    (result,) = checks.run(uncertified.path, only=["certificates"])
    assert (result.state, result.problems) == (checks.State.NOTE, [])
    sections = (uncertified.path / "docs/domain-configuration.md").read_text().split("### Cluster ")[1:]
    pages = {section.split("\n")[0]: section for section in sections}
    assert len(result.notes) == len(KINDS)
    for note, cluster in zip(result.notes, sorted(KINDS), strict=True):
        names = NAMES[cluster]
        assert note.startswith(f"Cluster {cluster} has no certificate yet")
        assert max(map(len, note.split("\n"))) <= 80 - INDENT, note
        for text in (note, pages[cluster]):
            assert ("no certificate yet" in text and "aws acm request-certificate" in text) or not names
            assert (
                sorted(re.findall(r"'([^' ]+\.[^' ]+)'", text.partition("request-certificate")[2].split("```")[0]))
                == names
            )


def test_a_certificate_of_one_cluster_silences_its_note(template: Path, tmp_path: Path) -> None:
    answers = ANSWERS | {"clusters": [*ANSWERS["clusters"][1:], ANSWERS["clusters"][0] | CERTIFIED]}
    path = committed(render(template, answers, tmp_path / "repository"))
    (result,) = checks.run(path, only=["certificates"])
    assert [note.split(" has ")[0] for note in result.notes] == ["Cluster auto", "Cluster old"]
    values = yaml.safe_load((path / f"{PLACE}/controller/values.yaml").read_text())
    assert values["service"]["annotations"][f"{AWS}-ssl-cert"] == CERTIFIED["acm_certificate_arn"]


CERTIFIED = {"acm_certificate_arn": minimal()["acm_certificate_arn"]}
