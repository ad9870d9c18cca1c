"""The tasks that run kubectl: bootstrap, ui and logs, with stand-ins for kubectl and the AWS CLI."""

from __future__ import annotations

import base64
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from gitops import kubectl
from gitops.tree import Tree
from tests.support.checkout import Checkout
from tests.support.kubectl import StandIns

REMEDY = "aws eks update-kubeconfig --name prod --region eu-central-1 --alias prod"
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
NAME, OPTIONS = "app.kubernetes.io/name", "--all-containers --prefix --max-log-requests=50"


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Return both clusters of the example. Argo CD runs in prod."""
    stand_ins = StandIns(tmp_path / "stand-ins", "nonprod", "prod")
    for name, value in stand_ins.variables.items():
        monkeypatch.setenv(name, value)
    return stand_ins


@pytest.fixture
def checkout(original: Path) -> Checkout:
    """Return the repository itself, which no test here changes."""
    return Checkout(original, {})


def outcome(result: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    assert "Traceback" not in result.stderr
    return result.returncode, result.stderr.strip()


def documented(checkout: Checkout) -> list[list[str]]:
    """Return the commands of docs/installation.md, 4. Bootstrap."""
    page = (checkout.path / "docs/installation.md").read_text()
    (block,) = re.findall(r"^## 4\. Bootstrap\n.*?^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for line in re.split(r"&&\n|\n", block.replace("\\\n", "")) if line.strip()]


def test_bootstrap_runs_what_the_documentation_says(checkout: Checkout, clusters: StandIns) -> None:
    result = checkout.script("cluster.py", "bootstrap", "prod", "--yes")
    assert outcome(result) == (0, "")
    commands = documented(checkout)
    assert len(commands) == 3 and all(command[:3] == ["kubectl", "--context", "prod"] for command in commands)
    assert [["kubectl", *shlex.split(call)] for call in clusters.calls()[2:]] == commands
    assert "kubectl --context prod get applications --namespace argocd --watch" in result.stdout


def test_bootstrap_stops_at_the_first_command_that_fails(checkout: Checkout, clusters: StandIns) -> None:
    clusters.write("status", "3")
    status, errors = outcome(checkout.script("cluster.py", "bootstrap", "--yes"))
    assert status == 3 and "then repeat" in errors
    assert len([call for call in clusters.calls() if call.startswith("--context")]) == 1


@pytest.mark.parametrize(
    ("file", "text", "arguments", "message"),
    [
        ("", "", ["nonprod"], "Argo CD runs in prod, not in nonprod: mise run bootstrap prod."),
        (
            "contexts/prod",
            "https://nonprod.eks.test",
            [],
            f"the cluster is at https://prod.eks.test. Replace it: {REMEDY}",
        ),
        ("expired", "", [], "aws eks describe-cluster --name: The SSO session associated with this profile has exp"),
        ("", "", ["prod"], "there is no terminal to confirm it. Repeat with --yes"),
    ],
)
def test_bootstrap_changes_nothing_in_doubt(
    file: str, text: str, arguments: list[str], message: str, checkout: Checkout, clusters: StandIns
) -> None:
    if file:
        clusters.write(file, text)
    status, errors = outcome(checkout.script("cluster.py", "bootstrap", *arguments))
    assert status == 1 and message in errors
    assert not [call for call in clusters.calls() if call.startswith("--context")]


@pytest.mark.parametrize("command", [["bootstrap"], ["ui"], ["logs", "shop", "prod"]])
def test_a_missing_context_is_named_with_the_command_that_creates_it(
    command: list[str], checkout: Checkout, clusters: StandIns
) -> None:
    assert REMEDY in (checkout.path / "docs/installation.md").read_text()
    (clusters.folder / "contexts/prod").unlink()
    assert outcome(checkout.script("cluster.py", *command)) == (1, f"kubectl has no context prod. Create it: {REMEDY}")


def test_without_kubectl_there_is_one_line(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert outcome(checkout.script("cluster.py", "ui")) == (
        1,
        "kubectl is not installed: docs/installation.md#1-prerequisites",
    )


@pytest.mark.parametrize("password", ["correct horse", ""])
def test_ui_prints_the_password_and_forwards_the_port(password: str, checkout: Checkout, clusters: StandIns) -> None:
    if password:
        clusters.write("password", base64.b64encode(password.encode()).decode())
    result = checkout.script("cluster.py", "ui", "--port", "8443")
    assert outcome(result) == (0, "")
    assert "https://localhost:8443" in result.stdout
    assert ("password correct horse" if password else "password: the one that you set") in result.stdout
    page = (checkout.path / "docs/installation.md").read_text()
    assert f"kubectl {clusters.calls()[-1].replace('8443', '8080')}\n" in page


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["shop", "dev"], f"{NAME} in (api,web,worker) {OPTIONS} --tail=100 --follow"),
        (["shop", "dev", "api"], f"{NAME}=api {OPTIONS} --tail=100 --follow"),
        (["shop", "dev", "api", "--previous"], f"{NAME}=api {OPTIONS} --tail=100 --previous"),
        (["shop", "dev", "api", "--since", "1h"], f"{NAME}=api {OPTIONS} --since=1h --tail=-1 --follow"),
    ],
)
def test_logs_are_followed_in_the_cluster_of_the_environment(
    arguments: list[str], expected: str, checkout: Checkout, clusters: StandIns
) -> None:
    assert outcome(checkout.script("cluster.py", "logs", *arguments)) == (0, "")
    assert clusters.calls()[-1] == f"--context nonprod logs --namespace shop-dev --selector {expected}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shpo", "dev"], "shpo is not a workload. Did you mean shop? There are: reports, shop"),
        (["reports", "dev"], "dev is not an environment of reports. There are: prod, staging"),
        (["shop", "prd"], "prd is not an environment of shop. Did you mean prod? There are: dev, prod, staging"),
        (["shop", "dev", "wbe"], "wbe is not a component of shop. Did you mean web? There are: api, web, worker"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_exist(
    arguments: list[str], message: str, checkout: Checkout, clusters: StandIns
) -> None:
    assert outcome(checkout.script("cluster.py", "logs", *arguments)) == (1, message)
    assert clusters.calls() == []


def test_logs_of_a_job_are_there_by_its_name_only(with_jobs: Checkout, clusters: StandIns) -> None:
    assert outcome(with_jobs.script("cluster.py", "logs", "shop", "dev", "api-report"))[0] == 0
    (labels,) = re.findall(r"--selector (\S+)", clusters.calls()[-1])
    job = (with_jobs.path / "apps/workloads/shop/base/api.yaml").read_text().partition("kind: CronJob")[2]
    assert all(label.replace("=", ": ") in job for label in labels.split(","))
    assert outcome(with_jobs.script("cluster.py", "logs", "shop", "dev"))[0] == 0
    assert "app.kubernetes.io/name in (api,api-docs,web,worker)" in clusters.calls()[-1]


@pytest.mark.parametrize(
    ("cluster", "everywhere", "expected"),
    [
        ({"aws_region": "eu-west-1", "acm_certificate_arn": ARN}, {}, "eu-west-1"),
        ({"acm_certificate_arn": ARN}, {"aws_region": "eu-west-1"}, "eu-central-1"),
        ({}, {"aws_region": "eu-west-1", "acm_certificate_arn": ARN}, "eu-west-1"),
        ({}, {"aws_region": "", "acm_certificate_arn": ARN}, "eu-central-1"),
        ({}, {"acm_certificate_arn": ""}, "<region>"),
    ],
)
def test_the_region_is_that_of_the_answers(
    cluster: dict[str, str], everywhere: dict[str, str], expected: str, tmp_path: Path
) -> None:
    tree = Tree(tmp_path, "test")
    tree.answers = everywhere | {"clusters": [cluster | {"name": "main"}, "other"]}
    assert kubectl.region(tree, "main") == expected
