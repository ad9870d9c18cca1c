"""The answers of public systems are accepted, and the table in the documentation has their figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support.cases import Answers
from tests.support.repository import ROOT
from tests.support.systems import FOLDER, systems

SYSTEMS = systems()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_accepted(name: str, find_problems: Callable[[Answers], list[str]]) -> None:
    assert find_problems(SYSTEMS[name]) == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_table_has_the_figures_of_a_system(name: str) -> None:
    (row,) = re.findall(rf"^\| \[.+\]\(.+/{name}\.yaml\) \|.+$", (ROOT / "docs/systems.md").read_text(), re.MULTILINE)
    components = sum(len(workload.get("components", [workload])) for workload in SYSTEMS[name]["workloads"])
    lines = [line.strip() for line in (FOLDER / f"{name}.yaml").read_text().splitlines()]
    answers = sum(1 for line in lines if line and not line.startswith("#"))
    assert [int(cell) for cell in re.findall(r" (\d+) \|", row)][::2] == [components, answers], row
