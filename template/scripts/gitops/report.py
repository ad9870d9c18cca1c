"""Print a comparison as text, Markdown or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from gitops.changes import Change
from gitops.comparison import Report
from gitops.grouping import grouped_differences, grouped_items, named
from gitops.headline import headline
from gitops.text import code, code_block, markdown, printable, printable_lines

VERBS = {
    "added": "new",
    "removed": "DELETED with all its objects",
    "kept": "removed from Git, but stays in the cluster without an owner",
    "moved": "MOVES",
    "changed": "changes",
}
# GitHub accepts 65,536 characters. The pipeline adds some of its own.
COMMENT_LENGTH = 60_000
# How many Applications the conclusion names.
NAMES = 50
CUT = "The report is too long for a comment: run scripts/blast_radius.py to see all of it."
EFFECTS = ("restarted", "replaced", "deleted", "kept", "added", "scaled", "changed", "recreated", "hooks", "waiting")
# The words for an effect in a row, if they differ from the name of the field.
ROW_WORDS = {"hooks": "run as a hook", "replaced": "rejected", "waiting": "run at the next sync"}
TITLES = {
    "outdated": "Starts with another image than it should",
    "data_lost": "Data is deleted",
    "data_left": "Data stays, but nothing uses it",
    "secrets": "Secrets that need work (docs/operations.md, Give a workload a secret)",
    "grown": "Volumes grow, if their storage class has allowVolumeExpansion: true",
    "successors": "Probably renamed (docs/operations.md, Rename without an outage)",
    "restarted": "Pods restart",
    "refused": "The API server rejects the change, and the sync fails",
    "deleted": "Deleted",
    "kept": "Removed from Git, stays in the cluster",
    "recreated": "Deleted and created again, because of their sync options",
    "hooks": "Jobs and other hooks that run, as in each sync",
    "waiting": "Changed hooks that run only at the next sync, since nothing else changes",
    "added": "New",
    "images": "New, with these images",
}


def conclusion(report: Report) -> str:
    """Return the most important sentence."""
    incomplete = " Not everything could be compared." if report.problems else ""
    lost = [change for change in report.changes if change.loses]
    outdated = [change for change in report.changes if change.is_outdated]
    sentences = [f"Something protected is lost: {_listed(lost)}."] if lost else []
    data = [change for change in report.changes if change.data_lost]
    sentences += [f"Data is deleted: {_listed(data)}."] if data else []
    if outdated:
        sentences.append(f"Something protected starts with another image than it should: {_listed(outdated)}.")
    if any(notice.is_serious for notice in report.notices):
        sentences.append("Argo CD cannot follow this in one commit.")
    if not sentences and not incomplete:
        sentences = ["Nothing protected is lost." if report.changes else "Nothing changes in any cluster."]
    count = sum(map(len, report.manual.values()))
    manual = f" {count} file{'s' * (count != 1)} must be applied by hand." if count else ""
    return f"{' '.join(sentences)}{incomplete}{manual}".strip()


def _listed(changes: list[Change]) -> str:
    more = f" and {len(changes) - NAMES} more" if len(changes) > NAMES else ""
    return f"{named(changes[:NAMES])}{more}"


def as_text(report: Report, with_differences: bool) -> str:
    """Return the report for a terminal."""
    rows = [tuple(map(printable, _row(change))) for change in report.changes]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [headline(report), f"{report.before} → {report.after}", ""]
    lines += [f"{name:{widths[0]}}  {cluster:{widths[1]}}  {effect}" for name, cluster, effect in rows]
    lines += [""] * bool(rows) + _details(report)
    if with_differences:
        for heading, text in grouped_differences(report.changes):
            lines += [f"--- {heading}", text, ""]
    return "\n".join(map(printable_lines, [*lines, conclusion(report)]))


def as_markdown(report: Report, with_differences: bool) -> str:
    """Return the report for a comment on a pull request: the conclusion first, cut to the length of a comment.

    Names and content come from a branch, so they are escaped: they cannot become a heading, a link, a mention or HTML.
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
        for heading, text in grouped_differences(report.changes):
            block = [f"**{markdown(heading)}**", "", *code_block([text], "diff"), ""]
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
    """Return the name of an Application, its cluster, and its change."""
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
    """Return the lines below the table: objects, DNS names, projects, files to apply by hand, and problems."""
    lines = []
    for effect, title in TITLES.items():
        items = [f"  {item}" for item in grouped_items(report.changes, effect)]
        lines += [f"{title}:", *items, ""] if items else []
    names = [
        *(f"+ {host} → {target}" for host, target in sorted(report.hosts_added.items())),
        *(f"- {host} → {target}" for host, target in sorted(report.hosts_removed.items())),
        *(f"~ {host}: {change}" for host, change in sorted(report.hosts_changed.items())),
    ]
    lines += ["DNS names:", *(f"  {line}" for line in names), ""] if names else []
    if report.notices:
        lines += ["Projects and Argo CD:", *(f"  {notice.text}" for notice in report.notices), ""]
    if report.manual:
        steps = [line for step, files in report.manual.items() for line in (f"  {step}", *(f"    {f}" for f in files))]
        lines += ["To apply by hand, since Argo CD does not read these files:", *steps, ""]
    if report.problems:
        lines += ["Could not be compared:", *(f"  {problem}" for problem in report.problems), ""]
    return lines
