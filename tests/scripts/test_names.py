"""Each invalid name of a workload is rejected for one reason. tests/answers compares them with the answers."""

from __future__ import annotations

import pytest

from gitops import checks, names
from tests.support.checkout import Checkout


@pytest.mark.parametrize(
    ("workload", "environment", "message"),
    [
        ("a" * 35, "production-with-a-long-name", ""),
        ("a" * 36, "production-with-a-long-name", "has 64 characters, and a namespace at most 63"),
        ("a" * 41, "dev", "is not a workload name: use at most 40 lowercase letters"),
        ("Shop", "dev", "is not a workload name"),
        ("shop-", "dev", "is not a workload name"),
        ("on", "dev", "on is reserved"),
        ("com0", "dev", "com0 is reserved"),
        ("lpt9", "dev", "lpt9 is reserved"),
        ("com10", "dev", ""),
        ("kube-proxy", "dev", "kube-proxy is reserved"),
        ("cert", "manager", "the namespace cert-manager belongs to the platform"),
        ("external", "dns", "the namespace external-dns belongs to the platform"),
        ("customer-notification-preferences-api", "production-europe", ""),
    ],
)
def test_a_name_is_refused_for_one_reason(workload: str, environment: str, message: str) -> None:
    problem = names.problem(workload, environment, {"external-dns"})
    assert message in problem
    assert bool(problem) == bool(message)


@pytest.mark.parametrize(("length", "state"), [(40, checks.State.OK), (41, checks.State.FAILED)])
def test_the_check_of_a_repository_refuses_a_folder_with_such_a_name(
    checkout: Checkout, length: int, state: checks.State
) -> None:
    checkout.write(f"apps/workloads/{'a' * length}/overlays/dev/kustomization.yaml", "resources: []\n")
    (result,) = checks.run(checkout.path, only=["folders"])
    assert result.state is state
    assert all("use at most 40 lowercase letters" in problem for problem in result.problems)
