"""Ids in DNS zones and AWS accounts are unique, limited in length, and never change."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.support.cases import minimal
from tests.support.repository import load, render

REPOSITORIES = [
    "https://github.com/acme/platform.git",
    "https://github.com/acme-new/platform.git",
    "https://gitlab.com/acme/infra/dev/gitops.git",
    "https://gitlab.com/acme/infra/prod/gitops.git",
    "https://git.example.com:8443/acme/platform",
    "ssh://git@git.example.com:7999/acme/platform",
    "git@git.example.com:acme/platform.git",
    "git@git.example.com:acme/Platform.git",
    "https://github.com/acme/platform-eu.git",
    "https://github.com/acme/0-_.git",
]
SAME = [
    "git@github.com:acme/platform.git",
    "ssh://git@github.com/acme/platform",
    "ssh://git@GitHub.com:22/acme/platform.git",
    "https://github.com:443/acme/platform",
]

Names = Callable[..., list[tuple[str, str]]]


@pytest.fixture(scope="session")
def names(jinja: Environment) -> Names:
    """Return a function from answers to the owner id and the endpoint of each cluster, without Copier."""
    template = jinja.from_string(
        "[% from 'hooks/model/complete.jinja' import answers with context %]"
        "[% from 'hooks/model/model.jinja' import model with context %][[ model.clusters | to_json ]]"
    )

    def find(**answers: object) -> list[tuple[str, str]]:
        clusters = json.loads(template.render(given=minimal() | answers))
        return [(cluster["dns_owner_id"], cluster["ingress_host"]) for cluster in clusters]

    return find


def test_repositories_share_no_owner_and_no_endpoint(names: Names) -> None:
    found = [name for url in REPOSITORIES for name in names(repo_url=url)]
    assert len({owner for owner, _ in found}) == len({host for _, host in found}) == len(REPOSITORIES)


@pytest.mark.parametrize("url", SAME)
def test_a_repository_has_one_id_whichever_way_it_is_cloned(names: Names, url: str) -> None:
    assert names(repo_url=url) == names(repo_url=REPOSITORIES[0])


def test_a_name_and_a_cluster_never_read_as_others(names: Names) -> None:
    parts = ["main", "eu-main", "platform", "platform-eu", "a", "a-a"]
    ids = [re.sub("-", "", part) for part in parts]
    pairs = list(itertools.product(ids, parts))
    found = [name for given, cluster in pairs for name in names(installation_id=given, clusters=[cluster])]
    distinct = len(set(ids)) * len(parts)
    assert len({owner for owner, _ in found}) == len({host for _, host in found}) == distinct


def test_the_longest_names_keep_the_limits_of_those_who_know_them(template: Path, tmp_path: Path) -> None:
    cluster, other = "b" * 40, "c" * 40
    ids = {"installation_id": "a" * 14, "clusters": [cluster, {"name": other, "dns_owner_id": "d" * 60}]}
    environments = [{"name": "dev", "cluster": cluster}]
    workloads = [minimal()["workloads"][0] | {"name": "w" * 40}]
    answers = minimal() | ids | {"dns_provider": "route53", "environments": environments, "workloads": workloads}
    answers |= {"addons": ["external-secrets"]}
    path = render(template, answers, tmp_path / "repository")
    pages = "".join(page.read_text() for page in (path / "docs").glob("*.md"))
    roles = set(re.findall(r"--role-name ([a-z]\S*)", pages))
    assert len(roles) == 5 and max(map(len, roles)) <= 64
    (values,) = load((path / f"apps/platform/traefik/clusters/{cluster}/values.yaml").read_text())
    host = values["service"]["annotations"]["external-dns.kubernetes.io/hostname"]
    assert max(map(len, host.split("."))) == 63
    route, *_ = load((path / f"apps/workloads/{'w' * 40}/overlays/dev/resources.yaml").read_text())
    resource = f"ingressroute/{'n' * 63}/{route['metadata']['name']}"
    owned = f'"heritage=external-dns,external-dns/owner={"d" * 60},external-dns/resource={resource}"'
    assert len(owned) <= 255
