"""The preflight of add-ons: what they need is there, and nothing else installed them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.preflight import Preflight
from tests.support.repository import Repository

CHARTS = ("aws-load-balancer-controller", "external-dns", "external-secrets", "metrics-server", "traefik")
METRICS, CONTROLLER = "the metrics API answers", "the AWS Load Balancer Controller runs"
TAKEN = "Argo CD would overwrite {}: {}"
PROVIDES = "add it to provides of cluster main in the answers, or take yours out"
# What kubectl lists where others installed something, and what the preflight says.
OTHERS = [
    ("APIService v1beta1.metrics.k8s.io <none>", "metrics-server", PROVIDES),
    ("ClusterRole system:metrics-server <none>", "metrics-server", PROVIDES),
    ("ClusterRole aws-load-balancer-controller-role <none>", "aws-load-balancer-controller", PROVIDES),
    ("ClusterRole external-secrets-controller <none>", "external-secrets", "take yours out"),
    ("ClusterRole traefik-traefik <none>", "traefik", "take yours out"),
    ("ClusterRole external-dns other-main:rbac.authorization.k8s.io/ClusterRole:/external-dns", "external-dns", "take"),
]


@pytest.fixture
def preflight(repositories: Callable[[str], Repository], tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with every add-on."""
    return Preflight(repositories("addons").path, tmp_path)


@pytest.fixture
def of_stages(stages: Repository, tmp_path: Path) -> Preflight:
    """Return the preflight of a repository whose clusters have what it needs."""
    return Preflight(stages.path, tmp_path)


def run(preflight: Preflight, cluster: str = "main", **changed: str) -> tuple[int, str]:
    """Return the status and the output."""
    names = "*.dev.example.com\t*.prod.example.com"
    zones = "/hostedzone/ZOURS\\texample.com.\\n"
    done = preflight(cluster, **({"CERTIFICATE_NAMES": names, "HOSTED_ZONES": zones} | changed))
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_an_empty_cluster_is_ready_for_every_add_on(preflight: Preflight) -> None:
    status, output = run(preflight, METRICS="not yet", CONTROLLER="not yet")
    assert status == 0, output
    for name in CHARTS:
        assert f"ok    nothing else installed {name}\n" in output
    assert METRICS not in output and CONTROLLER not in output


def test_what_argo_cd_installed_is_no_obstacle(preflight: Preflight) -> None:
    """The preflight can be repeated after the bootstrap."""
    objects = [f"ClusterRole traefik-traefik traefik-main:g/ClusterRole:/{CHARTS[-1]}", "ClusterRole admin <none>"]
    assert run(preflight, OBJECTS="\n".join(objects))[0] == 0


@pytest.mark.parametrize(("listed", "addon", "fix"), OTHERS)
def test_an_add_on_that_something_else_installed_is_named(
    preflight: Preflight, listed: str, addon: str, fix: str
) -> None:
    status, output = run(preflight, OBJECTS=listed)
    kind, name, _ = listed.split()
    assert status == 1
    assert f"FAIL  nothing else installed {addon}\n      {TAKEN.format(f'{kind} {name}', fix)}" in output
    assert output.count("FAIL") == 1


def test_definitions_that_others_left_are_taken_over(preflight: Preflight) -> None:
    status, output = run(preflight, OBJECTS="CustomResourceDefinition externalsecrets.external-secrets.io <none>\n")
    assert status == 0
    assert "note  definitions of external-secrets are there already\n" in output
    assert "take it out" in output and "externalsecrets.external-secrets.io." in output


def test_what_may_not_be_listed_is_not_called_ok(preflight: Preflight) -> None:
    status, output = run(preflight, OBJECTS="denied")
    assert status == 0
    assert "note  whether something else installed the add-ons is not checked\n" in output
    assert "nothing else installed" not in output


def test_what_the_cluster_brings_must_be_there(of_stages: Preflight) -> None:
    changed = {"CERTIFICATE_NAMES": "*.dev.acme.io\t*.staging.acme.io", "METRICS": "away", "CONTROLLER": "away"}
    done = of_stages("nonprod", **changed)
    assert done.returncode == 1
    for name, fix in ((METRICS, "install metrics-server, or add it"), (CONTROLLER, "install it into kube-system, or")):
        assert f"FAIL  {name}\n      {fix}" in done.stdout
    assert done.stdout.count("FAIL") == 2


@pytest.mark.parametrize("account", ["aws-load-balancer-controller", "external-dns", "external-secrets"])
def test_every_role_is_associated(preflight: Preflight, account: str) -> None:
    status, output = run(preflight, NO_ROLE=account)
    assert status == 1
    assert f"FAIL  {account} has its AWS role\n      docs/installation.md (Credentials)" in output


def test_roles_need_the_agent(preflight: Preflight) -> None:
    status, output = run(preflight, AGENT="away")
    assert status == 1
    assert "FAIL  the EKS Pod Identity agent runs\n" in output


@pytest.mark.parametrize(
    ("state", "fix"),
    [
        ("MISSING_SECRET", "docs/operations.md (Give a workload a secret)"),
        ("DELETED_SECRET", "aws secretsmanager restore-secret --region eu-west-1 --secret-id {}\n"),
    ],
)
@pytest.mark.parametrize("key", ["dev/notes/database", "platform/main/repository"])
def test_a_secret_that_is_not_there_is_named(preflight: Preflight, key: str, state: str, fix: str) -> None:
    status, output = run(preflight, **{state: key})
    assert status == 1
    assert f"FAIL  Secrets Manager has {key}\n      {fix.format(key)}" in output
    assert "ok    Secrets Manager has prod/notes/database\n" in output


def test_a_secret_that_may_not_be_described_is_not_called_ok(preflight: Preflight) -> None:
    status, output = run(preflight, UNREADABLE_SECRET="prod/notes/database")
    assert status == 0
    assert "note  some secrets are not checked\n" in output and ": prod/notes/database\n" in output
    assert "Secrets Manager has prod/notes/database" not in output
