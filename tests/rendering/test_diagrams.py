"""The diagrams of the rendered docs: a person can read them, and Mermaid can draw them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import engines
from tests.support.renovate import node
from tests.support.repository import ROOT, Repository, examples, render

PAGES = ("README.md", "docs/inventory.md", "docs/gitops-runtime-architecture.md")
MOST_ARROWS, MOST_NAMES = 30, 12
MODULES = engines.CACHE / "npm/node_modules"
Answers = dict[str, Any]


def diagrams(path: Path) -> dict[str, list[str]]:
    """Return the diagrams of a rendered repository by page."""
    return {
        page: re.findall(r"^```mermaid\n(.*?)^```$", (path / page).read_text(), re.MULTILINE | re.DOTALL)
        for page in PAGES
    }


def answers(clusters: list[str], environments: dict[str, str], workloads: list[str]) -> Answers:
    """Return the smallest example with these clusters, environments (each with its cluster) and workloads."""
    minimal = examples()["minimal"]
    return minimal | {
        "clusters": clusters,
        "argocd_cluster": clusters[-1],
        "environments": [{"name": name, "cluster": cluster} for name, cluster in environments.items()],
        "workloads": [minimal["workloads"][0] | {"name": name} for name in workloads],
    }


@pytest.fixture(scope="module")
def crowd(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with one cluster, environment and host too many to draw."""
    clusters = [f"cluster-{n}" for n in range(6)]
    environments = {f"environment-{n}": f"cluster-{n % 6}" for n in range(7)}
    small = answers(clusters, environments, ["one", "two"])
    return render(template, small, tmp_path_factory.mktemp("crowd") / "repository")


def test_a_diagram_has_no_more_parts_than_a_person_reads(repository: Repository) -> None:
    for page, drawn in diagrams(repository.path).items():
        for diagram in drawn:
            assert diagram.count("-->") <= MOST_ARROWS, f"{page}:\n{diagram}"
            assert diagram.count('(["') <= MOST_NAMES, f"{page}:\n{diagram}"


def test_labels_are_never_broken_at_a_hyphen(repository: Repository) -> None:
    """Mermaid breaks lines at 200 pixels, and at hyphens first."""
    for page, drawn in diagrams(repository.path).items():
        for diagram in drawn:
            assert '"wrappingWidth": 600' in diagram.splitlines()[0], page


def test_one_place_stands_for_all_where_there_are_many(crowd: Path) -> None:
    drawn = diagrams(crowd)
    for page in ("README.md", "docs/gitops-runtime-architecture.md"):
        assert drawn[page][0].count("subgraph") == 1 and "each of the 6 clusters" in drawn[page][0]
    assert "cluster-5" in drawn["README.md"][0], "where Argo CD runs"


def test_a_table_lists_the_hosts_where_there_are_many(crowd: Path) -> None:
    assert diagrams(crowd)["docs/inventory.md"] == []
    _, _, section = (crowd / "docs/inventory.md").read_text().partition("\n## Hosts\n")
    rows = re.findall(r"^\| <https://(\S+)> \| (\S+) \| `(\S+)` \| `(\S+)` \|$", section, re.MULTILINE)
    assert len(rows) == 14
    assert ("two.environment-6.example.com", "two", "two-environment-6", "cluster-0") in rows


@pytest.mark.proof
def test_mermaid_draws_every_diagram(
    template: Path, routed: Repository, crowd: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Includes names that are keywords of Mermaid, and more workloads than it could draw."""
    odd = answers(["end", "x--y", "default"], {"end": "end", "o--x": "x--y", "subgraph": "default"}, ["end", "graph"])
    paths = [{"host": "www"}, {"host": "www", "path": "/end/1.x-_~!&'*+,;=:@y"}, {"host": "@", "path": "/--"}]
    odd["workloads"][0]["routes"] = [route | {"component": "end"} for route in paths]
    large = answers(
        ["a", "b", "c"],
        {"dev": "a", "qa": "a", "staging": "b", "preprod": "b", "prod": "c"},
        [f"workload-{n}" for n in range(83)],
    )
    repositories = request.getfixturevalue("repositories")
    rendered = [repositories(name).path for name in examples()] + [routed.path, crowd]
    rendered += [render(template, given, tmp_path / name) for name, given in {"odd": odd, "large": large}.items()]
    everything = [diagram for path in rendered for page in diagrams(path).values() for diagram in page]
    assert len(everything) > 3 * len(examples())
    script = ROOT / "tests/support/mermaid.mjs"
    assert json.loads(node(script, MODULES, folder=tmp_path, stdin=json.dumps(everything))) == []
    unreadable = ["flowchart LR\n" + "".join(f"  a{n} --> b\n" for n in range(501)), 'flowchart LR\n  a["x] --> b\n']
    assert len(json.loads(node(script, MODULES, folder=tmp_path, stdin=json.dumps(unreadable)))) == 2
