"""Combine valid cases of answers into few repositories: rendering and checking each alone would take minutes."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.support.cases import Answers, Case, minimal


@dataclass
class Combination:
    """Cases that change different answers, or bring workloads of different names."""

    cases: list[str] = field(default_factory=list)
    changes: Answers = field(default_factory=dict)

    @property
    def answers(self) -> Answers:
        return minimal() | self.changes

    def takes(self, changes: Answers) -> bool:
        """Add the changes of a case unless they conflict with others, and return whether they were added."""
        both = self.changes.keys() & changes.keys()
        if any(self.changes[name] != changes[name] for name in both - {"workloads"}):
            return False
        if "workloads" in both and not (self.changes["workloads"] and changes["workloads"]):
            return False
        if {
            "domain",
            "clusters",
        } <= self.changes.keys() | changes.keys():  # Endpoints of clusters are names in the domain.
            return False
        workloads = self.changes.get("workloads", []) + changes.get("workloads", [])
        names = [workload["name"] for workload in workloads]
        all_changes = self.changes | changes | ({"workloads": workloads} if workloads else {})
        if len(names) != len(set(names)) or (workloads and not _has_dev(all_changes)):
            return False
        self.changes = all_changes
        return True


def combine(cases: list[Case]) -> list[Combination]:
    """Return as few combinations as a simple search finds."""
    combinations: list[Combination] = []
    for case in cases:
        changes = _changes(case)
        for combination in combinations:
            if combination.takes(changes):
                break
        else:
            combination = Combination(changes=changes)
            combinations.append(combination)
        combination.cases.append(case.name)
    return combinations


def _changes(case: Case) -> Answers:
    """Return the answers that a case changes. A workload that is changed alone gets a unique name."""
    smallest = minimal()
    changes: dict[str, Any] = {name: value for name, value in case.answers.items() if value != smallest.get(name)}
    if case.changes_first_workload:
        changes = copy.deepcopy(changes)
        changes["workloads"][0]["name"] = case.name[:32].rstrip("-")
    return changes


def _has_dev(changes: Answers) -> bool:
    """Return whether there is the only environment that workloads of a case without environments can refer to."""
    environments = changes.get("environments", ["dev"])
    return "dev" in [given["name"] if isinstance(given, dict) else given for given in environments]
