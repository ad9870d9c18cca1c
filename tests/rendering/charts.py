"""The charts of the platform, rendered as Argo CD would render them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import engines
from tests.conftest import Document, Repository

_rendered: dict[tuple[Path, str], list[Document]] = {}


def rendered_charts(repository: Repository, application: Document) -> list[Document]:
    """What one platform Application renders, with the values files in its own order; rendered once.

    Skips the test where the chart cannot be had: Traefik's comes from the network or from a folder.
    """
    key = (repository.path, application["metadata"]["name"])
    if key not in _rendered:
        source = application["spec"]["sources"][0]
        chart = engines.chart(source["chart"], source["targetRevision"])
        if chart is None:
            wanted = f"{source['chart']} {source['targetRevision']}"
            pytest.skip(f"chart {wanted} cannot be had: no network, and no folder in TRAEFIK_CHART")
        _rendered[key] = render_chart(repository, application, chart)
    return _rendered[key]


def render_chart(repository: Repository, application: Document, chart: Path) -> list[Document]:
    """What one platform Application renders of the chart in a folder, with the values files in its own order."""
    source, destination = application["spec"]["sources"][0], application["spec"]["destination"]
    (version,) = [c["kubernetes_version"] for c in repository.clusters if c["name"] == destination["name"]]
    return engines.helm_template(
        chart,
        [repository.path / file.removeprefix("$values/") for file in source["helm"]["valueFiles"]],
        kube_version=version,
        name=source["helm"]["releaseName"],
        namespace=destination["namespace"],
    )
