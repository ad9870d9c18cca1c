"""A user at a terminal: prompts, rejected answers, and the result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.support.answers import recorded
from tests.support.cases import minimal
from tests.support.repository import installation_id
from tests.support.terminal import (
    ACCOUNT,
    ADDONS,
    ARGOCD_CLUSTER,
    BRANCH,
    CERTIFICATE,
    CI,
    CLEAR,
    CLUSTERS,
    DNS,
    DOMAIN,
    DOWN,
    ENTER,
    ENVIRONMENTS,
    LOAD_BALANCER,
    QUESTIONS,
    REGION,
    REPO_URL,
    VERSION,
    WORKLOADS,
    Person,
)

ARN = minimal()["acm_certificate_arn"]
WORKLOAD = '[{name: whoami, image: "traefik/whoami:v1.11.0", port: 8080}]'

# The command that requests the certificate, line by line.
REQUEST = (
    "aws acm request-certificate --region <region> \\",
    "--domain-name '*.dev.example.com' \\",
    "--subject-alternative-names '*.prod.example.com'",
)

Sit = Callable[..., Person]


def test_the_smallest_repository_takes_four_answers_and_enter(sit_down: Sit, tmp_path: Path) -> None:
    person = sit_down(columns=80)
    for line in ("You can add the certificate", "write an answers file instead", "copier copy --data-file"):
        person.terminal.expect_exact(line)
    person.answers(REPO_URL, "https://github.com/acme/gitops.git", ENTER)
    person.answers(BRANCH, ENTER)
    person.answers(DOMAIN, "example.com", ENTER)
    person.answers(DNS, ENTER)
    person.answers(LOAD_BALANCER, ENTER)
    person.answers(VERSION, ENTER)
    person.answers(ADDONS, "metrics-server external-secrets", ENTER)
    person.answers(CLUSTERS, ENTER)
    person.answers(ENVIRONMENTS, "dev, prod", ENTER)
    person.answers(CERTIFICATE)
    for line in ("*.dev.example.com, *.prod.example.com", *REQUEST, "aws acm list-certificates"):
        person.terminal.expect_exact(line)
    person.terminal.send("none yet" + ENTER)
    person.answers(REGION, "eu-west-1", ENTER)
    person.answers(ACCOUNT, "123456789012", ENTER)
    person.answers(WORKLOADS, ENTER)
    person.answers(CI, ENTER)
    person.terminal.expect_exact("There is no certificate yet")
    assert person.is_done() == 0
    assert recorded(tmp_path / "repository") == {
        "repo_url": "https://github.com/acme/gitops.git",
        "repo_private": False,
        "target_revision": "main",
        "installation_id": installation_id({"repo_url": "https://github.com/acme/gitops.git"}),
        "domain": "example.com",
        "dns_provider": "cloudflare",
        "platform_hosts": [],
        "load_balancer": "aws-load-balancer-controller",
        "acm_certificate_arn": "",
        "aws_region": "eu-west-1",
        "aws_account": "123456789012",
        "kubernetes_version": "1.36",
        "hsts_seconds": 300,
        "addons": ["metrics-server", "external-secrets"],
        "clusters": ["main"],
        "argocd_cluster": "main",
        "environments": ["dev", "prod"],
        "limits": {},
        "additional_repo_urls": [],
        "registries": [],
        "priority_classes": [],
        "monitoring_namespace": "monitoring",
        "workloads": [],
        "ci": "github",
    }


def test_a_bad_answer_is_refused_at_its_prompt_and_asked_again(sit_down: Sit, tmp_path: Path) -> None:
    person = sit_down("--data", "dns_provider=route53", "--data", "ci=none", "--data", "load_balancer=legacy")
    person.answers(REPO_URL, "github.com/acme/gitops", ENTER)
    person.is_told("question 'repo_url': use https://github.com/acme/gitops.git", "git@host:acme/gitops.git", ENTER)
    person.answers(BRANCH, CLEAR, "a..b", ENTER)
    person.is_told("question 'target_revision': use a branch name such as main", "trunk", ENTER)
    person.answers(DOMAIN, "Example.com", ENTER)
    person.is_told("question 'domain': use example.com", "example.com", ENTER)
    person.answers(VERSION, CLEAR, "1.20", ENTER)
    person.is_told("1.31 or later, such as 1.36", "1.35", ENTER)
    person.answers(ADDONS, ENTER)
    person.answers(CLUSTERS, "main, main", ENTER)
    person.is_told("question 'clusters': rename or remove one at [1]", "main", ENTER)
    person.answers(ENVIRONMENTS, "[prod, eu-prod]", ENTER)
    person.is_told("question 'environments': use a name such as euprod at [1]", "[dev]", ENTER)
    person.answers(CERTIFICATE, f"{ARN},{ARN}0", ENTER)
    person.is_told("question 'acm_certificate_arn': use one certificate", ARN, ENTER)
    person.answers(WORKLOADS, "whoami", ENTER)
    person.is_told("question 'workloads': use a list, or [] for none yet", WORKLOAD, ENTER)
    assert person.is_done() == 0
    found = recorded(tmp_path / "repository")
    assert (found["domain"], found["kubernetes_version"], found["workloads"]) == (
        "example.com",
        "1.35",
        [{"name": "whoami", "image": "traefik/whoami:v1.11.0", "port": 8080}],
    )


def test_where_argo_cd_runs_is_asked_with_several_clusters_and_recorded(sit_down: Sit, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    data.write_text(f"repo_url: git@host:acme/gitops.git\ndomain: example.com\nacm_certificate_arn: {ARN}\nci: none\n")
    person = sit_down("--data-file", str(data))
    person.answers(BRANCH, ENTER)
    person.answers(DNS, DOWN, ENTER)
    person.answers(LOAD_BALANCER, DOWN, ENTER)
    person.answers(VERSION, ENTER)
    person.answers(ADDONS, ENTER)
    person.answers(CLUSTERS, "[nonprod, {name: prod}]", ENTER)
    person.answers(ENVIRONMENTS, "[dev]", ENTER)
    person.is_told("question 'environments': add cluster: nonprod", "[{name: dev, cluster: nonprod}]", ENTER)
    person.answers(ARGOCD_CLUSTER, DOWN, ENTER)
    person.answers(WORKLOADS, "[]", ENTER)
    assert person.is_done() == 0
    found = recorded(tmp_path / "repository")
    assert (found["dns_provider"], found["load_balancer"]) == ("route53", "eks-auto-mode")
    assert found["argocd_cluster"] == "prod"


def test_given_answers_may_refer_to_what_is_still_asked(sit_down: Sit, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    names = [name for name in minimal() if name not in {"environments", "workloads"}]
    data.write_text(
        "\n".join(f"{name}: {minimal()[name]}" for name in names)
        + "\ntarget_revision: main\nci: none\n"
        + 'workloads: [{name: whoami, image: "whoami:1.0.0", environments: [prod]}]\n'
    )
    person = sit_down("--data-file", str(data), "--data", "argocd_cluster=other")
    person.answers(DNS, ENTER)
    person.answers(LOAD_BALANCER, ENTER)
    person.answers(VERSION, ENTER)
    person.answers(ADDONS, ENTER)
    person.answers(CLUSTERS, "main other", ENTER)
    person.answers(ENVIRONMENTS, "[{name: prod, cluster: main}]", ENTER)
    assert person.is_done() == 0
    assert (tmp_path / "repository/apps/workloads/whoami/overlays/prod").is_dir()


def test_what_given_and_typed_answers_only_show_together_is_refused_at_the_end(sit_down: Sit, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    data.write_text('workloads: [{name: whoami, image: "whoami:1.0.0", environments: [prod]}]\n')
    person = sit_down("--data-file", str(data), "--data", "ci=none", "--data", f"acm_certificate_arn={ARN}")
    person.answers(REPO_URL, "git@host:acme/gitops.git", ENTER)
    person.answers(BRANCH, ENTER)
    person.answers(DOMAIN, "example.com", ENTER)
    person.answers(DNS, ENTER)
    person.answers(LOAD_BALANCER, ENTER)
    person.answers(VERSION, ENTER)
    person.answers(ADDONS, ENTER)
    person.answers(CLUSTERS, ENTER)
    person.answers(ENVIRONMENTS, "[dev]", ENTER)
    person.terminal.expect(re.escape('workloads[0].environments[0]: "prod" is not an environment; use dev'))
    assert person.is_done() == 1
    assert not (tmp_path / "repository").exists()


def test_bad_given_answers_are_refused_before_anything_is_asked(sit_down: Sit, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    data.write_text('workloads: [{name: whoami, image: "whoami:latest", environments: [prod]}]\n')
    person = sit_down("--data", "domain=Example.com", "--data-file", str(data))
    assert person.terminal.expect(["2 problems with the answers:", *QUESTIONS]) == 0
    assert person.is_done() == 1
    assert not (tmp_path / "repository").exists()
