"""The charts of the platform, as chart repositories for an Argo CD that reaches no others."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support import engines
from tests.support.cluster import layout

PLATFORM = engines.ROOT / "template" / layout.PLATFORM
STAND_IN = engines.ROOT / "tests/cluster/stand_in_charts/traefik"
TRAEFIK = "github.com/traefik/traefik/v3"
CRDS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"


class PlatformChart(NamedTuple):
    """A chart that an add-on of the platform installs."""

    name: str
    repository: str
    version: str


DOCUMENTED = PlatformChart("metrics-server", "https://kubernetes-sigs.github.io/metrics-server", "3.13.1")


def platform_charts() -> list[PlatformChart]:
    """The charts that the platform installs, read where their versions stand."""
    addons = [yaml.safe_load(file.read_text()) for file in sorted(PLATFORM.glob("*/addon.yaml"))]
    return [PlatformChart(addon["chart"], addon["repository"].rstrip("/"), addon["version"]) for addon in addons]


def traefik_stand_in(folder: Path) -> Path:
    """Make the chart that stands in for Traefik's, with the custom resources of the pinned Traefik, below a folder."""
    chart = shutil.copytree(STAND_IN, folder / "traefik")
    (chart / "crds").mkdir()
    definitions = engines.go_module(TRAEFIK) / CRDS
    for definition in yaml.load_all(definitions.read_text(), yaml.CSafeLoader):
        if definition:
            (chart / f"crds/{definition['metadata']['name']}.yaml").write_text(yaml.safe_dump(definition))
    return chart


def definitions() -> list[dict[str, Any]]:
    """Return the custom resource definitions that the charts of the platform bring."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for chart in platform_charts():
            source = engines.chart(chart.name, chart.version) or traefik_stand_in(Path(temporary))
            for file in sorted((source / "crds").rglob("*.yaml")):
                found += [item for item in yaml.load_all(file.read_text(), yaml.CSafeLoader) if item]
    return found


def helm_repositories(folder: Path) -> dict[str, Path]:
    """Make a static chart repository for each that the platform names: by its URL, without a final slash.

    Traefik's chart is the real one where it can be had, else its stand-in.
    """
    repositories: dict[str, Path] = {}
    for chart in platform_charts():
        with tempfile.TemporaryDirectory() as temporary:
            source = engines.chart(chart.name, chart.version) or traefik_stand_in(Path(temporary))
            repositories |= _repository(chart, source, folder)
    return repositories


def documented_repository(folder: Path) -> dict[str, Path]:
    """Make a static chart repository for the add-on that docs/operations.md adds by hand."""
    module = engines.go_module("sigs.k8s.io/metrics-server", pinned_in="kubernetes")
    return _repository(DOCUMENTED, module / "charts/metrics-server", folder)


def _repository(chart: PlatformChart, source: Path, folder: Path) -> dict[str, Path]:
    repository = folder / chart.name
    repository.mkdir(parents=True)
    engines.helm_package(source, repository, chart.repository)
    return {chart.repository: repository}
