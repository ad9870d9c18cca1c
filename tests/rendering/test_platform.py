"""Traefik and external-dns: the charts accept the values, and render what is expected."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from gitops.applications import Application
from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.repository import Document, Repository, pick

ADDONS = ["external-dns", "traefik"]
AWS = "service.beta.kubernetes.io/aws-load-balancer-"


def of(repository: Repository, addon: str) -> list[tuple[dict[str, Any], Application]]:
    """Return the Applications of an add-on's chart, each with its cluster."""
    clusters = {cluster["name"]: cluster for cluster in repository.clusters}
    created = [
        app for app in applications(repository).values() if app.spec["project"] == addon and "chart" in app.sources[0]
    ]
    return [(clusters[app.cluster], app) for app in created]


def values(repository: Repository, application: Application) -> Document:
    """Return the values files of an Application merged as Helm does: maps key by key, else as a whole; null removes."""

    def merge(below: Any, above: Any) -> Any:
        if isinstance(above, dict):
            below = below if isinstance(below, dict) else {}
            merged = below | {key: merge(below.get(key), value) for key, value in above.items()}
            return {key: value for key, value in merged.items() if value is not None}
        return above

    merged: Document = {}
    for file in application.sources[0]["helm"]["valueFiles"]:
        merged = merge(merged, yaml.safe_load((repository.path / file.removeprefix("$values/")).read_text()) or {})
    return merged


