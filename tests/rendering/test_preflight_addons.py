"""The preflight of add-ons: nothing else installed them, and what Argo CD installed is no obstacle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.preflight import Preflight
from tests.support.repository import Repository

CHARTS = ("aws-load-balancer-controller", "external-dns", "external-secrets", "metrics-server", "traefik")
PROVIDES = "Add it to provides of cluster main in the answers, or uninstall it."
# What kubectl lists if others installed something, and the output of the preflight.
OTHERS = [
    ("APIService v1beta1.metrics.k8s.io <none>", "metrics-server", PROVIDES),
    ("ClusterRole system:metrics-server <none>", "metrics-server", PROVIDES),
    ("ClusterRole aws-load-balancer-controller-role <none>", "aws-load-balancer-controller", PROVIDES),
    ("ClusterRole external-secrets-controller <none>", "external-secrets", "Uninstall it."),
    ("ClusterRole traefik-traefik <none>", "traefik", "Uninstall it."),
    (
        "ClusterRole external-dns other-main:rbac.authorization.k8s.io/ClusterRole:/external-dns",
        "external-dns",
        "Uninstall",
    ),
]


@pytest.fixture
def preflight(repositories: Callable[[str], Repository], tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with every add-on."""
    return Preflight(repositories("addons").path, tmp_path)


def run(preflight: Preflight, **changed: str) -> tuple[int, str]:
    """Return the status and the output."""
    names = "*.dev.example.com\t*.prod.example.com"
    zones = "/hostedzone/ZOURS\\texample.com.\\n"
    done = preflight("main", **({"CERTIFICATE_NAMES": names, "HOSTED_ZONES": zones} | changed))
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_an_empty_cluster_is_ready_for_every_add_on(preflight: Preflight) -> None:
    status, output = run(preflight, METRICS="not yet", CONTROLLER="away")
    assert status == 0, output
    for name in CHARTS:
        assert f"ok    nothing else installed {name}\n" in output
    assert "metrics API" not in output and "Load Balancer Controller" not in output


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
    overwritten = f"Argo CD would overwrite {kind} {name}."
    assert f"FAIL  something else installed {addon}\n      {overwritten}\n      {fix}" in output
    assert output.count("FAIL  ") == 1


def test_definitions_that_others_left_are_taken_over(preflight: Preflight) -> None:
    status, output = run(preflight, OBJECTS="CustomResourceDefinition externalsecrets.external-secrets.io <none>\n")
    assert status == 0
    assert "note  definitions of external-secrets exist already\n" in output
    assert "uninstall it" in output and "over: externalsecrets.external-secrets.io\n" in output
