"""Read the tables behind docs/sizing.md: hooks/sizing.json, and the requests in hooks/addons.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from tests.support.engines import ROOT


class Requests(NamedTuple):
    """CPU in millicores, memory in Mi, and a number of pods."""

    cpu: int = 0
    memory: int = 0
    pods: int = 0

    def __add__(self, other: object) -> Requests:
        """Return the sum, amount by amount."""
        assert isinstance(other, Requests)
        return Requests(*(own + its for own, its in zip(self, other, strict=True)))

    def times(self, count: int) -> Requests:
        """Return the requests of several."""
        return Requests(*(count * amount for amount in self))


@cache
def table() -> dict[str, Any]:
    """Return what Argo CD and EKS request, and what nodes offer."""
    return dict(json.loads((ROOT / "hooks/sizing.json").read_text()))


def addons() -> dict[str, Requests]:
    """Return what each add-on of the template requests."""
    entries = json.loads((ROOT / "hooks/addons.json").read_text())
    return {name: Requests(**entry["requests"]) for name, entry in entries.items()}


def size(name: str) -> Requests:
    """Return what a node of a size offers."""
    (found,) = [entry for entry in table()["sizes"] if entry["name"] == name]
    return Requests(found["cpu"], found["memory"], found["pods"])


def per_pod(requests: dict[str, int]) -> dict[str, str]:
    """Return the requests of one pod, in Kubernetes' form, from the total."""
    amounts = {
        "cpu": f"{requests['cpu'] // requests['pods']}m",
        "memory": f"{requests['memory'] // requests['pods']}Mi",
    }
    return {resource: amount for resource, amount in amounts.items() if not amount.startswith("0")}
