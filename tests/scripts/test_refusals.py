"""Reports about changes that the API server rejects. tests/cluster runs the same table against the API server."""

from __future__ import annotations

import pytest

from gitops.refusals import refusals
from tests.support.validation.live import CASES


@pytest.mark.parametrize("name", CASES)
def test_what_the_api_server_refuses_is_told_with_its_fix(name: str) -> None:
    old, new, fix = CASES[name]
    told = refusals(old, new)
    assert len(told) == bool(fix), told
    assert all(fix in text for text in told)


def test_an_object_that_does_not_change_is_not_refused() -> None:
    assert [refusals(old, old) for old, _, _ in CASES.values()] == [[] for _ in CASES]
