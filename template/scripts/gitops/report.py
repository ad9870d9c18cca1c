"""Print a comparison for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from gitops.changes import Change
from gitops.comparison import Report
from gitops.headline import headline
from gitops.same import grouped
from gitops.text import code, code_block, markdown, printable, printable_lines

VERBS = {
    "added": "new",
    "removed": "DELETED with all its objects",
    "kept": "removed from Git, but stays in the cluster without an owner",
    "moved": "MOVES",
    "changed": "changes",
}
# GitHub takes 65,536 characters, of which the pipeline needs some.
COMMENT_LENGTH = 60_000
# How many Applications the conclusion names.
NAMES = 50
CUT = "The report is too long for a comment: run scripts/blast_radius.py to see all of it."
EFFECTS = ("restarted", "replaced", "deleted", "kept", "added", "scaled", "changed", "recreated", "hooks", "waiting")
# How a row names an effect.
ROW_WORDS = {"hooks": "run as a hook", "waiting": "run at the next sync"}
TITLES = {
    "outdated": "Starts with another image than it should",
    "data_lost": "Data is deleted",
    "data_left": "Data stays, but nothing uses it",
    "secrets": "Secrets from outside (docs/operations.md, Give a workload a secret)",
    "grown": "Volumes grow, if their storage class has allowVolumeExpansion: true",
    "successors": "Renamed, it seems (docs/operations.md, Rename without an outage)",
    "restarted": "Pods restart",
    "refused": "The API server refuses the change, and the sync fails",
    "deleted": "Deleted",
    "kept": "Removed from Git, stays in the cluster",
    "recreated": "Deleted and created again, as its sync options say",
    "hooks": "Jobs and other hooks that run, as in each sync",
    "waiting": "Hooks that change, but do not run before the next sync, since nothing else changes",
    "added": "New",
    "images": "New, with these images",
}


def conclusion(report: Report) -> str:
    """Return the most important sentence."""
    incomplete = " Not everything could be compared." if report.problems else ""
    lost = [change.application for change in report.changes if change.loses]
    outdated = [change.application for change in report.changes if change.is_outdated]
    sentences = [f"Something protected is lost: {_listed(lost)}."] if lost else []
    data = [change.application for change in report.changes if change.data_lost]
    sentences += [f"Data is deleted: {_listed(data)}."] if data else []
    if outdated:
        sentences.append(f"Something protected starts with another image than it should: {_listed(outdated)}.")
    if any(notice.is_serious for notice in report.notices):
        sentences.append("Argo CD cannot follow this in one commit.")
    if sentences or incomplete:
        return f"{' '.join(sentences)}{incomplete}".strip()
    return "Nothing protected is lost." if report.changes else "Nothing changes in any cluster."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{', '.join(names[:NAMES])}{more}"


def as_text(report: Report, with_differences: bool) -> str:
    """Return the report for a terminal."""
    rows = [tuple(map(printable, _row(change))) for change in report.changes]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [headline(report), f"{report.before} → {report.after}", ""]
    lines += [f"{name:{widths[0]}}  {cluster:{widths[1]}}  {effect}" for name, cluster, effect in rows]
    lines += [""] * bool(rows) + _details(report)
    if with_differences:
        for names, text in grouped(report.changes):
            lines += [f"--- {', '.join(names)}", text, ""]
    return "\n".join(map(printable_lines, [*lines, conclusion(report)]))


def as_markdown(report: Report, with_differences: bool) -> str:
    """Return the report for a comment at a pull request: the conclusion first, and never longer than a comment can be.

    Names and content come from a branch: nothing in them becomes a heading, a link, a mention or HTML.
    """
    lines = [
        f"### {markdown(conclusion(report))}",
        "",
        markdown(headline(report)),
        "",
        f"{code(report.before)} \u2192 {code(report.after)}",
        "",
    ]
    length = len("\n".join(lines)) + len(CUT) + len("</details>")

    def add(block: list[str]) -> bool:
        nonlocal length
        size = sum(len(line) + 1 for line in block)
        if fits := length + size <= COMMENT_LENGTH:
            lines.extend(block)
            length += size
        return fits

    rows = [f"| {' | '.join(map(markdown, row))} |" for row in map(_row, report.changes)]
    table = ["| application | cluster | what happens |", "| --- | --- | --- |", *rows, ""] if rows else []
    details = code_block(_details(report)[:-1], "text") if _details(report) else []
    is_complete = add(table) and add([*details, ""])
    if with_differences and is_complete and any(change.difference for change in report.changes):
        add(["<details><summary>Differences</summary>", ""])
        for names, text in grouped(report.changes):
            block = [f"**{markdown(', '.join(names))}**", "", *code_block([text], "diff"), ""]
            is_complete = add(block) and is_complete
        lines += ["</details>", ""]
    return "\n".join(lines if is_complete else [*lines, CUT])


def as_json(report: Report, with_differences: bool) -> str:
    """Return the report for programs."""
    content = asdict(report) | {"status": report.status, "headline": headline(report), "conclusion": conclusion(report)}
    for entry, change in zip(content["changes"], report.changes, strict=True):
        entry |= {"loses": change.loses, "is_outdated": change.is_outdated}
        if not with_differences:
            del entry["difference"]
    return json.dumps(content, indent=2, ensure_ascii=False)


def _row(change: Change) -> tuple[str, str, str]:
    """Return the name of an Application, its cluster, and what happens."""
    parts = [VERBS[change.what]]
    if change.moved:
        parts.append(change.moved)
    if change.renamed:
        parts.append(f"renamed {'from' if change.what == 'added' else 'to'} {change.renamed}")
    if change.what != "added":
        parts += [
            f"{len(names)} {ROW_WORDS.get(effect, effect)}" for effect in EFFECTS if (names := getattr(change, effect))
        ]
    protected = " (protected)" if change.is_protected else ""
    return change.application + protected, change.cluster, ", ".join(parts)


def _details(report: Report) -> list[str]:
    """Return the lines below the table: which objects, and which DNS names."""
    lines = []
    for effect, title in TITLES.items():
        items = [f"{change.application}: {name}" for change in report.changes for name in getattr(change, effect)]
        lines += [f"{title}:", *(f"  {item}" for item in items), ""] if items else []
    names = [
        *(f"+ {host} → {target}" for host, target in sorted(report.hosts_added.items())),
        *(f"- {host} → {target}" for host, target in sorted(report.hosts_removed.items())),
        *(f"~ {host}: {change}" for host, change in sorted(report.hosts_changed.items())),
    ]
    lines += ["DNS names:", *(f"  {line}" for line in names), ""] if names else []
    if report.notices:
        lines += ["Projects and Argo CD:", *(f"  {notice.text}" for notice in report.notices), ""]
    if report.problems:
        lines += ["Could not be compared:", *(f"  {problem}" for problem in report.problems), ""]
    return lines
