"""Errors in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.answers import recorded
from tests.support.cases import minimal
from tests.support.terminal import (
    BRANCH,
    CERTIFICATE,
    CI,
    CLEAR,
    DOMAIN,
    ENTER,
    ENVIRONMENTS,
    QUESTIONS,
    REPO_URL,
    VERSION,
    WORKLOADS,
    Person,
)

COLUMNS = 80
WRONG_WORKLOAD = '[{name: api, imgae: "api:1.4.2", port: 70000}]'

Sit = Callable[..., Person]


@pytest.fixture
def sit_down_with(sit_down: Callable[..., Person], tmp_path: Path) -> Sit:
    """Start `copier copy` in a terminal, with a file of answers."""

    def start(**answers: object) -> Person:
        data = tmp_path / "answers.yaml"
        data.write_text(yaml.safe_dump(answers))
        return sit_down("--data-file", str(data), columns=COLUMNS)

    return start


def test_a_prompt_shows_the_fix_first_and_in_full(sit_down_with: Sit, tmp_path: Path) -> None:
    given = {"dns_provider": "route53", "load_balancer": "eks-auto-mode", "addons": [], "clusters": ["main"]}
    person = sit_down_with(**given)
    person.answers(REPO_URL, "github.com/acme/ops", ENTER)
    person.is_told("question 'repo_url': use https://github.com/acme/ops.git", "git@host:acme/gitops.git", ENTER)
    person.answers(BRANCH, ENTER)
    person.answers(DOMAIN, "https://Example.com/", ENTER)
    person.is_told("question 'domain': use example.com", "example.com", ENTER)
    person.answers(VERSION, CLEAR, "1.29", ENTER)
    person.is_told("'kubernetes_version': 1.31 or later, such as 1.36", '"1.35"', ENTER)
    person.is_told("use 1.35, without quotes", "1.35", ENTER)
    person.answers(ENVIRONMENTS, "[prod, eu-prod]", ENTER)
    person.is_told("question 'environments': use a name such as euprod at [1]", "[dev]", ENTER)
    person.answers(CERTIFICATE, "arn:aws:iam::123456789012:server-certificate/web", ENTER)
    person.is_told("'acm_certificate_arn': copy the ARN from ACM", str(minimal()["acm_certificate_arn"]), ENTER)
    person.answers(WORKLOADS, WRONG_WORKLOAD, ENTER)
    person.is_told("'workloads': imgae -> image? at [0] (+1)", WRONG_WORKLOAD.replace("imgae", "image"), ENTER)
    person.is_told("use 1-65535 at [0].port", WRONG_WORKLOAD.replace("imgae", "image").replace("70000", "80"), ENTER)
    person.answers(CI, ENTER)
    assert person.is_done() == 0
    assert recorded(tmp_path / "repository")["workloads"] == [{"name": "api", "image": "api:1.4.2", "port": 80}]


def test_bad_given_answers_are_listed_before_anything_is_asked(sit_down_with: Sit, tmp_path: Path) -> None:
    workload = {"name": "api", "image": "api:latest", "envFrom": []}
    person = sit_down_with(domain="Example.com", workloads=[workload])
    for line in (
        "2 problems with the answers:\r\n\r\n  domain: ",
        "  workloads[0].envFrom: is not a known field; ",
        "Nothing was written: 2 problems, listed above.",
        "parameter 'valid_answers' was not provided",
    ):
        assert person.terminal.expect_exact([line, *QUESTIONS]) == 0
    assert person.is_done() == 1
    assert not (tmp_path / "repository").exists()
