"""Count what happens, in one line."""

from __future__ import annotations

from collections import Counter

from gitops.comparison import Report
from gitops.lifecycles import KINDS_WITH_PODS

# How the line names what happens to applications, after their number.
APPLICATIONS = {
    "changed": ("changes", "change"),
    "added": ("is new", "are new"),
    "moved": ("moves", "move"),
    "removed": ("is deleted", "are deleted"),
    "kept": ("loses its owner", "lose their owner"),
}


# What the line counts of objects: the effect, its verb, and the kinds.
EFFECTS = (
    ("restarted", "restart", KINDS_WITH_PODS),
    ("changed", "change", ("CronJob",)),
    ("hooks", "run", ("Job",)),
)


def headline(report: Report) -> str:
    """Return such as: 10 applications change, 12 Deployments restart, 2 CronJobs change, 1 Job runs, 4 protected."""
    counts = Counter(change.what for change in report.changes)
    parts = [f"{counts[what]} {verbs[counts[what] != 1]}" for what, verbs in APPLICATIONS.items() if counts[what]]
    if not parts:
        return "0 applications change"
    first, _, verb = parts[0].partition(" ")
    parts[0] = f"{first} application{_many(int(first))} {verb}"
    for effect, verb, kinds in EFFECTS:
        names = [name.partition("/")[0] for change in report.changes for name in getattr(change, effect)]
        counted = Counter(name for name in names if name in kinds)
        parts += [
            f"{count} {kind}{_many(count)} {verb}{'' if count > 1 else 's'}" for kind, count in sorted(counted.items())
        ]
    deleted = sum(len(change.deleted) for change in report.changes)
    parts += [f"{deleted} object{_many(deleted)} {'is' if deleted == 1 else 'are'} deleted"] if deleted else []
    protected = sum(change.is_protected for change in report.changes)
    return ", ".join([*parts, f"{protected} protected"] if protected else parts)


def _many(count: int) -> str:
    return "s" if count > 1 else ""
