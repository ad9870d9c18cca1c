"""The preflight of a cluster names what is missing, and what was found, except what a later step creates."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.preflight import Preflight
from tests.support.repository import Repository, render

# The data for a repository with every add-on that is ready.
ADDONS = {
    "CERTIFICATE_NAMES": "*.dev.example.com\t*.prod.example.com",
    "HOSTED_ZONES": "/hostedzone/Z\\texample.com.\\n",
}
OWN = """apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: own}
spec:
  target: {template: {data: {key: no-key}}}
  data:
    - secretKey: password
      remoteRef: {key: "dev/notes/own", property: password}
  dataFrom:
  - extract:
      key: 'dev/notes/other'  # A comment.
---
kind: ConfigMap
data:
  key: not-a-secret
"""


@pytest.fixture
def preflight(stages: Repository, tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with Route 53, whose clusters have what it needs."""
    return Preflight(stages.path, tmp_path)


@pytest.fixture
def of_addons(repositories: Callable[[str], Repository], tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with every add-on, which may be changed."""
    copy = shutil.copytree(repositories("addons").path, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    (tmp_path / "tools").mkdir()
    return Preflight(Path(copy), tmp_path / "tools")


def test_a_cluster_that_has_everything_is_ready(preflight: Preflight) -> None:
    done = preflight()
    checks = done.stdout.count("\nok    ")
    assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout
    assert done.stdout.endswith(f"\nReady: {checks} ok. Continue with docs/installation.md.\n")


@pytest.mark.parametrize(
    ("changed", "failure", "fix"),
    [
        ({"SERVER_VERSION": "1.33"}, "Kubernetes is 1.33, but the answers have 1.36", 'Set kubernetes_version: "1.33"'),
        ({"INSTANCES": "i-0a\ti-0b"}, "pods reach the instance metadata", "Change the launch template"),
        ({"MANIFEST": "/dev/null"}, "Argo CD's manifest is not the one that was reviewed", "Its checksum is e3b0c44"),
        ({"CERTIFICATE_STATUS": "PENDING_VALIDATION"}, "certificate arn:", "ACM issues it when its validation"),
        ({"CERTIFICATE_STATUS": "away"}, "ACM has no certificate arn:", "An error occurred (ResourceNotFound"),
        ({"CERTIFICATE_NAMES": "*.dev.acme.io"}, "no certificate covers *.staging.acme.io", "Found: *.dev.acme.io\n"),
        ({"AWS_NODE": "--enable-network-policy=false"}, "the VPC CNI does not enforce network", "Until it does"),
        ({"METRICS": "away"}, "the cluster has no metrics API", "Without it, applications"),
        ({"CONTROLLER": "away"}, "kube-system has no AWS Load Balancer Controller", "Traefik needs it"),
        ({"CONTROLLER": ""}, "the AWS Load Balancer Controller has no ready pod", "kubectl --context nonprod"),
        ({"CONTROLLER": "0"}, "the AWS Load Balancer Controller has no ready pod", "kubectl --context nonprod"),
        ({"AGENT": "away"}, "the EKS Pod Identity agent is not installed", "Add-ons get their AWS role from it."),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_what_was_found(
    preflight: Preflight, changed: dict[str, str], failure: str, fix: str
) -> None:
    done = preflight(**changed)
    (found,) = [line for line in done.stdout.splitlines() if line.startswith(f"FAIL  {failure}")]
    assert done.returncode == 1
    assert f"\n      {fix}" in done.stdout.split(found, 1)[1]
    assert "could not check:" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Not ready: ")


def test_the_command_that_closes_the_instance_metadata_works_as_it_is_printed(
    preflight: Preflight, tmp_path: Path
) -> None:
    done = preflight(INSTANCES="i-0a\ti-0b")
    (command,) = [line for line in done.stdout.splitlines() if "modify-instance-metadata-options" in line]
    (tmp_path / "aws").write_text('#!/bin/sh\necho "$*"\n')
    typed = subprocess.run(
        ["bash", "-c", command], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    options = "ec2 modify-instance-metadata-options --region eu-central-1 --http-tokens required"
    assert typed.stdout.splitlines() == [
        f"{options} --http-put-response-hop-limit 1 --instance-id {instance}" for instance in ("i-0a", "i-0b")
    ]


@pytest.mark.parametrize(
    ("changed", "result"), [({}, "FAIL  EKS Auto Mode is off"), ({"AUTO_MODE": "on"}, "ok    EKS")]
)
def test_the_load_balancer_of_the_answers_is_that_of_the_cluster(
    preflight: Preflight, changed: dict[str, str], result: str
) -> None:
    done = preflight("prod", SERVER_VERSION="1.35", CERTIFICATE_NAMES="*.acme.com", **changed)
    assert f"\n{result}" in done.stdout
    assert done.returncode == ("FAIL" in result)


def test_a_controller_that_takes_over_services_is_no_legacy_load_balancer(
    repositories: Callable[[str], Repository], tmp_path: Path
) -> None:
    preflight = Preflight(repositories("ccore").path, tmp_path)
    done = preflight(
        "dev", WEBHOOK="mservice.elbv2.k8s.aws", CERTIFICATE_NAMES="*.ccore.ai", CLOUDFLARE_ZONE="ccore.ai"
    )
    assert "FAIL  the AWS Load Balancer Controller takes over Services" in done.stdout
    assert done.stdout.count("FAIL  ") == 1


def test_without_a_certificate_its_names_and_the_command_are_printed(
    template: Path, repositories: Callable[[str], Repository], tmp_path: Path
) -> None:
    answers = repositories("addons").answers | {"acm_certificate_arn": "", "aws_region": "eu-west-1"}
    answers["aws_account"] = "123456789012"
    (tmp_path / "tools").mkdir()
    done = Preflight(render(template, answers, tmp_path / "none"), tmp_path / "tools")("main", **ADDONS)
    assert done.returncode == 0, done.stdout
    assert "note  there is no certificate yet, so no host is reachable from outside\n" in done.stdout
    assert "      It must cover: *.dev.example.com *.prod.example.com\n" in done.stdout
    command = "aws acm request-certificate --region eu-west-1 --validation-method DNS --domain-name '*.dev.example.com'"
    assert f"      {command} --subject-alternative-names '*.prod.example.com'\n" in done.stdout
    assert "certificate covers" not in done.stdout


@pytest.mark.parametrize(
    ("changed", "later"),
    [
        ({"NO_ROLE": "external-dns"}, "service account external-dns/external-dns has no AWS role"),
        ({"NO_ROLE": "external-secrets"}, "service account external-secrets/external-secrets has no AWS role"),
        ({"MISSING_SECRET": "dev/notes/database"}, "Secrets Manager has no dev/notes/database"),
        ({"MISSING_SECRET": "platform/main/repository"}, "Secrets Manager has no platform/main/repository"),
        ({"REPOSITORY": ""}, "Argo CD has no credentials for the repository"),
    ],
)
def test_what_step_3_creates_fails_only_afterwards(of_addons: Preflight, changed: dict[str, str], later: str) -> None:
    first = of_addons("main", **ADDONS, **changed)
    assert first.returncode == 0 and "FAIL" not in first.stdout, first.stdout
    assert f"\nlater {later}: step 3 creates it\n" in first.stdout
    *_, option, last = first.stdout.splitlines()
    assert last.startswith("Step 1 is complete: ") and "1 later" in last
    assert option == "After step 3, run bootstrap/preflight.sh main --step 3."
    installed = "ClusterRole traefik-traefik traefik-main:rbac.authorization.k8s.io/ClusterRole:/traefik-traefik\n"
    for then in (
        of_addons("main", "--step", "3", **ADDONS, **changed),
        of_addons("main", **ADDONS, **changed, OBJECTS=installed),
    ):
        assert then.returncode == 1
        assert f"\nFAIL  {later}\n      docs/" in then.stdout.replace("Pods that need it do not start.\n      ", "")


def test_a_secret_that_was_deleted_is_restored(of_addons: Preflight) -> None:
    done = of_addons("main", **ADDONS, DELETED_SECRET="dev/notes/database")
    assert done.returncode == 1
    assert "FAIL  the secret dev/notes/database was deleted (2026-11-01T00:00:00+00:00)\n" in done.stdout
    assert (
        "\n      aws secretsmanager restore-secret --region eu-west-1 --secret-id dev/notes/database\n" in done.stdout
    )


def test_secrets_are_those_that_external_secrets_read(of_addons: Preflight) -> None:
    """The keys come from rendered files, not from a list: an added workload changes no other file."""
    script = (of_addons.repository / "bootstrap/preflight.sh").read_text()
    assert "notes" not in script
    (of_addons.repository / "apps/workloads/notes/overlays/dev/own.yaml").write_text(OWN)
    done = of_addons("main", **ADDONS)
    prefix = "ok    Secrets Manager has "
    assert [line.removeprefix(prefix) for line in done.stdout.splitlines() if line.startswith(prefix)] == [
        "dev/notes/database",
        "dev/notes/other",
        "dev/notes/own",
        "prod/notes/database",
        "platform/main/repository",
    ]
