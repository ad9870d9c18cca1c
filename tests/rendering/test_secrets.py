"""Secrets from AWS Secrets Manager: what workloads name, and the tokens of the platform."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.repository import Document, Repository, examples, pick, render

GROUP = "external-secrets.io"
KINDS = {"ClusterSecretStore", "ExternalSecret"}
WAVE = "argocd.argoproj.io/sync-wave"
SIDECAR = {"name": "proxy", "image": "ghcr.io/acme/proxy:1.0.0", "env": {"A": {"secret": "of-a-sidecar", "key": "a"}}}
INIT = SIDECAR | {"name": "wait", "env": {"A": {"secret": "of-an-init-container", "key": "a"}}}
LOGIN = {"host": "admin", "basic_auth": "of-a-login"}
# Every place that names a Secret, in a workload of two components; some twice, some in one environment only.
SHOP: dict[str, Any] = {
    "name": "shop",
    "defaults": {"image_pull_secrets": ["registry"]},
    "routes": [LOGIN | {"component": "web"}],
    "overrides": {"prod": {"routes": [{"host": "www", "component": "web"}]}},
    "components": [
        {
            "name": "web",
            "image": "ghcr.io/acme/shop:1.4.2",
            "port": 8080,
            "env_from_secrets": ["whole", "0755"],
            "env": {
                "A": {"secret": "one.with.dots", "key": "a"},
                "B": {"secret": "whole", "key": "b", "optional": True},
                "C": "plain",
            },
            "secret_files": {
                "/etc/key": {"secret": "files", "key": "key"},
                "/etc/config.json": {"secret": "registry", "key": ".dockerconfigjson"},
            },
            "sidecars": [SIDECAR],
            "init": [INIT],
            "overrides": {"prod": {"env_from_secrets": ["only-in-prod"], "env": {"A": None}}},
        },
        {
            "name": "worker",
            "image": "ghcr.io/acme/worker:1.4.2",
            "schedules": {"nightly": {"cron": "0 3 * * *", "command": ["clean"]}},
            "env": {"A": {"secret": "of-a-worker", "key": "a"}},
        },
    ],
}
EVERYWHERE = {"registry", "files", "of-a-sidecar", "of-an-init-container", "of-a-worker"}
NAMED = {
    "dev": EVERYWHERE | {"whole", "0755", "one.with.dots", "of-a-login"},
    "staging": EVERYWHERE | {"whole", "0755", "one.with.dots", "of-a-login"},
    "prod": EVERYWHERE | {"only-in-prod", "whole"},
}
RELEASING = {
    "name": "releasing",
    "image": "ghcr.io/acme/api:1.0.0",
    "env_from_secrets": ["db"],
    "before_release": ["migrate"],
    "environments": ["dev"],
}
BY_HAND = RELEASING | {"name": "by-hand", "external_secrets": False, "environments": ["dev", "prod"]}
MIXED = BY_HAND | {"name": "mixed", "overrides": {"prod": {"external_secrets": True}}}
WORKLOADS = [SHOP, RELEASING, BY_HAND, MIXED]
ANSWERS: dict[str, Any] = examples()["stages"] | {
    "addons": ["external-secrets"],
    "dns_provider": "cloudflare",
    "repo_url": "https://github.com/acme/stages-gitops.git",
    "repo_private": True,
    "workloads": WORKLOADS,
}
REGIONS = {cluster: ANSWERS["acm_certificate_arn"].split(":")[3] for cluster in ("nonprod", "prod")}


@pytest.fixture(scope="module")
def fetching(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return the example with two clusters, with the operator and workloads that name Secrets everywhere."""
    return Repository("fetching", render(template, ANSWERS, tmp_path_factory.mktemp("fetching") / "r"), ANSWERS)


def external_secrets(repository: Repository, overlay: str) -> dict[str, Document]:
    """Return the ExternalSecrets of an overlay by name; each occurs once."""
    found = pick(repository.build(overlay), "ExternalSecret")
    assert len({item["metadata"]["name"] for item in found}) == len(found)
    return {item["metadata"]["name"]: item for item in found}


def overlay_of(workload: str, environment: str) -> str:
    return f"apps/workloads/{workload}/overlays/{environment}"


@pytest.mark.parametrize("environment", NAMED)
def test_every_secret_that_a_workload_names_comes_from_its_own_key(fetching: Repository, environment: str) -> None:
    found = external_secrets(fetching, overlay_of("shop", environment))
    assert found.keys() == NAMED[environment]
    for name, item in found.items():
        assert item["metadata"]["namespace"] == f"shop-{environment}"
        assert item["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": environment}
        assert item["spec"]["dataFrom"] == [{"extract": {"key": f"{environment}/shop/{name}"}}]
        assert WAVE not in item["metadata"].get("annotations", {})


def test_a_secret_outlives_its_object_and_its_key_and_is_not_tracked_by_argocd(fetching: Repository) -> None:
    """Without a template, the operator copies Argo CD's annotations to the Secret."""
    for item in external_secrets(fetching, overlay_of("shop", "prod")).values():
        target = item["spec"]["target"]
        assert (target["creationPolicy"], target["deletionPolicy"]) == ("Orphan", "Retain")
        assert target["template"]["metadata"] == {"labels": {"app.kubernetes.io/part-of": "shop"}}


