"""The stand-ins for charts of optional add-ons render the same objects as the real ones, if these are available."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import argocd, engines
from tests.support.cluster.charts import helm_repositories, platform_charts
from tests.support.cluster.stand_ins import STAND_INS, chart_file, stand_in
from tests.support.repository import Document, Repository, examples, render

NAMES = ["aws-load-balancer-controller", "external-secrets"]
# Each rendering generates another certificate.
NEW = {"ca.crt", "caBundle", "tls.crt", "tls.key"}
# Lists whose order has no meaning.
UNORDERED = {"ports", "resources", "rules", "verbs"}


@pytest.fixture(scope="module")
def every_addon(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example with every add-on."""
    answers = examples()["addons"]
    return Repository("addons", render(template, answers, tmp_path_factory.mktemp("addons") / "repository"), answers)


def charts_of(repository: Repository) -> list[Document]:
    """Return the Applications that install a chart."""
    manifests = [application.manifest for application in argocd.applications(repository).values()]
    return [manifest for manifest in manifests if "chart" in manifest["spec"].get("sources", [{}])[0]]


def rendered(chart: Path, repository: Repository, name: str) -> dict[tuple[str, str], Document]:
    """Return what a chart renders from the values of the example, without custom resource definitions."""
    (application,) = [found for found in charts_of(repository) if found["spec"]["sources"][0]["chart"] == name]
    helm, destination = application["spec"]["sources"][0]["helm"], application["spec"]["destination"]
    values = [repository.path / file.removeprefix("$values/") for file in helm["valueFiles"]]
    version = str(repository.clusters[0].get("kubernetes_version", "1.36"))
    documents = engines.helm_template(chart, values, version, helm["releaseName"], destination["namespace"])
    return {
        (document["kind"], document["metadata"]["name"]): document
        for document in documents
        if document["kind"] != "CustomResourceDefinition"
    }


def comparable(value: Any, key: str = "") -> Any:
    """Return a document without certificates, its unordered lists sorted."""
    if isinstance(value, dict):
        return {name: "new" if name in NEW else comparable(part, name) for name, part in value.items()}
    if isinstance(value, list):
        parts = [comparable(part) for part in value]
        return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True)) if key in UNORDERED else parts
    return value


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_renders_what_the_chart_renders(every_addon: Repository, tmp_path: Path, name: str) -> None:
    (pinned,) = [chart.version for chart in platform_charts() if chart.name == name]
    real = engines.chart(name, pinned)
    if real is None:
        pytest.skip(f"chart {name} {pinned} cannot be had: no network, and no folder in {engines.chart_variable(name)}")
    expected = comparable(rendered(real, every_addon, name))
    assert comparable(rendered(stand_in(name, tmp_path), every_addon, name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_is_of_the_version_that_the_platform_installs(name: str) -> None:
    (pinned,) = [chart.version for chart in platform_charts() if chart.name == name]
    assert chart_file(STAND_INS / name)["version"] == pinned


def test_each_rendering_of_the_load_balancer_controller_has_another_certificate(
    every_addon: Repository, tmp_path: Path
) -> None:
    name = "aws-load-balancer-controller"
    chart = stand_in(name, tmp_path)
    first, second = (rendered(chart, every_addon, name) for _ in range(2))
    differing = {kind for kind, name in first if first[kind, name] != second[kind, name]}
    assert differing == {"MutatingWebhookConfiguration", "Secret", "ValidatingWebhookConfiguration"}


def test_values_leave_out_definitions_that_the_operator_can_do_without(every_addon: Repository, tmp_path: Path) -> None:
    chart = stand_in("external-secrets", tmp_path)
    values = every_addon.path / "apps/platform/external-secrets/values.yaml"
    documents = engines.helm_template(chart, [values], "1.36", "external-secrets", "external-secrets")
    kinds = {d["spec"]["names"]["kind"] for d in documents if d["kind"] == "CustomResourceDefinition"}
    assert {"ClusterSecretStore", "ExternalSecret", "SecretStore"} <= kinds
    assert not kinds & {"ClusterExternalSecret", "ClusterPushSecret", "PushSecret"}


def test_every_chart_of_the_platform_is_in_the_repository_that_it_names(
    every_addon: Repository, tmp_path: Path
) -> None:
    repositories = helm_repositories(tmp_path)
    sources = [application["spec"]["sources"][0] for application in charts_of(every_addon)]
    assert set(repositories) == {source["repoURL"].rstrip("/") for source in sources}
    for source in sources:
        url = source["repoURL"].rstrip("/")
        name, version = source["chart"], source["targetRevision"]
        index = yaml.safe_load((repositories[url] / "index.yaml").read_text())
        (entry,) = index["entries"][name]
        assert (entry["version"], entry["urls"]) == (version, [f"{url}/{name}-{version}.tgz"])
        assert (repositories[url] / f"{name}-{version}.tgz").is_file()
