"""The charts of the platform, as chart repositories for an Argo CD that reaches no others."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from tests import engines

PLATFORM = engines.ROOT / "template/argo/applicationsets/platform.yaml.jinja"
STAND_IN = Path(__file__).parent / "stand_in_charts/traefik"
TRAEFIK = "github.com/traefik/traefik/v3"


class PlatformChart(NamedTuple):
    """A chart that the platform's ApplicationSet names."""

    name: str
    repository: str
    version: str


def platform_charts() -> list[PlatformChart]:
    """The charts that the platform installs, read where their versions stand."""
    element = re.compile(r"^ +- addon: (\S+)\n +repoURL: (\S+?)/?\n +version: (\S+)\n", re.MULTILINE)
    return [PlatformChart(*found) for found in element.findall(PLATFORM.read_text())]


def traefik_stand_in(folder: Path) -> Path:
    """Make the chart that stands in for Traefik's, with the custom resources of the pinned Traefik, below a folder."""
    chart = shutil.copytree(STAND_IN, folder / "traefik")
    (chart / "crds").mkdir()
    definitions = engines.go_module(TRAEFIK) / engines.CRDS[TRAEFIK]
    for definition in yaml.load_all(definitions.read_text(), yaml.CSafeLoader):
        if definition:
            (chart / f"crds/{definition['metadata']['name']}.yaml").write_text(yaml.safe_dump(definition))
    return chart


def helm_repositories(folder: Path) -> dict[str, Path]:
    """Make a static chart repository for each that the platform names: by its URL, without a final slash.

    Traefik's chart is the real one where it can be had, else its stand-in.
    """
    repositories = {}
    for chart in platform_charts():
        repository = folder / chart.name
        repository.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as temporary:
            source = engines.chart(chart.name, chart.version) or traefik_stand_in(Path(temporary))
            engines.helm_package(source, repository, chart.repository)
        repositories[chart.repository] = repository
    return repositories
