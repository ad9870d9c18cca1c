"""Values without an effect: if the schema does not decide, the chart is rendered without them and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops import builds, chartvalues, downloads
from gitops.applications import Application
from gitops.tree import Tree

URL = "https://github.com/acme/platform.git"
TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: any
  annotations: {{- toYaml .Values.annotations | nindent 4 }}
data:
  listed: {{ .Values.feature.listed | quote }}
  result: {{ .Values.feature.unlisted | default "none" | quote }}
  passed: {{- toYaml .Values.passed | nindent 4 }}
"""
# Nothing renders the labels: their object is disabled.
DEFAULTS = "annotations: {}\nlabels: {}\nfeature: {listed: a}\npassed: {b: c}\n"
SCHEMA = {
    "type": "object",
    "properties": {
        "feature": {"type": "object", "properties": {"listed": {"type": "string"}}},
        "passed": {"type": "object", "properties": {"b": {"type": "string"}}},
    },
}


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve a chart with an open schema instead of every downloaded chart."""
    folder = tmp_path / "charts/any"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: any, version: 1.0.0}")
    (folder / "values.yaml").write_text(DEFAULTS)
    (folder / "values.schema.json").write_text(json.dumps(SCHEMA))
    (folder / "templates/any.yaml").write_text(TEMPLATE)
    monkeypatch.setattr(downloads, "chart", lambda *_: folder)
    return folder


def unread(values: dict[str, Any], folder: Path) -> list[str]:
    """Return the problems of a values file."""
    root: dict[str, Any] = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "root"}}
    root["spec"] = {"source": {"repoURL": URL, "path": "argo"}}
    for name, content in {"argo/root.yaml": root, "values.yaml": values}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    tree = Tree(folder, "working tree")
    helm = {"valueFiles": ["$values/values.yaml"]}
    source = {"repoURL": "https://example.com", "chart": "any", "targetRevision": "1.0.0", "helm": helm}
    destination = {"name": "main", "namespace": "any"}
    spec = {"project": "any", "sources": [source, {"repoURL": URL, "ref": "values"}], "destination": destination}
    application = Application({"metadata": {"name": "any"}, "spec": spec}, is_kept=False)
    return list(chartvalues.unread_values(tree, application, source, builds.build(tree, application)))


@pytest.mark.parametrize(
    "values",
    [
        {"feature": {"listed": "b"}},
        {"feature": {"unlisted": "b"}},
        {"passed": {"added": {"deeper": "b"}}},
        {"annotations": {"example.com/added": "b"}},
        {"labels": {"example.com/added": "b"}},
    ],
    ids=["listed", "read by a template", "passed on", "free form", "free form of what is off"],
)
def test_values_that_a_chart_reads_are_no_problem(chart: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    assert unread(values, tmp_path / "repository") == []


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"feature": {"unlistd": "b"}}, "feature.unlistd"),
        ({"featrue": {"listed": "b"}}, "featrue"),
    ],
)
def test_a_key_that_changes_nothing_is_named(chart: Path, tmp_path: Path, values: dict[str, Any], key: str) -> None:
    problem = f"values.yaml: {key} has no effect: chart any 1.0.0 does not read it"
    assert unread(values, tmp_path / "repository") == [problem]


def test_a_chart_without_a_schema_is_checked_by_its_own_values(chart: Path, tmp_path: Path) -> None:
    (chart / "values.schema.json").unlink()
    values = {"feature": {"listed": "b", "unlisted": "b", "unlistd": "b"}}
    (problem,) = unread(values, tmp_path / "repository")
    assert problem.startswith("values.yaml: feature.unlistd has no effect")


def test_a_key_that_a_chart_requires_is_read(chart: Path, tmp_path: Path) -> None:
    line = '  by: {{ required "owner is required" .Values.owner | quote }}\n'
    (chart / "templates/any.yaml").write_text(f"{TEMPLATE}{line}")
    assert unread({"owner": "us"}, tmp_path / "repository") == []
