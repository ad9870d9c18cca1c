"""A failed query of the preflight is reported with the tool's error, and never with a change of the cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.preflight import READY, Preflight
from tests.support.repository import Repository

# Advice that is valid only after a successful query.
CHANGES = ("upgrade", "request-certificate", "create-addon", "modify-instance", "Create", "Uninstall", "Enable", "Set ")
EVERYTHING = {
    "addons": ("main", "*.dev.example.com\t*.prod.example.com", "example.com"),
    "minimal": ("main", "*.dev.example.com", "example.com"),
    "stages": ("nonprod", READY["CERTIFICATE_NAMES"], "acme.io"),
    "ccore": ("dev", "*.ccore.ai", "ccore.ai"),
}
EXPIRED = "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: the token is expired"
UNREACHABLE = "Unable to connect to the server: dial tcp: lookup endpoint: no such host"


@pytest.fixture
def preflight(stages: Repository, tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with Route 53."""
    return Preflight(stages.path, tmp_path)


def lines_of(printed: str, result: str) -> list[str]:
    """Return what was reported with a result."""
    return [line.removeprefix(result).strip() for line in printed.splitlines() if line.startswith(result)]


@pytest.mark.parametrize(
    "name", ["addons", *(pytest.param(name, marks=pytest.mark.proof) for name in EVERYTHING if name != "addons")]
)
def test_each_call_that_fails_is_reported_with_the_tools_words_and_without_advice(
    name: str, repositories: Callable[[str], Repository], tmp_path: Path
) -> None:
    """Every call to aws and kubectl fails once, while the others succeed."""
    cluster, certificate, zone = EVERYTHING[name]
    preflight, calls = Preflight(repositories(name).path, tmp_path), tmp_path / "calls"
    found = {
        "CERTIFICATE_NAMES": certificate,
        "HOSTED_ZONES": f"/hostedzone/Z1\\t{zone}.\\n",
        "CLOUDFLARE_ZONE": zone,
    }
    complete = preflight(cluster, CALLS=str(calls), **found)
    assert complete.returncode == 0, complete.stdout
    asked = [line for line in calls.read_text().splitlines() if not line.startswith("curl")]
    assert len({*asked}) > 10
    for call in dict.fromkeys(asked):
        done = preflight(cluster, BROKEN=call, **found)
        assert done.returncode == 1, call
        assert lines_of(done.stdout, "could not check:"), call
        assert f"\n      {READY['ERROR']}\n" in done.stdout, call
        assert "debugging output" not in done.stdout
        assert lines_of(done.stdout, "FAIL") == [], call
        assert not any(advice in done.stdout for advice in CHANGES), call
        assert done.stdout.splitlines()[-1].startswith("Not ready: "), call
        assert done.stderr == ""


def test_expired_credentials_are_the_only_thing_reported(preflight: Preflight) -> None:
    done = preflight(BROKEN_TOOL="aws", ERROR=EXPIRED)
    assert done.returncode == 1
    assert lines_of(done.stdout, "could not check:") == ["which AWS account your credentials are for"]
    assert f"      {EXPIRED}\n      Sign in to AWS" in done.stdout
    assert "FAIL" not in done.stdout.split("Not ready")[0]
    assert "The other checks need this one and did not run.\n" in done.stdout
    assert "0 FAIL, 1 could not check." in done.stdout.splitlines()[-1]


def test_credentials_for_another_account_stop_the_checks(preflight: Preflight) -> None:
    done = preflight(ACCOUNT="999999999999")
    (failure,) = lines_of(done.stdout, "FAIL")
    assert done.returncode == 1
    assert failure == "AWS credentials are for account 999999999999, but the answers have 123456789012"
    assert "AWS_PROFILE" in done.stdout and "EKS" not in done.stdout


def test_a_cluster_that_the_region_does_not_have_stops_the_checks(preflight: Preflight) -> None:
    done = preflight(EKS="away")
    assert lines_of(done.stdout, "FAIL") == ["EKS has no cluster nonprod in region eu-central-1"]
    assert "aws eks list-clusters --region eu-central-1\n" in done.stdout
    assert "kubectl's context" not in done.stdout


def test_a_cluster_that_is_still_being_created_is_waited_for(preflight: Preflight) -> None:
    done = preflight(EKS="CREATING")
    assert lines_of(done.stdout, "FAIL") == ["cluster nonprod in region eu-central-1 is CREATING"]
    assert "aws eks wait cluster-active --name nonprod --region eu-central-1\n" in done.stdout


@pytest.mark.parametrize(
    ("changed", "failure"),
    [
        ({"KUBECTL_SERVER": "https://second"}, "kubectl's context nonprod is another cluster"),
        ({"CONTEXT": "arn:of:nonprod"}, "kubectl has no context nonprod"),
    ],
)
def test_a_context_that_does_not_lead_to_the_cluster_stops_the_checks(
    preflight: Preflight, changed: dict[str, str], failure: str
) -> None:
    done = preflight(**changed)
    assert lines_of(done.stdout, "FAIL") == [failure]
    assert "aws eks update-kubeconfig --name nonprod --region eu-central-1 --alias nonprod\n" in done.stdout
    assert "API server" not in done.stdout


def test_an_api_server_that_does_not_answer_stops_the_checks(preflight: Preflight, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    preflight(CALLS=str(calls))
    (version,) = [line for line in calls.read_text().splitlines() if " version " in line]
    done = preflight(BROKEN=version, ERROR=UNREACHABLE)
    assert lines_of(done.stdout, "could not check:") == ["whether you have access to the API server of nonprod"]
    assert f"      {UNREACHABLE}\n" in done.stdout
    assert "Kubernetes is" not in done.stdout


def test_every_call_names_the_cluster_that_it_means(preflight: Preflight, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    preflight(CALLS=str(calls))
    for line in calls.read_text().splitlines():
        expected = {"aws": "--region eu-central-1", "kubectl": "--context nonprod"}.get(line.split()[0], "")
        assert expected in line


def test_a_download_that_fails_is_no_wrong_checksum(preflight: Preflight) -> None:
    done = preflight(MANIFEST="/missing")
    assert done.returncode == 1
    assert lines_of(done.stdout, "could not check:") == ["the checksum of Argo CD's manifest"]
    assert "No such file" in done.stdout and "Do not bootstrap" not in done.stdout


def test_a_tool_that_is_missing_stops_the_checks(preflight: Preflight, tmp_path: Path) -> None:
    preflight()
    (tmp_path / "aws").unlink()
    folder = tmp_path / "only"
    folder.mkdir()
    for tool in ("awk", "bash", "cat", "cut", "dirname", "env", "grep", "mktemp", "rm", "sed", "sh"):
        (folder / tool).symlink_to(f"/usr/bin/{tool}")
    for tool in ("kubectl", "curl"):
        (folder / tool).symlink_to(tmp_path / tool)
    done = preflight(PATH=str(folder))
    assert lines_of(done.stdout, "FAIL") == ["aws is not installed"]
    assert "Install it: https://docs.aws.amazon.com/" in done.stdout
    assert "account" not in done.stdout


@pytest.mark.parametrize("words", [[], ["other"], ["nonprod", "--step"], ["nonprod", "--step", "7"], ["nonprod", "x"]])
def test_wrong_usage_is_explained(preflight: Preflight, words: list[str]) -> None:
    done = preflight(*(words or [""]))
    assert done.returncode == 2 and done.stdout == ""
    assert "usage: bootstrap/preflight.sh <cluster> [option]\n" in done.stderr
    assert "clusters: nonprod|prod\n" in done.stderr
