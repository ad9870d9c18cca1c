"""docs/sizing.md adds up the requests of charts and of Argo CD, and shows what nodes have left."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.repository import Repository, scenarios
from tests.support.requests import requested
from tests.support.sizing import Requests, addons, size, table

AMOUNTS = re.compile(r"(-?\d+)m \| (-?\d+)Mi \| (-?\d+) \|$")
# Every add-on is installed by one of them, in several kinds of clusters.
RENDERED = ("addons", "minimal", "stages")


@pytest.fixture(scope="module", params=RENDERED)
def sized(request: pytest.FixtureRequest, repositories: Any) -> Repository:
    """A rendered example."""
    repository: Repository = repositories(request.param)
    return repository


def rows(repository: Repository, cluster: str) -> dict[str, Requests]:
    """Return the rows of the page for a cluster, by name."""
    page = (repository.path / "docs/sizing.md").read_text()
    section = page.split(f"\n## {cluster}\n")[1].split("\n## ")[0]
    found = {}
    for line in section.replace("**", "").splitlines():
        if amounts := AMOUNTS.search(line):
            found[line.split("|")[1].strip()] = Requests(*map(int, amounts.groups()))
    return found


def nodes(repository: Repository, cluster: str) -> dict[str, list[str]]:
    """Return what nodes have left according to the page, by node size: on both, and on one."""
    page = (repository.path / "docs/sizing.md").read_text()
    section = page.split(f"\n## {cluster}\n")[1].split("\n## ")[0]
    lines = section.split("| --- | --- | --- | --- |\n")[2].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line]
    return {name: left for name, _, *left in cells}


def test_the_page_lists_what_each_add_on_requests_where_it_is_installed(sized: Repository) -> None:
    built: dict[str, dict[str, Requests]] = {cluster["name"]: {} for cluster in sized.clusters}
    for application in applications(sized).values():
        name, of_cluster = application.spec["project"], built.get(application.cluster, {})
        if name in addons():
            of_cluster[name] = of_cluster.get(name, Requests()) + requested(objects(sized, application))
    for cluster, of_cluster in built.items():
        listed = {name: amounts for name, amounts in rows(sized, cluster).items() if name in addons()}
        assert listed == {name: amounts for name, amounts in of_cluster.items() if amounts.pods}


def test_every_add_on_is_installed_by_one_of_the_examples() -> None:
    chosen = {name for example in RENDERED for name in scenarios()[example].get("addons", [])}
    assert chosen | {"external-dns", "policies", "traefik"} == addons().keys()


def test_argo_cd_requests_what_the_page_lists(repositories: Any) -> None:
    minimal, stages = repositories("minimal"), repositories("stages")
    manifests = engines.kustomize_build(minimal.path / "bootstrap/argocd", engines.argocd_manifests())
    assert rows(minimal, "main")["Argo CD"] == requested(manifests)
    assert {cluster["name"] for cluster in stages.clusters if "Argo CD" in rows(stages, cluster["name"])} == {"prod"}


def test_a_cluster_brings_what_the_platform_needs_and_does_not_install(sized: Repository) -> None:
    for cluster in sized.clusters:
        listed = rows(sized, cluster["name"])
        assert len({"metrics-server", "metrics-server of the cluster"} & listed.keys()) == 1
        is_needed = cluster["load_balancer"] == "aws-load-balancer-controller"
        controllers = {"aws-load-balancer-controller", "aws-load-balancer-controller of the cluster"} & listed.keys()
        assert len(controllers) == is_needed


def test_the_page_adds_up(sized: Repository) -> None:
    for cluster in sized.clusters:
        listed = rows(sized, cluster["name"])
        is_auto = cluster["load_balancer"] == "eks-auto-mode"
        (each_node,) = [amounts for name, amounts in listed.items() if "every node" in name] or [Requests()]
        assert is_auto == (not each_node.pods) == ("coredns" not in listed)
        total = listed.pop("once per cluster")
        assert sum((amounts for name, amounts in listed.items() if "every node" not in name), Requests()) == total
        for name, (on_both, on_one) in nodes(sized, cluster["name"]).items():
            for count, text in ((2, on_both), (1, on_one)):
                used = total + each_node.times(count)
                left = size(name).times(count) + used.times(-1)
                lacks = [word for word, amount in zip(("CPU", "memory", "pods"), left, strict=True) if amount < 0]
                enough = f"{left.cpu}m, {left.memory}Mi, {left.pods}"
                assert text == (f"too small: {', '.join(lacks)}" if lacks else enough)


def test_nodes_offer_what_the_kubelet_leaves() -> None:
    """AL2023 reserves a part of the memory, after the hypervisor and the kernel took 7.5 %."""
    for entry in table()["sizes"]:
        assert entry["cpu"] in (2000 - 60 - 10, 4000 - 60 - 10 - 5 - 5)
        limit = size("t3.small").pods if entry["name"].startswith("t3.small ") else entry["pods"]
        assert entry["memory"] == entry["gib"] * 1024 * 925 // 1000 - (255 + 11 * limit) - 100
