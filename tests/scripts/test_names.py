"""The names of folders: an application name is at most as long as a namespace, 63 characters."""

from __future__ import annotations

import pytest

from gitops import checks
from tests.support.checkout import Checkout


@pytest.mark.parametrize(("length", "state"), [(63, checks.State.OK), (64, checks.State.FAILED)])
def test_an_application_name_is_as_long_as_a_namespace_can_be(
    checkout: Checkout, length: int, state: checks.State
) -> None:
    workload = "a" * (length - len("-dev"))
    checkout.write(f"apps/workloads/{workload}/overlays/dev/kustomization.yaml", "resources: []\n")
    (result,) = checks.run(checkout.path, only=["folders"])
    assert result.state is state
    assert all("use at most 63 lowercase letters" in problem for problem in result.problems)
