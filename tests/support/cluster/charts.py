"""Serve the charts of the platform as chart repositories."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support import engines
from tests.support.cluster import layout
from tests.support.cluster.stand_ins import stand_in

PLATFORM = engines.ROOT / "template" / layout.PLATFORM


class PlatformChart(NamedTuple):
    """A chart that an add-on of the platform installs."""

    name: str
    repository: str
    version: str


def platform_charts() -> list[PlatformChart]:
    """Return the charts that the platform installs, read from the files with their versions."""
    return [_chart_of(file.read_text()) for file in sorted(PLATFORM.glob("*/addon.yaml"))]


def documented_chart() -> PlatformChart:
    """Return the chart of the add-on that docs/operations.md adds by hand."""
    page = (engines.ROOT / "template/docs/operations.md.jinja").read_text()
    (described,) = re.findall(r"/addon\.yaml\" <<'END'\n(.*?)^END$", page, re.MULTILINE | re.DOTALL)
    return _chart_of(described)


def _chart_of(described: str) -> PlatformChart:
    addon = yaml.safe_load(described)
    return PlatformChart(addon["chart"], addon["repository"].rstrip("/"), addon["version"])


def chart_folder(chart: PlatformChart, into: Path) -> Path:
    """Return the folder of a chart: the real one if it is available, otherwise a stand-in created below a folder."""
    return engines.chart(chart.name, chart.version) or stand_in(chart.name, into)


def definitions() -> list[dict[str, Any]]:
    """Return the custom resource definitions of the charts that every cluster has."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for chart in platform_charts():
            if chart.name in layout.CHARTS:
                for file in sorted((chart_folder(chart, Path(temporary)) / "crds").rglob("*.yaml")):
                    found += [item for item in yaml.load_all(file.read_text(), yaml.CSafeLoader) if item]
    return found


def helm_repositories(folder: Path) -> dict[str, Path]:
    """Create a static copy of each chart repository of the platform: by its URL, without a trailing slash."""
    repositories: dict[str, Path] = {}
    for chart in platform_charts():
        with tempfile.TemporaryDirectory() as temporary:
            repositories |= _repository(chart, chart_folder(chart, Path(temporary)), folder)
    return repositories


def documented_repository(folder: Path) -> dict[str, Path]:
    """Create a static chart repository for the add-on that docs/operations.md adds by hand."""
    chart = documented_chart()
    source = engines.chart(chart.name, chart.version)
    assert source
    return _repository(chart, source, folder)


def _repository(chart: PlatformChart, source: Path, folder: Path) -> dict[str, Path]:
    repository = folder / chart.name
    repository.mkdir(parents=True, exist_ok=True)
    engines.helm_package(source, repository, chart.repository)
    return {chart.repository: repository}
