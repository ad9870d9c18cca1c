"""The table of Kustomize's fields has every field that Kustomize has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitops.kustomizefields import KUSTOMIZATION, PLUGINS
from gitops.tools import offline_environment
from tests.support import engines
from tests.support.kustomizefields import IN_PLUGINS

MODULE = engines.go_module("sigs.k8s.io/kustomize/kustomize/v5", pinned_in=".")


def json_names(text: str, struct: str) -> set[str]:
    """Return the names of the fields of a Go struct."""
    (body,) = re.findall(rf"^type {struct} struct {{$(.*?)^}}", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'json:"(\w+)[,"]', body))


def test_the_table_has_every_field_and_every_builtin_of_kustomize() -> None:
    version = re.findall(r"sigs\.k8s\.io/kustomize/api (v\S+)", (MODULE / "go.mod").read_text())[0]
    api = MODULE.parents[1] / f"api@{version}"
    types = {file.stem: file.read_text() for file in (api / "types").glob("*.go")}
    assert json_names(types["kustomization"], "Kustomization") == KUSTOMIZATION.keys() - {"apiVersion", "kind"}
    generator = json_names(types["generatorargs"], "GeneratorArgs") | json_names(
        types["kvpairsources"], "KvPairSources"
    )
    for kind, own in {"ConfigMapGenerator": set(), "SecretGenerator": {"type"}}.items():
        assert PLUGINS[kind].keys() == generator | own | {"apiVersion", "kind", "metadata"}
    objects = {"apiVersion", "kind", "metadata"}
    assert PLUGINS["PatchTransformer"].keys() - objects == json_names(types["patch"], "Patch")
    for builtin in (api / "internal/builtins").glob("*er.go"):
        text = builtin.read_text()
        if builtin.stem == "HelmChartInflationGenerator":
            continue
        own = json_names(text, f"{builtin.stem}Plugin") if "struct {" in text else set()
        assert own - {"metadata"} <= PLUGINS[builtin.stem].keys(), builtin.stem
        # Every field that loads a file is listed as a path.
        assert (".Load(" in text or "loadFromPaths(" in text) <= any(kind == builtin.stem for kind, *_ in IN_PLUGINS)


def test_tools_find_no_other_program_no_proxy_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "secret")
    environment = offline_environment()
    assert "secret" not in environment.values()
    assert not Path(environment["PATH"]).is_dir()
    assert environment["GIT_ALLOW_PROTOCOL"] == "none"
