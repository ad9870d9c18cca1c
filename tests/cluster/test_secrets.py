"""Every add-on in one cluster: secrets from AWS are created, updated, and kept when AWS is down."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import minimal
from tests.support.cluster import layout, metrics_server, scripts
from tests.support.cluster.api import Object
from tests.support.cluster.equipped import (
    CLUSTER,
    DATABASE,
    DEV,
    Platform,
    external_secret,
    has_retried,
    installed,
)
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.secrets_operator import answers as answers_without_a_certificate
from tests.support.cluster.stack import Stack
from tests.support.repository import render

LOAD_BALANCERS = "aws-load-balancer-controller"
REFRESH = "argocd.argoproj.io/refresh"


@pytest.fixture(scope="module")
def platform(equipped: Stack) -> Platform:
    """Yield the platform with every add-on, installed as documented."""
    return installed(equipped)


@pytest.fixture
def drill(platform: Platform) -> Iterator[Platform]:
    """Yield the idle platform, and revert what the test published or changed in AWS."""
    with platform.stack.undone():
        yield platform
        platform.upstream.restore()
    for namespace in (DEV, "ledger-dev"):
        platform.operator.refresh(namespace)
    platform.stack.rest()


def test_a_bootstrap_with_every_add_on_ends_healthy(platform: Platform) -> None:
    states = platform.stack.argo.states()
    assert states == dict.fromkeys(states, "Synced Healthy")
    charts = {"external-dns", "external-secrets", LOAD_BALANCERS, "metrics-server", "traefik"}
    assert {f"{chart}-{CLUSTER}" for chart in charts} | {DEV, "notes-prod", "ledger-dev"} <= states.keys()


def test_a_certificate_that_comes_later_provisions_the_load_balancer(
    drill: Platform, template: Path, tmp_path: Path
) -> None:
    before = drill.read("service", "traefik", "traefik")
    assert before["spec"]["type"] == "ClusterIP" and not before["status"]["loadBalancer"]
    answers = answers_without_a_certificate() | {"acm_certificate_arn": minimal()["acm_certificate_arn"]}
    values = f"{layout.addon('traefik')}/clusters/{CLUSTER}/values.yaml"
    certified = render(template, answers, tmp_path / "certified")
    (drill.stack.checkout.work / values).write_text((certified / values).read_text())
    drill.stack.publish("Answer the certificate")
    # For Argo CD, a load balancer with an address is healthy. The cleanup of the test removes the address.
    drill.stack.settle()
    after = drill.read("service", "traefik", "traefik")
    assert (after["spec"]["type"], after["spec"]["loadBalancerClass"]) == ("LoadBalancer", "service.k8s.aws/nlb")
    assert after["status"]["loadBalancer"]["ingress"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_the_rendered_metrics_server_serves_autoscalers(platform: Platform) -> None:
    assert metrics_server.availability(platform.stack, CLUSTER)["status"] == "True"
    assert "node-a" in platform.cluster.kubectl("top", "nodes")
    (autoscaler,) = platform.cluster.list("horizontalpodautoscalers", DEV)
    conditions = {c["type"]: c["status"] for c in autoscaler["status"]["conditions"]}
    assert conditions["ScalingActive"] == "True"


def test_certificates_that_each_rendering_makes_anew_change_nothing(platform: Platform) -> None:
    stack, name = platform.stack, f"{LOAD_BALANCERS}-{CLUSTER}"

    def live() -> list[Any]:
        kinds = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")
        hooks = [platform.read(kind, "aws-load-balancer-webhook") for kind in kinds]
        bundles = [webhook["clientConfig"]["caBundle"] for hook in hooks for webhook in hook["webhooks"]]
        secret = platform.read("secret", "aws-load-balancer-tls", LOAD_BALANCERS)
        return [secret["data"], bundles, stack.argo.applications[name]["status"]["operationState"]["startedAt"]]

    before = live()
    # As long as Argo CD's self-heal needs to react to drift.
    for kind in ("normal", "hard", "normal"):
        stack.argocd.api.patch("application", name, {"metadata": {"annotations": {REFRESH: kind}}}, "argocd")
        stack.until("it is refreshed", lambda: REFRESH not in annotations_of(stack, name))
        assert stack.argo.state(name) == "Synced Healthy"
    assert live() == before


def annotations_of(stack: Stack, application: str) -> Object:
    """Return the annotations of an Application."""
    return dict(stack.argo.applications[application]["metadata"].get("annotations", {}))


def test_what_a_workload_names_arrives(platform: Platform) -> None:
    assert platform.value() == DATABASE["password"]
    registry = platform.read("secret", "registry", DEV)
    assert registry["type"] == "kubernetes.io/dockerconfigjson"
    content = json.loads(base64.b64decode(registry["data"][".dockerconfigjson"]))
    assert content == {"auths": {"ghcr.io": {"auth": "a"}}}
    # The job before the first release had its Secret.
    secret, job = (platform.read(kind, name, "ledger-dev") for kind, name in PAIR)
    assert secret["metadata"]["creationTimestamp"] <= job["metadata"]["creationTimestamp"]


PAIR = (("secret", "database"), ("job", "ledger-before-release"))


def test_a_new_value_changes_the_secret_and_restarts_no_pod(drill: Platform) -> None:
    before = drill.pods()
    drill.upstream.secrets["dev/notes/database"] = {"password": "second"}
    drill.upstream.save()
    drill.operator.refresh(DEV)
    drill.stack.until("the Secret has it", lambda: drill.value() == "second")
    assert drill.stack.argo.state(DEV) == "Synced Healthy"
    assert drill.pods() == before


def test_a_commit_to_a_secret_restarts_no_pod_as_the_blast_radius_says(drill: Platform) -> None:
    before, work = drill.pods(), drill.stack.checkout.work
    drill.upstream.secrets["dev/notes/rotated"] = {"password": "third"}
    drill.upstream.save()
    file = f"{layout.overlay('notes', 'dev')}/resources.yaml"
    drill.stack.checkout.edit(file, "key: dev/notes/database\n", "key: dev/notes/rotated\n")
    report = scripts.run(drill.stack.sandbox, work, "scripts/blast_radius.py", "--json")
    (change,) = report["changes"]
    assert (change["changed"], change["restarted"]) == (["ExternalSecret/database"], [])
    drill.stack.publish("Name another key")
    drill.stack.until("the Secret has its value", lambda: drill.value() == "third")
    assert drill.pods() == before


def test_a_secret_that_is_deleted_in_aws_stays(drill: Platform) -> None:
    runbook = Runbook(drill.stack, "notes", "dev")
    del drill.upstream.secrets["dev/notes/database"]
    drill.upstream.save()
    runbook.type("From AWS Secrets Manager", 2)
    drill.stack.until("Argo CD says so", lambda: drill.stack.argo.state(DEV) == "Synced Degraded")
    assert "Secret does not exist" in drill.operator.says("database", DEV)
    assert "SecretSyncedError" in runbook.type("From AWS Secrets Manager", 0)
    assert drill.value() == DATABASE["password"]


def test_releases_go_on_while_the_operator_is_away(drill: Platform) -> None:
    drill.operator.close()
    try:
        for name, old in (("notes", "1.4.0"), ("ledger", "1.0.0")):
            drill.release(name, old, "2.0.0")
        drill.stack.until("both are out", lambda: drill.image(DEV, "notes").endswith("2.0.0"))
        drill.stack.until("with its job", lambda: drill.image("ledger-dev", "ledger").endswith("2.0.0"))
        assert drill.value() == DATABASE["password"]
    finally:
        drill.operator.start()


def test_without_its_role_nothing_is_lost_but_a_release_with_jobs_waits(drill: Platform) -> None:
    drill.upstream.policy = None
    drill.upstream.save()
    for namespace in (DEV, "ledger-dev"):
        drill.operator.refresh(namespace)
    stores = f"external-secrets-config-{CLUSTER}"
    drill.stack.until("Argo CD says so", lambda: drill.stack.argo.state(stores) == "Synced Degraded")
    drill.stack.until("the job's secret is not ready", lambda: "SecretSyncedError" in drill.operator.says(*LEDGER))
    for name, old in (("notes", "1.4.0"), ("ledger", "1.0.0")):
        drill.release(name, old, "3.0.0")
    drill.stack.until("the one is out", lambda: drill.image(DEV, "notes").endswith("3.0.0"))
    # Its objects are applied in waves, the secrets first.
    drill.stack.until("the other one tries again", lambda: has_retried(drill.stack, "ledger-dev"))
    assert drill.image("ledger-dev", "ledger").endswith("1.0.0")
    assert {drill.value(DEV), drill.value("ledger-dev")} == {DATABASE["password"]}
    drill.upstream.restore()
    for namespace in (DEV, "ledger-dev"):
        drill.operator.refresh(namespace)
    drill.stack.until("it is out by itself", lambda: drill.image("ledger-dev", "ledger").endswith("3.0.0"))


LEDGER = ("database", "ledger-dev")


@pytest.mark.parametrize(
    ("key", "store", "message"),
    [
        ("prod/notes/database", "dev", "begin with dev/notes/"),
        ("dev/ledger/database", "dev", "begin with dev/notes/"),
        ("dev/notes/database", "prod", "name a ClusterSecretStore of the environment: dev"),
        ("dev/notes/database", "platform", "name a ClusterSecretStore of the environment: dev"),
    ],
)
def test_the_secrets_of_others_are_refused(platform: Platform, key: str, store: str, message: str) -> None:
    (refusal,) = platform.cluster.api.refusals(external_secret(DEV, key, store))
    assert "workload-secret-stores" in refusal
    assert message in refusal


def test_the_stores_serve_only_their_namespaces(platform: Platform) -> None:
    """No policy checks this namespace: it belongs to no environment, and an administrator created it."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-hand"}}
    with platform.cluster.applied(namespace, external_secret("by-hand", "dev/notes/database", "dev")):
        platform.stack.until("it is refused", lambda: "denied by" in platform.operator.says("database", "by-hand"))
        assert not platform.cluster.get("secret", "database", "by-hand")


