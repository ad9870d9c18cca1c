"""Objects that the admission policies accept and reject. Both gates, the API server and Kyverno, are tested with them.

Each violation is an object that breaks one rule and no other. A module per topic has `accepted(domain)` and
`violations(domain)`. The word WORKLOAD in an object is replaced by the name of the workload.
"""

from __future__ import annotations

import json

from tests.support.policies import limits, middlewares, networks, others, own, pods, routes, secretstores, systems
from tests.support.policies.objects import (
    IMAGE,
    MAKERS,
    Object,
    Violation,
    maker,
    marked,
    named,
    pod,
    route,
    served,
    service,
)
from tests.support.policies.own import MARKS, METADATA

TOPICS = (pods, limits, own, others, routes, middlewares, networks, secretstores, systems)

__all__ = [
    "IMAGE",
    "MAKERS",
    "MARKS",
    "METADATA",
    "TOPICS",
    "Object",
    "Violation",
    "accepted",
    "excepted",
    "maker",
    "marked",
    "named",
    "pod",
    "route",
    "served",
    "service",
    "violations",
]


def accepted(domain: str, workload: str = "shop") -> list[Object]:
    """Return objects of a workload that no policy rejects, in an environment of the domain, under names that differ."""
    return named([_of(workload, item) for topic in TOPICS for item in topic.accepted(domain)])


def violations(domain: str, workload: str = "shop") -> dict[str, Violation]:
    """Return one violation of each rule by a workload, in an environment of the domain, under names that differ."""
    found = {what: violation for topic in TOPICS for what, violation in topic.violations(domain).items()}
    names = named([_of(workload, violation.item) for violation in found.values()])
    return {
        what: violation._replace(item=item, message=violation.message.replace("WORKLOAD", workload))
        for (what, violation), item in zip(found.items(), names, strict=True)
    }


def _of(workload: str, item: Object) -> Object:
    """Return an object with the name of the workload filled in."""
    return dict(json.loads(json.dumps(item).replace("WORKLOAD", workload)))


def excepted(seeded: str, policy: str, namespace: str) -> str:
    """Return the seeded file of exceptions with its example for a policy and a namespace."""
    text = _with_example(seeded, 0)
    return text.replace("workload-pods", policy).replace("<workload>-<environment>", namespace)


def excepted_addon(seeded: str, addon: str, cluster: str) -> str:
    """Return the seeded file of exceptions with its example for an add-on in a cluster."""
    return _with_example(seeded, 1).replace("<addon>", addon).replace("<cluster>", cluster)


def _with_example(seeded: str, number: int) -> str:
    head, _, rest = seeded.partition("patches: []\n")
    first, marker, second = rest.partition("# patches:\n")[2].partition("#   # An add-on")
    example = (first, marker + second)[number]
    return head + "patches:\n" + "".join(line.removeprefix("# ") for line in example.splitlines(keepends=True))
