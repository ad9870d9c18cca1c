"""The scripts choose the tool of a folder, its manifests and its YAML types like Argo CD.

Each row was tried on Argo CD's own code. tests/scripts/test_argocd_builds.py compares generated trees with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import directories
from gitops.goyaml import Loader
from gitops.sources import SourceType, type_of
from gitops.tools import GitOpsError

KUSTOMIZE, HELM, DIRECTORY = SourceType.KUSTOMIZE, SourceType.HELM, SourceType.DIRECTORY
TYPES: dict[str, tuple[dict[str, Any], list[str], SourceType]] = {
    "nothing": ({}, [], DIRECTORY),
    "manifests": ({}, ["a.yaml", "sub/kustomization.yaml", "sub/Chart.yaml"], DIRECTORY),
    "a kustomization": ({}, ["kustomization.yml"], KUSTOMIZE),
    "a chart": ({}, ["Chart.yaml"], HELM),
    "a chart and a kustomization": ({}, ["Chart.yaml", "kustomization.yaml"], KUSTOMIZE),
    "a chart and a kustomization in upper case": ({}, ["Chart.yaml", "Kustomization"], KUSTOMIZE),
    "a name that ends like a chart's": ({}, ["kustomization.yaml", "myChart.yaml"], HELM),
    "another case": ({}, ["chart.yaml", "Kustomization.yaml"], DIRECTORY),
    "a chart, said to be a kustomization": ({"kustomize": {"namespace": "a"}}, ["Chart.yaml"], KUSTOMIZE),
    "a chart, said to be manifests": ({"directory": {"recurse": True}}, ["Chart.yaml"], DIRECTORY),
    "a kustomization, said to be a chart": ({"helm": {"skipCrds": True}}, ["kustomization.yaml"], HELM),
    "nothing said": ({"kustomize": {}, "directory": {"recurse": False}}, ["Chart.yaml"], HELM),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder, and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", TYPES)
def test_what_a_source_says_decides_then_what_the_folder_has(name: str, tmp_path: Path) -> None:
    source, files, expected = TYPES[name]
    assert type_of(source, write(tmp_path, dict.fromkeys(files, ""))) is expected


def manifest(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


def test_manifests_are_those_with_a_suffix_and_hidden_ones_too(tmp_path: Path) -> None:
    files = {
        **{name: manifest(name.strip(".").split(".")[0]) for name in ("a.yaml", "b.yml", ".hidden.yaml")},
        **{name: manifest("other") for name in ("c.YAML", "d.yaml.bak", "e.txt", "sub/f.yaml")},
        "g.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "g"}, "data": {"x": 1.0}}',
        "values.yaml": "kind: {a: b}\nreplicas: 3\n",
        "skipped.yaml": f"# +argocd:skip-file-rendering\n{manifest('skipped')}",
        "empty.yaml": "# nothing\n---\n",
        "list.yaml": '{"apiVersion": "v1", "kind": "Widgets", "items": [{"apiVersion": "v1", "kind": "A", '
        '"metadata": {"name": "item"}}]}',
        "none.yaml": "apiVersion: v1\nkind: ConfigMapList\nitems: null\n",
        "run.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n",
    }
    names = [item["metadata"]["name"] for item in directories.read(write(tmp_path, files), recurse=False)]
    assert names == ["hidden", "a", "b", "g", "item", "run-"]
    assert "other" in [item["metadata"]["name"] for item in directories.read(tmp_path, recurse=True)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", f"{manifest('a')}---\nx: 1\n"),
        ("a.yaml", "apiVersion: v1\nkind: [\nmetadata: {}\n"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
        ("a.json", '{"some": "settings"}'),
        ("a.json", "{} {}"),
        ("a.json", "[]"),
        ("a.jsonnet", "{}"),
    ],
)
def test_what_seems_to_be_a_manifest_and_is_none_is_refused(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(GitOpsError, match=r"a\.(json|yaml)"):
        directories.read(write(tmp_path, {name: text}), recurse=False)


SCALARS: dict[str, Any] = {
    **{"y": True, "N": False, "off": False, "Yes": True, "~": None, "null": None, "": None, "yess": "yess"},
    **{
        "1": 1,
        "1.0": 1,
        "1.10": 1.1,
        "1e3": 1000,
        ".5": 0.5,
        "-.5e-1": -0.05,
        "+1": 1,
        "1_000": 1000,
        "1.2.3": "1.2.3",
    },
    **{"0x1F": 31, "017": 15, "0o17": 15, "08": 8, "-0b11": -3, "18446744073709551616": 2.0**64, "1e30": 1e30},
    **{"12:30": "12:30", "2024-01-31": "2024-01-31", "2024-99-99": "2024-99-99", "=": "=", "<<": "<<", "'1'": "1"},
}


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_is_what_it_is_to_go(text: str) -> None:
    value = yaml.load(f"x: {text}", Loader)["x"]
    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


def test_a_key_is_text() -> None:
    text = "{1: a, yes: b, 1.5: c, 'y': d}"
    assert yaml.load(text, Loader) == {"1": "a", "true": "b", "1.5": "c", "y": "d"}
    assert yaml.load("{a: &x {b: 1}, c: {<<: *x, d: 2}}", Loader)["c"] == {"b": 1, "d": 2}