def test_external_secrets_is_taken_out_as_documented_and_no_secret_is_lost(
    platform: Platform, template: Path, tmp_path: Path
) -> None:
    """The last test of this cluster: the add-on is not installed again."""
    stack, answers = platform.stack, answers_without_a_certificate()
    stack.rest()
    refresh, listing, deletion, cleanup, *_ = [
        block.replace("<addon>", "external-secrets")
        .replace("<cluster>", CLUSTER)
        .replace("<namespace>", "external-secrets")
        for block in stack.documented("operations.md", "Take an add-on out")
    ]
    secrets = [platform.read("secret", name, DEV)["metadata"]["uid"] for name in ("database", "registry")]
    answers["addons"].remove("external-secrets")
    stack.checkout.replace_all(render(template, answers, tmp_path / "without"))
    stack.publish("Take External Secrets out")
    variables, _, _ = refresh.partition("\n")
    stack.type(refresh)
    stack.until("the operator released them", lambda: "database" not in stack.type(listing))
    for block in (deletion, cleanup):
        stack.type(f"{variables}\n{block}")
    applications = {f"external-secrets-{CLUSTER}", f"external-secrets-config-{CLUSTER}"}
    assert not applications & stack.argo.states().keys()
    assert not platform.cluster.get("deployment", "external-secrets", "external-secrets")
    stack.settle()
    assert [platform.read("secret", name, DEV)["metadata"]["uid"] for name in ("database", "registry")] == secrets
    assert platform.value() == DATABASE["password"]
