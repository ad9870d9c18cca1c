"""The stand-in for Traefik's chart: the same objects as from the real one, wherever that can be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import engines
from tests.cluster.charts import STAND_IN, TRAEFIK, helm_repositories, platform_charts, traefik_stand_in
from tests.conftest import Document, Repository, examples, pick, render
from tests.rendering.test_argo import platform_applications

# What a team may want of its Traefik, what the tests of a cluster change, and what the values forbid.
OVERRIDES: dict[str, Any] = {
    "more pods": {
        "autoscaling": {
            "minReplicas": 3,
            "maxReplicas": 6,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
        "podDisruptionBudget": {"maxUnavailable": None, "minAvailable": "50%"},
    },
    "a fixed number of pods": {
        "autoscaling": {"enabled": False, "maxReplicas": None},
        "deployment": {"replicas": 4, "revisionHistoryLimit": 0},
        "podDisruptionBudget": {"enabled": False},
        "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": "50%"}},
    },
    "a quick rollout": {
        "deployment": {
            "minReadySeconds": 0,
            "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
            "terminationGracePeriodSeconds": 5,
        },
        "ports": {"websecure": {"transport": {"lifeCycle": {"graceTimeOut": "1s"}}}},
        "readinessProbe": {"initialDelaySeconds": 0, "periodSeconds": 1},
        "livenessProbe": {"failureThreshold": 5},
    },
    "no lifecycle": {"deployment": {"lifecycle": None}},
    "more memory": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"cpu": None, "memory": "1.5Gi"}}},
    "no limits": {"resources": {"limits": None}},
    "another way in": {
        "service": {
            "annotations": {"example.com/added": "true"},
            "labels": {"example.com/added": "true"},
            "spec": {
                "type": "NodePort",
                "loadBalancerClass": None,
                "loadBalancerSourceRanges": ["203.0.113.0/24"],
                "externalTrafficPolicy": "Local",
            },
        },
        "ports": {
            "web": {"exposedPort": 8080},
            "websecure": {"exposedPort": 8443},
            "metrics": {"expose": {"default": True}},
        },
    },
    "another talk": {
        "log": {"level": "DEBUG", "format": "common"},
        "accessLog": {"fields": {"names": {"ClientUsername": "drop"}, "queryParameters": {"defaultMode": None}}},
        "metrics": {
            "prometheus": {"addRoutersLabels": False, "addEntryPointsLabels": False, "addServicesLabels": True}
        },
    },
    "no talk": {"log": {"format": None}, "accessLog": {"enabled": False}, "metrics": {"prometheus": None}},
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
    },
    "other ports": {
        "ports": {
            "web": {"port": 8081, "asDefault": True, "http": {"redirections": {"entryPoint": {"permanent": False}}}},
            "websecure": {
                "asDefault": False,
                "http": {"middlewares": ["a_b@kubernetescrd", "c_d@kubernetescrd"], "tls": {"enabled": True}},
                "transport": {
                    "lifeCycle": {"requestAcceptGraceTimeout": "5s", "graceTimeOut": 10},
                    "respondingTimeouts": {"readTimeout": "1m", "writeTimeout": 0, "idleTimeout": "3m"},
                },
            },
        }
    },
    "another place": {
        "affinity": {"nodeAffinity": {}},
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "priorityClassName": None,
        "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [],
    },
    "more of its own": {
        "additionalArguments": ["--log.nocolor=true"],
        "deployment": {
            "annotations": {"example.com/added": "true"},
            "podAnnotations": {"example.com/added": "true"},
            "podLabels": {"example.com/added": "true"},
            "goMemLimitPercentage": 0.5,
        },
        "env": [{"name": "TZ", "value": "UTC"}],
        "image": {"registry": "registry.example.com", "repository": "mirror/traefik", "tag": "v3.7.12"},
        "podSecurityContext": {"fsGroup": 65532},
        "securityContext": {"privileged": False},
        "serviceAccountAnnotations": {"example.com/added": "true"},
    },
}


@pytest.fixture(scope="session")
def example(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example with two clusters, behind load balancers of two kinds."""
    answers = examples()["stages"]
    return Repository("stages", render(template, answers, tmp_path_factory.mktemp("stages") / "repository"), answers)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traefik_stand_in(tmp_path_factory.mktemp("stand-in"))


