"""The stand-in for Traefik's chart renders the same objects as the real chart, if that is available."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import argocd, engines
from tests.support.cluster.charts import platform_charts
from tests.support.cluster.stand_ins import STAND_INS, TRAEFIK
from tests.support.cluster.stand_ins import stand_in as make_stand_in
from tests.support.repository import Document, Repository, examples, render

# Values that the seeded files and the docs suggest, that other tests change, or that are forbidden.
OVERRIDES: dict[str, Any] = {
    "more pods": {"autoscaling": {"minReplicas": 3, "maxReplicas": 6}},
    "a fixed number of pods": {
        "autoscaling": {"enabled": False, "maxReplicas": None},
        "deployment": {"replicas": 4},
    },
    "a quick rollout": {
        "deployment": {
            "minReadySeconds": 0,
            "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
            "terminationGracePeriodSeconds": 5,
        },
        "ports": {"websecure": {"transport": {"lifeCycle": {"graceTimeOut": "1s"}}}},
    },
    "other limits": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"cpu": None, "memory": "512Mi"}}},
    "another load balancer": {
        "service": {
            "annotations": {"example.com/added": "true"},
            "spec": {"loadBalancerClass": None, "loadBalancerSourceRanges": ["203.0.113.0/24"]},
        },
    },
    "other limits of requests": {
        "ports": {
            "websecure": {
                "transport": {"respondingTimeouts": {"readTimeout": "1h", "writeTimeout": None, "idleTimeout": 300}}
            }
        },
        "additionalArguments": ["--serversTransport.forwardingTimeouts.responseHeaderTimeout=60s"],
    },
    "encoded slashes": {"ports": {"websecure": {"http": {"encodedCharacters": {"allowEncodedSlash": True}}}}},
    "other logs": {"log": {"level": "DEBUG"}, "accessLog": {"fields": {"queryParameters": {"defaultMode": None}}}},
    "a capability": {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
    "what the values forbid": {
        "api": {"dashboard": True},
        "global": {"checkNewVersion": True, "sendAnonymousUsage": True},
        "providers": {
            "kubernetesCRD": {
                "allowCrossNamespace": True,
                "allowExternalNameServices": True,
                "allowEmptyServices": False,
                "crossProviderNamespaces": ["traefik", "observability"],
                "defaultTLSResourcesNamespace": "",
                "safeNaming": False,
            }
        },
        "ports": {"websecure": {"asDefault": False, "http": {"tls": {"enabled": True}}}},
    },
}


@pytest.fixture(scope="session")
def example(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example with two clusters, behind load balancers of two kinds."""
    answers = examples()["stages"]
    return Repository("stages", render(template, answers, tmp_path_factory.mktemp("stages") / "repository"), answers)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_stand_in("traefik", tmp_path_factory.mktemp("stand-in"))


@pytest.fixture(scope="session")
def real() -> Path:
    """Return Traefik's own chart; skip the test if it is unavailable."""
    (traefik,) = [chart for chart in platform_charts() if chart.name == "traefik"]
    folder = engines.chart(traefik.name, traefik.version)
    if folder is None:
        pytest.skip(f"chart {traefik.name} {traefik.version} cannot be had: no network, and no folder in TRAEFIK_CHART")
    return folder


def charts_of(repository: Repository) -> list[Document]:
    """Return the Applications that install a chart."""
    manifests = [application.manifest for application in argocd.applications(repository).values()]
    return [manifest for manifest in manifests if "chart" in manifest["spec"].get("sources", [{}])[0]]


def installations(repository: Repository) -> list[Document]:
    """Return the Applications that install Traefik."""
    applications = charts_of(repository)
    return [found for found in applications if found["spec"]["sources"][0]["chart"] == "traefik"]


def kubernetes_version(repository: Repository, application: Document) -> str:
    (cluster,) = [c for c in repository.clusters if c["name"] == application["spec"]["destination"]["name"]]
    return str(cluster["kubernetes_version"])


def manifests_of(chart: Path, repository: Repository, application: Document, *more: Path) -> list[Document]:
    """Return what an Application renders from a chart, with additional values files."""
    source = application["spec"]["sources"][0]
    return engines.helm_template(
        chart,
        [*(repository.path / file.removeprefix("$values/") for file in source["helm"]["valueFiles"]), *more],
        kube_version=kubernetes_version(repository, application),
        name=source["helm"]["releaseName"],
        namespace=application["spec"]["destination"]["namespace"],
    )


def by_name(documents: list[Document]) -> dict[tuple[str, str], Document]:
    """Return the documents by kind and name, without the custom resources of Traefik Hub, which is not used."""
    compared = [document for document in documents if document.get("spec", {}).get("group") != "hub.traefik.io"]
    named = {(document["kind"], document["metadata"]["name"]): document for document in compared}
    assert len(named) == len(compared)
    return named


def overrides(folder: Path, name: str) -> Path:
    file = folder / "more.yaml"
    file.write_text(yaml.safe_dump(OVERRIDES[name]))
    return file


def test_the_stand_in_renders_what_the_chart_renders(repository: Repository, stand_in: Path, real: Path) -> None:
    for application in installations(repository):
        expected = by_name(manifests_of(real, repository, application))
        assert by_name(manifests_of(stand_in, repository, application)) == expected


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_stand_in_heeds_overrides_as_the_chart_does(
    example: Repository, stand_in: Path, real: Path, tmp_path: Path, name: str
) -> None:
    file = overrides(tmp_path, name)
    application = installations(example)[0]
    expected = by_name(manifests_of(real, example, application, file))
    assert expected != by_name(manifests_of(stand_in, example, application))
    assert by_name(manifests_of(stand_in, example, application, file)) == expected


# Keywords that do not affect which values are valid.
WORDS = {"$id", "default", "description", "examples", "title"}


def cut(schema: Document, pattern: Document) -> Document:
    """Return a JSON schema with only the properties of another one, without descriptions."""
    result = {keyword: value for keyword, value in schema.items() if keyword not in WORDS}
    if "properties" in schema:
        names = pattern.get("properties", {})
        result["properties"] = {name: cut(schema["properties"][name], names[name]) for name in names}
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = cut(schema["additionalProperties"], pattern["additionalProperties"])
    return result


def test_the_schema_of_the_stand_in_is_cut_from_the_schema_of_the_chart() -> None:
    (traefik,) = [chart for chart in platform_charts() if chart.name == "traefik"]
    schema = engines.values_schema(traefik.name, traefik.version)
    if schema is None:
        pytest.skip("the schema of Traefik's chart cannot be had: no network, and no folder in GITOPS_TEMPLATE_DATA")
    stand_in_schema = json.loads((STAND_INS / "traefik/values.schema.json").read_text())
    assert cut(schema, stand_in_schema) == stand_in_schema


def test_the_stand_in_is_of_the_version_that_the_platform_installs(example: Repository) -> None:
    version = yaml.safe_load((STAND_INS / "traefik/Chart.yaml").read_text())["version"]
    assert {application["spec"]["sources"][0]["targetRevision"] for application in installations(example)} == {version}


def test_the_stand_in_runs_the_traefik_that_the_tests_pin() -> None:
    assert engines.go_module(TRAEFIK, yaml.safe_load((STAND_INS / "traefik/Chart.yaml").read_text())["appVersion"])