def test_a_secret_that_pulls_images_has_its_type(fetching: Repository) -> None:
    templates = {
        name: item["spec"]["target"]["template"]
        for name, item in external_secrets(fetching, overlay_of("shop", "dev")).items()
    }
    registry = templates.pop("registry")
    assert registry["type"] == "kubernetes.io/dockerconfigjson"
    assert registry["data"] == {".dockerconfigjson": '{"auths": {{ .auths }}}'}
    # A Secret that was created by hand keeps its type, which cannot change.
    assert all("type" not in template and "data" not in template for template in templates.values())


def test_secrets_are_there_before_the_jobs_of_a_release(fetching: Repository) -> None:
    (item,) = external_secrets(fetching, overlay_of("releasing", "dev")).values()
    assert item["metadata"]["annotations"] == {WAVE: "-2"}


def test_a_workload_opts_out_also_in_one_environment(fetching: Repository) -> None:
    places = [("by-hand", "dev"), ("by-hand", "prod"), ("mixed", "dev"), ("mixed", "prod")]
    found = {place: [*external_secrets(fetching, overlay_of(*place))] for place in places}
    assert found == {place: [] for place in places[:3]} | {("mixed", "prod"): ["db"]}


def test_without_the_operator_nothing_asks_for_it(stages: Repository) -> None:
    texts = {file: (stages.path / file).read_text() for file in stages.files if file.parts[0] == "apps"}
    assert [file for file, text in texts.items() if f"apiVersion: {GROUP}" in text] == []


@pytest.mark.parametrize("cluster", ["nonprod", "prod"])
def test_a_cluster_has_a_store_per_environment_and_one_for_the_platform(fetching: Repository, cluster: str) -> None:
    stores = fetching.read(f"apps/platform/external-secrets/clusters/{cluster}/stores.yaml")
    own = [item["name"] for item in fetching.environments if item["cluster"] == cluster]
    assert [store["metadata"]["name"] for store in stores] == [*own, "platform"]
    for store in stores:
        assert store["spec"]["provider"] == {"aws": {"service": "SecretsManager", "region": REGIONS[cluster]}}
    for name, store in zip(own, stores, strict=False):
        assert store["spec"]["conditions"] == [{"namespaceSelector": {"matchLabels": {"environment": name}}}]
    is_argocds = cluster == "prod"
    expected = [*(["argocd"] if is_argocds else []), "external-dns", "external-secrets", "traefik"]
    assert stores[-1]["spec"]["conditions"] == [{"namespaces": expected}]


def test_tokens_of_the_platform_come_from_the_keys_of_their_cluster(fetching: Repository) -> None:
    for cluster in ("nonprod", "prod"):
        token = pick(fetching.build(f"apps/platform/external-dns/clusters/{cluster}"), "ExternalSecret")
        assert [item["spec"]["dataFrom"][0]["extract"]["key"] for item in token] == [
            f"platform/{cluster}/cloudflare-api-token"
        ]
        assert token[0]["metadata"] == {"name": "cloudflare-api-token", "namespace": "external-dns"}
    (repository,) = pick(fetching.build("apps/platform/external-secrets/clusters/prod"), "ExternalSecret")
    assert repository["metadata"] == {"name": "repository", "namespace": "argocd"}
    assert repository["spec"]["dataFrom"] == [{"extract": {"key": "platform/prod/repository"}}]
    labels = repository["spec"]["target"]["template"]["metadata"]["labels"]
    assert labels == {"argocd.argoproj.io/secret-type": "repository"}
    # Argo CD runs in the other cluster.
    assert pick(fetching.build("apps/platform/external-secrets/clusters/nonprod"), "ExternalSecret") == []


def test_only_a_private_repository_has_credentials(
    template: Path, tmp_path: Path, repositories: Callable[[str], Repository]
) -> None:
    place = "apps/platform/external-secrets/clusters/{}/repository.yaml"
    public = render(template, ANSWERS | {"repo_private": False, "workloads": []}, tmp_path / "public")
    assert not (public / place.format("prod")).exists()
    by_ssh = repositories("addons")
    assert by_ssh.answers["repo_url"].startswith("git@")
    assert (by_ssh.path / place.format("main")).exists()


def test_objects_of_the_operator_fit_its_definitions(fetching: Repository) -> None:
    chart = f"external-secrets-{fetching.one('apps/platform/external-secrets/addon.yaml')['version']}"
    file = Path(os.environ.get("GITOPS_TEMPLATE_DATA", "")) / "charts" / chart / "crds.yaml"
    if not file.is_file():
        pytest.skip(f"{chart}/crds.yaml cannot be had: no folder in GITOPS_TEMPLATE_DATA")
    schemas = {
        crd["spec"]["names"]["kind"]: _closed(version["schema"]["openAPIV3Schema"])
        for crd in yaml.load_all(file.read_text(), yaml.CSafeLoader)
        if crd and crd["spec"]["names"]["kind"] in KINDS
        for version in crd["spec"]["versions"]
        if version["name"] == "v1"
    }
    places = [path for *_, path in fetching.overlays()]
    places += [f"apps/platform/external-secrets/clusters/{cluster}" for cluster in ("nonprod", "prod")]
    items = [item for place in places for item in fetching.build(place) if item["apiVersion"].startswith(GROUP)]
    assert {item["kind"] for item in items} == KINDS
    for item in items:
        assert item["apiVersion"] == f"{GROUP}/v1"
        assert [error.message for error in jsonschema.Draft7Validator(schemas[item["kind"]]).iter_errors(item)] == []


def _closed(schema: Any) -> Any:
    """Return a schema that rejects unknown fields, like the API server for objects from Argo CD."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    is_open = closed.keys() & {"additionalProperties", "x-kubernetes-preserve-unknown-fields"}
    return closed if "properties" not in closed or is_open else closed | {"additionalProperties": False}
