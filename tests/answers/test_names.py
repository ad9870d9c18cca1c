"""The answers and the rendered checks accept the same names of workloads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gitops import names
from tests.support.engines import ROOT
from tests.support.properties import up_to
from tests.support.repository import examples

DEFINITIONS: dict[str, Any] = json.loads((ROOT / "hooks/answers.schema.json").read_text())["definitions"]
LIMITS = (names.WORKLOAD_LENGTH, names.APPLICATION_LENGTH)
MINIMAL = examples()["minimal"]
ENVIRONMENTS = ("dev", "e" * 23)


def test_both_have_the_same_limits_and_reserved_names() -> None:
    assert DEFINITIONS["name"]["maxLength"] == names.WORKLOAD_LENGTH
    assert DEFINITIONS["object_name"]["maxLength"] == names.APPLICATION_LENGTH
    assert tuple(DEFINITIONS["reserved_words"]["enum"]) == names.WORDS
    assert tuple(DEFINITIONS["reserved_namespaces"]["enum"]) == names.NAMESPACES


# Names at each limit, with invalid first and last characters, and reserved words.
around = st.builds(
    lambda length, first, last: first + "a" * max(0, length - 2) + last,
    st.integers(0, 4).flatmap(lambda more: st.sampled_from([limit - 2 + more for limit in LIMITS] + [1 + more])),
    st.sampled_from(["a", "z", "1", "-", "A", "ä"]),
    st.sampled_from(["a", "9", "-", "_", "\n", "."]),
)
words = st.sampled_from(
    [
        *names.WORDS,
        *names.OTHERS,
        "con",
        "com0",
        "com1",
        "com10",
        "kube-a",
        "kubea",
        "cert",
        "external",
        "aws",
        "argocd",
        "root",
    ]
)


@up_to(150)
@given(workload=around | words, environment=st.sampled_from(ENVIRONMENTS))
@example(workload="customer-notification-preferences-api", environment="e" * 23)
def test_the_answers_and_the_check_refuse_the_same_names(
    workload: str, environment: str, find_problems: Callable[[dict[str, Any]], list[str]]
) -> None:
    entry = {"name": workload, "image": "ghcr.io/acme/shop:1.0.0"}
    problems = find_problems(MINIMAL | {"environments": [environment], "workloads": [entry]})
    about_names = [problem for problem in problems if re.match(r"workloads(\[0\]\.name)?:", problem)]
    refused = names.problem(workload, environment, {"external-dns", "traefik"})
    assert bool(about_names) == bool(refused), (workload, environment, problems, refused)
    assert len(about_names) == len(problems)
