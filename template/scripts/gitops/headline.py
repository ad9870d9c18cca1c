"""Summarize a comparison in one line."""

from __future__ import annotations

from collections import Counter

from gitops.comparison import Report
from gitops.lifecycles import KINDS_WITH_PODS

# The verb for one application, and for several.
APPLICATIONS = {
    "changed": ("changes", "change"),
    "added": ("is new", "are new"),
    "moved": ("moves", "move"),
    "removed": ("is deleted", "are deleted"),
    "kept": ("loses its owner", "lose their owner"),
}
# Objects that the line counts: the field of a Change, the verb, and the kinds.
EFFECTS = (
    ("restarted", "restart", KINDS_WITH_PODS),
    ("recreated", "restart", KINDS_WITH_PODS),
    ("scaled", "scale", KINDS_WITH_PODS),
    ("changed", "change", ("CronJob",)),
    ("hooks", "run", ("Job",)),
)
# Objects of any kind.
OTHERS = (
    ("deleted", "is deleted", "are deleted"),
    ("kept", "stays without an owner", "stay without an owner"),
    ("replaced", "is rejected by the API server", "are rejected by the API server"),
)


def headline(report: Report) -> str:
    """Return the counts, such as: 10 applications change, 12 Deployments restart, 4 applications are protected."""
    changes = report.changes
    counts = Counter(change.what for change in changes)
    parts = [f"{counts[what]} {verbs[counts[what] != 1]}" for what, verbs in APPLICATIONS.items() if counts[what]]
    unknown = [f"{_number(len(report.uncompared), 'application')} could not be compared"] if report.uncompared else []
    if not parts:
        return ", ".join(["0 applications change", *unknown])
    first, _, verb = parts[0].partition(" ")
    parts[0] = f"{_number(int(first), 'application')} {verb}"
    parts += unknown
    by_verb: dict[str, Counter[str]] = {}
    for effect, verb, kinds in EFFECTS:
        names = [name.partition("/")[0] for change in changes for name in getattr(change, effect)]
        by_verb.setdefault(verb, Counter()).update(name for name in names if name in kinds)
    for verb, counted in by_verb.items():
        parts += [f"{_number(count, kind)} {verb}{'s' * (count == 1)}" for kind, count in sorted(counted.items())]
    for effect, one, several in OTHERS:
        # The objects of an Application that loses its owner are counted with it.
        if count := sum(len(getattr(change, effect)) for change in changes if change.what != effect):
            parts.append(f"{_number(count, 'object')} {one if count == 1 else several}")
    dns_changes = {"added": report.hosts_added, "removed": report.hosts_removed, "moved": report.hosts_changed}
    for verb, hosts in dns_changes.items():
        parts += [f"{_number(len(hosts), 'DNS name')} {_be(len(hosts))} {verb}"] if hosts else []
    if protected := sum(change.is_protected for change in changes):
        parts.append(f"{_number(protected, 'application')} {_be(protected)} protected")
    return ", ".join(parts)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
