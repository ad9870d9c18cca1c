"""Create stand-ins for unavailable charts: our templates, with the real custom resource definitions."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml

from tests.support import engines

STAND_INS = engines.ROOT / "tests/cluster/stand_in_charts"
EXTERNAL_SECRETS, TRAEFIK = "github.com/external-secrets/external-secrets", "github.com/traefik/traefik/v3"
TRAEFIK_CRDS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
# The only kinds of External Secrets that its chart can omit one by one.
OPTIONAL_KIND = re.compile(r"Cluster\w+|PushSecret")


def stand_in(name: str, folder: Path) -> Path:
    """Create the stand-in of a chart, below a folder."""
    chart = shutil.copytree(STAND_INS / name, folder / name)
    for file, text in _definitions(name, str(chart_file(chart)["version"])).items():
        (chart / file).parent.mkdir(parents=True, exist_ok=True)
        (chart / file).write_text(text)
    return chart


def chart_file(chart: Path) -> dict[str, object]:
    """Return the content of the Chart.yaml of a chart."""
    return dict(yaml.safe_load((chart / "Chart.yaml").read_text()))


def _definitions(name: str, version: str) -> dict[str, str]:
    """Return the custom resource definitions of a chart as texts, by their files in it."""
    if name == "traefik":
        texts = _documents((engines.go_module(TRAEFIK) / TRAEFIK_CRDS).read_text())
        return {f"crds/{index}.yaml": text for index, text in enumerate(texts)}
    if name == "external-secrets":
        module = engines.go_module(EXTERNAL_SECRETS, pinned_in="external-secrets")
        file = engines.chart_data(name, version, "crds.yaml") or module / "deploy/crds/bundle.yaml"
        return {f"templates/crds/{i}.yaml": _on_demand(text) for i, text in enumerate(_documents(file.read_text()))}
    # Without its data, this chart has no definitions: no test needs an object of these kinds.
    files = [engines.chart_data(name, version, file) for file in ("crds.yaml", "gateway-crds.yaml")]
    return {f"crds/{file.name}": file.read_text() for file in files if file}


def _documents(text: str) -> list[str]:
    return [part for part in re.split(r"^---$", text, flags=re.MULTILINE) if "kind:" in part]


def _on_demand(definition: str) -> str:
    """Return a definition that the values can enable or disable, as in the chart of External Secrets."""
    (kind,) = re.findall(r"^    kind: (\w+)$", definition, re.MULTILINE)
    condition = (
        f"and .Values.installCRDs .Values.crds.create{kind}" if OPTIONAL_KIND.fullmatch(kind) else ".Values.installCRDs"
    )
    return f"{{{{- if {condition} }}}}\n{definition.strip()}\n{{{{- end }}}}\n"