def container(documents: list[Document]) -> Document:
    (deployment,) = pick(documents, "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("addon", ADDONS)
def test_values_satisfy_the_charts_own_schema(repository: Repository, addon: str) -> None:
    for _, application in of(repository, addon):
        source = application.sources[0]
        schema = engines.values_schema(source["chart"], source["targetRevision"])
        if schema is None:
            pytest.skip(f"the schema of chart {addon} cannot be had: no network, and no folder in GITOPS_TEMPLATE_DATA")
        jsonschema.validate(values(repository, application), schema)


@pytest.mark.parametrize("addon", ADDONS)
def test_pods_of_the_platform_meet_pod_security_restricted(repository: Repository, addon: str) -> None:
    for _, application in of(repository, addon):
        documents = objects(repository, application)
        pod = pick(documents, "Deployment")[0]["spec"]["template"]["spec"]
        context = container(documents)["securityContext"]
        merged = pod.get("securityContext", {}) | context
        assert merged["runAsNonRoot"] is True
        assert merged["seccompProfile"]["type"] == "RuntimeDefault"
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"]["drop"] == ["ALL"]
        assert container(documents)["resources"]["limits"]["memory"]


def test_the_service_is_what_its_kind_of_load_balancer_needs(repository: Repository) -> None:
    """The values match the design's table of load balancers."""
    for cluster, application in of(repository, "traefik"):
        service = values(repository, application)["service"]
        annotations, spec = service["annotations"], service["spec"]
        assert annotations[f"{AWS}ssl-cert"] == cluster["acm_certificate_arn"]
        assert annotations[f"{AWS}ssl-ports"] == "443"
        assert annotations[f"{AWS}backend-protocol"] == "tcp"
        assert annotations["external-dns.kubernetes.io/hostname"] == cluster["ingress_host"]
        if cluster["load_balancer"] == "legacy":
            assert annotations[f"{AWS}type"] == "nlb"
            assert spec == {"externalTrafficPolicy": "Local"}
            assert not any("scheme" in name or "healthcheck" in name for name in annotations)
        else:
            classes = {"aws-load-balancer-controller": "service.k8s.aws/nlb", "eks-auto-mode": "eks.amazonaws.com/nlb"}
            assert spec == {"loadBalancerClass": classes[cluster["load_balancer"]]}
            assert annotations[f"{AWS}scheme"] == "internet-facing"
            assert annotations[f"{AWS}nlb-target-type"] == "ip"
            assert annotations[f"{AWS}healthcheck-protocol"] == "http"
            assert annotations[f"{AWS}healthcheck-port"] == "8080"
            assert annotations[f"{AWS}healthcheck-path"] == "/ping"
            assert annotations[f"{AWS}target-group-attributes"] == "preserve_client_ip.enabled=true"


def test_the_health_check_asks_a_port_that_traefik_answers_on(repository: Repository) -> None:
    for _, application in of(repository, "traefik"):
        documents = objects(repository, application)
        arguments = container(documents)["args"]
        assert "--ping=true" in arguments
        assert any(argument.startswith("--entryPoints.traefik.address=:8080") for argument in arguments)
        assert {8080, 8000, 8443} <= {port["containerPort"] for port in container(documents)["ports"]}


def test_traefik_is_told_what_the_design_says(repository: Repository) -> None:
    for _, application in of(repository, "traefik"):
        arguments = set(container(objects(repository, application))["args"])
        assert {
            "--providers.kubernetescrd.safeNaming=true",
            "--entryPoints.web.http.redirections.entryPoint.to=:443",
            "--entryPoints.websecure.http.middlewares=traefik_forwarded-https@kubernetescrd",
            "--accesslog=true",
        } <= {argument.replace("crossprovider", "crossProvider") for argument in arguments}
        for unwanted in (
            "--api",
            "--providers.kubernetesingress",
            "allowCrossNamespace=true",
            "forwardedHeaders",
            "http.tls=true",
        ):
            assert not [argument for argument in arguments if unwanted.lower() in argument.lower()], unwanted


def test_the_chart_brings_the_definitions_of_every_route(repository: Repository) -> None:
    """If a chart omitted them, Argo CD would prune them, and every route with them."""
    for _, application in of(repository, "traefik"):
        names = {d["metadata"]["name"] for d in pick(objects(repository, application), "CustomResourceDefinition")}
        assert {"ingressroutes.traefik.io", "middlewares.traefik.io"} <= names


def test_applications_are_told_https_and_443_by_a_middleware_that_exists(repository: Repository) -> None:
    for _, application in of(repository, "traefik"):
        (middleware,) = pick(objects(repository, application), "Middleware")
        assert (middleware["metadata"]["namespace"], middleware["metadata"]["name"]) == ("traefik", "forwarded-https")
        headers = middleware["spec"]["headers"]["customRequestHeaders"]
        assert headers.items() >= {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}.items()


def test_traefik_scales_and_drains_one_pod_at_a_time(repository: Repository) -> None:
    for _, application in of(repository, "traefik"):
        documents = objects(repository, application)
        (deployment,) = pick(documents, "Deployment")
        assert "replicas" not in deployment["spec"]
        (scaler,) = pick(documents, "HorizontalPodAutoscaler")
        assert scaler["spec"]["minReplicas"] == 2
        (budget,) = pick(documents, "PodDisruptionBudget")
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert (
            budget["spec"]["selector"]["matchLabels"].items()
            <= deployment["spec"]["template"]["metadata"]["labels"].items()
        )


def test_traefiks_pods_carry_the_label_that_network_policies_look_for(repository: Repository) -> None:
    for _, application in of(repository, "traefik"):
        (deployment,) = pick(objects(repository, application), "Deployment")
        assert deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "traefik"
        assert application.namespace == "traefik"


def arguments_of_external_dns(repository: Repository, application: Application) -> set[str]:
    return set(container(objects(repository, application))["args"])


def test_external_dns_reads_zones_of_the_domains_and_manages_their_hosts(repository: Repository) -> None:
    for cluster, application in of(repository, "external-dns"):
        arguments = arguments_of_external_dns(repository, application)
        (pattern,) = [a.partition("=")[2] for a in arguments if a.startswith("--regex-domain-filter=")]
        assert not [a for a in arguments if a.startswith("--domain-filter=")]
        domains = {e["domain"] for e in repository.environments if e["cluster"] == cluster["name"]}
        zones = {repository.answers["domain"], *domains}
        above = {zone.split(".", 1)[1] for zone in zones}
        for name in zones | above | {f"shop.{domain}" for domain in domains} | {cluster["ingress_host"]}:
            assert re.search(pattern, name), name
        for zone in zones:
            assert not re.search(pattern, f"{zone}.evil.test") and not re.search(pattern, f"evil-{zone}")
        if repository.answers["domain"] not in domains:
            assert not re.search(pattern, f"legacy.{repository.answers['domain']}")
            assert re.search(pattern, f"shop.removed.{repository.answers['domain']}")


def test_external_dns_states_prefix_policy_and_an_owner_of_its_own(repository: Repository) -> None:
    owners = set()
    for cluster, application in of(repository, "external-dns"):
        arguments = arguments_of_external_dns(repository, application)
        assert {"--policy=sync", "--registry=txt", "--annotation-prefix=external-dns.kubernetes.io/"} <= arguments
        assert {"--source=service", "--source=traefik-proxy", "--service-type-filter=LoadBalancer"} <= arguments
        (owner,) = [a for a in arguments if a.startswith("--txt-owner-id=")]
        assert owner.endswith(f"-{cluster['name']}")
        owners.add(owner)
    assert len(owners) == len(repository.clusters)


def test_external_dns_has_its_provider_and_no_key_in_git(repository: Repository) -> None:
    for _, application in of(repository, "external-dns"):
        arguments = arguments_of_external_dns(repository, application)
        environment = {v["name"]: v for v in container(objects(repository, application)).get("env", [])}
        if repository.answers.get("dns_provider", "cloudflare") == "cloudflare":
            assert "--provider=cloudflare" in arguments
            reference = environment["CF_API_TOKEN"]["valueFrom"]["secretKeyRef"]
            assert reference == {"name": "cloudflare-api-token", "key": "apiToken"}
        else:
            assert "--provider=aws" in arguments
            assert not [name for name in environment if "KEY" in name or "TOKEN" in name]
        (account,) = pick(objects(repository, application), "ServiceAccount")
        assert (account["metadata"]["name"], account["metadata"]["namespace"]) == ("external-dns", "external-dns")