@pytest.fixture(scope="session")
def real() -> Path:
    """Traefik's own chart; skips the test where it cannot be had."""
    (traefik,) = [chart for chart in platform_charts() if chart.name == "traefik"]
    folder = engines.chart(traefik.name, traefik.version)
    if folder is None:
        pytest.skip(f"chart {traefik.name} {traefik.version} cannot be had: no network, and no folder in TRAEFIK_CHART")
    return folder


def installations(repository: Repository) -> list[Document]:
    """The Applications that install Traefik."""
    applications = platform_applications(repository)
    return [found for found in applications if found["spec"]["sources"][0]["chart"] == "traefik"]


def kubernetes_version(repository: Repository, application: Document) -> str:
    (cluster,) = [c for c in repository.clusters if c["name"] == application["spec"]["destination"]["name"]]
    return str(cluster["kubernetes_version"])


def manifests_of(chart: Path, repository: Repository, application: Document, *more: Path) -> list[Document]:
    """What an Application makes of a chart, with more values files than its own."""
    source = application["spec"]["sources"][0]
    return engines.helm_template(
        chart,
        [*(repository.path / file.removeprefix("$values/") for file in source["helm"]["valueFiles"]), *more],
        kube_version=kubernetes_version(repository, application),
        name=source["helm"]["releaseName"],
        namespace=application["spec"]["destination"]["namespace"],
    )


def by_name(documents: list[Document]) -> dict[tuple[str, str], Document]:
    """The documents by kind and name, without the custom resources of Traefik Hub: a product that nothing here runs."""
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


def test_the_stand_in_renders_valid_manifests(example: Repository, stand_in: Path) -> None:
    for application in installations(example):
        manifests = manifests_of(stand_in, example, application)
        definitions = pick(manifests, "CustomResourceDefinition")
        assert {"ingressroutes.traefik.io", "middlewares.traefik.io"} <= {d["metadata"]["name"] for d in definitions}
        others = [manifest for manifest in manifests if manifest not in definitions]
        assert {"Deployment", "Service", "ClusterRole", "Middleware"} <= {manifest["kind"] for manifest in others}
        assert engines.kubeconform(others, kubernetes_version(example, application)) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"deployment": {"hostUsers": False}}, "hostUsers"),
        ({"hub": {"token": "none"}}, "hub"),
        ({"ingressClass": {"enabled": True}}, "ingressClass"),
    ],
)
def test_the_stand_in_refuses_what_it_does_not_read(
    example: Repository, stand_in: Path, tmp_path: Path, value: Document, message: str
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump(value))
    with pytest.raises(engines.EngineError, match=message):
        manifests_of(stand_in, example, installations(example)[0], file)


def test_the_stand_in_is_of_the_version_that_the_platform_installs(example: Repository) -> None:
    version = yaml.safe_load((STAND_IN / "Chart.yaml").read_text())["version"]
    assert {application["spec"]["sources"][0]["targetRevision"] for application in installations(example)} == {version}


def test_the_stand_in_runs_the_traefik_that_the_tests_pin() -> None:
    assert engines.go_module(TRAEFIK, yaml.safe_load((STAND_IN / "Chart.yaml").read_text())["appVersion"])


def test_every_chart_of_the_platform_is_in_the_repository_that_it_names(example: Repository, tmp_path: Path) -> None:
    repositories = helm_repositories(tmp_path)
    sources = [application["spec"]["sources"][0] for application in platform_applications(example)]
    assert set(repositories) == {source["repoURL"].rstrip("/") for source in sources}
    for source in sources:
        url = source["repoURL"].rstrip("/")
        name, version = source["chart"], source["targetRevision"]
        index = yaml.safe_load((repositories[url] / "index.yaml").read_text())
        (entry,) = index["entries"][name]
        assert (entry["version"], entry["urls"]) == (version, [f"{url}/{name}-{version}.tgz"])
        assert (repositories[url] / f"{name}-{version}.tgz").is_file()
