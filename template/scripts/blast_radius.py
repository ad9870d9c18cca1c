#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml"]
# ///
"""What a change does to the clusters: compares what Argo CD would make of two revisions. No cluster is asked.

    scripts/blast_radius.py                  the working tree against HEAD
    scripts/blast_radius.py main             the working tree against main
    scripts/blast_radius.py v1 v2            two commits

Exit status: 0 if nothing protected is lost, 1 if something is (in a protected environment, the platform or Argo CD it
would be deleted, replaced, left without an owner, or lose its DNS name), 2 if not everything could be compared.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gitops import (
    MANIFESTS,
    Application,
    GitOpsError,
    Object,
    Tree,
    changed_files,
    committed,
    hosts,
    is_below,
    sync_options,
    working,
)

TARGET = re.compile(r"external-dns(\.alpha)?\.kubernetes\.io/target$")
HOSTNAME = re.compile(r"external-dns(\.alpha)?\.kubernetes\.io/hostname$")
WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout")
# Fields that the API server refuses to change on a live object. Source: the validation of each kind in Kubernetes.
IMMUTABLE = {
    "DaemonSet": ["spec.selector"],
    "Deployment": ["spec.selector"],
    "IngressClass": ["spec.controller"],
    "Job": ["spec.completionMode", "spec.selector", "spec.template"],
    "ClusterRoleBinding": ["roleRef"],
    "PersistentVolumeClaim": ["spec.accessModes", "spec.storageClassName", "spec.volumeName"],
    "RoleBinding": ["roleRef"],
    "Secret": ["type"],
    "Service": ["spec.clusterIP", "spec.loadBalancerClass"],
    "StatefulSet": ["spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"],
    "StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
}


@dataclass
class Change:
    """What happens to one Application and its objects, each written Kind/name.

    Attributes:
        what: added, removed (with all that it runs), kept (gone from Git, but it runs on without an owner), moved (to
            another cluster or namespace), or changed.
        renamed: The name that it seems to go on under, or the one that it had.
        deleted: Objects that Argo CD deletes.
        kept: Objects that leave Git, but go on in the cluster.
        restarted: Workloads whose pods are replaced.
        scaled: Workloads of which only the number of pods changes.
        replaced: Objects of which a field changes that cannot: the sync fails until somebody deletes them.
        hosts_removed: DNS names that nothing answers for any more.
    """

    application: str
    cluster: str
    namespace: str
    is_protected: bool
    what: str
    renamed: str = ""
    moved: str = ""
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    scaled: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    hosts_removed: list[str] = field(default_factory=list)
    difference: str = ""

    @property
    def loses(self) -> bool:
        """Whether something protected is lost."""
        losses = self.deleted or self.replaced or self.hosts_removed
        return self.is_protected and bool(self.what in ("removed", "kept", "moved") or losses)


@dataclass
class Report:
    """All that happens."""

    before: str
    after: str
    changes: list[Change] = field(default_factory=list)
    hosts_added: dict[str, str] = field(default_factory=dict)
    hosts_removed: dict[str, str] = field(default_factory=dict)
    hosts_changed: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The exit status."""
        return 1 if any(change.loses for change in self.changes) else 2 if self.problems else 0


def compare(before: Tree, after: Tree) -> Report:
    """Compare what Argo CD would make of two trees."""
    report = Report(before.label, after.label)
    files, renames = changed_files(before, after)
    old, new = before.applications, after.applications
    pairs = [(old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    everything = _covers_too_little(files, [a for pair in pairs for a in pair if a])
    pairs = [pair for pair in pairs if everything or _may_change(*pair, files)]
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(lambda pair: [_built(t, a) for t, a in zip((before, after), pair, strict=True)], pairs))
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for pair, sides in zip(pairs, built, strict=True):
        if failed := [side for side in sides if isinstance(side, str)]:
            report.problems += failed[:1]
            continue
        objects = [side for side in sides if not isinstance(side, str)]
        for known, side in zip(names, objects, strict=True):
            known.update(_hosts(side))
        if change := _change(pair, objects):
            change.renamed = _renamed(pair, (old, new), renames)
            change.hosts_removed = [host for host, _ in _hosts(objects[0])]
            report.changes.append(change)
    for change in report.changes:
        change.hosts_removed = sorted(set(change.hosts_removed) - names[1].keys())
    report.hosts_added = {host: target for host, target in names[1].items() if host not in names[0]}
    report.hosts_removed = {host: target for host, target in names[0].items() if host not in names[1]}
    report.hosts_changed = {h: f"{names[0][h]} → {t}" for h, t in names[1].items() if names[0].get(h, t) != t}
    report.problems = sorted({*report.problems, *before.problems, *after.problems})
    return report


def _covers_too_little(files: set[str], applications: list[Application]) -> bool:
    """Whether a changed file may concern Applications that do not say so."""
    covered = {path for a in applications for path in a.generate_paths or []}
    folders = {s["path"].split("/")[0] for a in applications for s in a.sources if "path" in s}
    manifests = [file for file in files if file.endswith(MANIFESTS)]
    return any(is_below(file, folders) and not is_below(file, covered) for file in manifests)


def _may_change(old: Application | None, new: Application | None, files: set[str]) -> bool:
    if old is None or new is None or old.manifest != new.manifest or old.is_kept != new.is_kept:
        return True
    return new.generate_paths is None or any(is_below(file, new.generate_paths) for file in files)


def _built(tree: Tree, application: Application | None) -> dict[str, Object] | str:
    """The objects of an Application by identity, itself among them, or what went wrong."""
    if application is None:
        return {}
    try:
        objects = [application.manifest, *tree.build(application)]
    except GitOpsError as error:
        return str(error)
    return {_identity(application, item): item for item in objects}


def _identity(application: Application, item: Object) -> str:
    # An Application lives where Argo CD does, so that its own move is not one of its objects'.
    where = "" if item is application.manifest else f"{application.cluster}/{item['metadata']['namespace']}"
    return f"{where}/{item['apiVersion'].rpartition('/')[0]}/{item['kind']}/{item['metadata']['name']}"


def _change(pair: tuple[Application | None, Application | None], sides: list[dict[str, Object]]) -> Change | None:
    """What happens to an Application, or None if nothing does."""
    old, new = pair
    (before, after), shown = sides, new or old
    assert shown
    if before == after and (old and old.is_kept) == (new and new.is_kept):
        return None
    place = [f"{a.cluster}/{a.namespace}" if a else "" for a in pair]
    if old and new:
        what = "moved" if place[0] != place[1] else "changed"
    elif old:
        what = "kept" if old.is_kept else "removed"
    else:
        what = "added"
    change = Change(shown.name, shown.cluster, shown.namespace, bool(old and old.is_kept), what)
    change.moved = " → ".join(place) if what == "moved" else ""

    def name(item: Object) -> str:
        namespace = item["metadata"].get("namespace")
        inside = "" if namespace in (None, shown.namespace) else f"{namespace}/"
        return f"{item['kind']}/{inside}{item['metadata']['name']}"

    change.added = [name(item) for key, item in after.items() if key not in before]
    for key, item in before.items():
        if key not in after and old and item is not old.manifest:
            goes = (old.prunes if new else not old.is_kept) and "Prune=false" not in sync_options(item)
            is_reached = not new or new.cluster == old.cluster
            (change.deleted if goes and is_reached else change.kept).append(name(item))
        elif key in after and item != after[key]:
            getattr(change, _kind_of_change(item, after[key])).append(name(item))
    if new and not old:
        change.added.remove(name(new.manifest))
    if old and new:
        change.difference = difference(list(before.values()), list(after.values()))
    return change


def _kind_of_change(old: Object, new: Object) -> str:
    if any(_field(old, path) != _field(new, path) for path in IMMUTABLE.get(old["kind"], [])):
        return "replaced"
    if old["kind"] in WITH_PODS and _field(old, "spec.template") != _field(new, "spec.template"):
        return "restarted"
    if _field(old, "spec.replicas") != _field(new, "spec.replicas"):
        return "scaled"
    return "changed"


def _field(item: Object, path: str) -> Any:
    value: Any = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _hosts(objects: dict[str, Object]) -> Iterator[tuple[str, str]]:
    """The DNS names that external-dns makes of objects, with their targets."""
    for item in objects.values():
        annotations = item["metadata"].get("annotations") or {}
        target = next((v for k, v in annotations.items() if TARGET.search(k)), "")
        if item["kind"] == "IngressRoute" and target:
            yield from ((host, target) for host in hosts(item))
        for key, value in annotations.items():
            if item["kind"] == "Service" and HOSTNAME.search(key):
                yield from ((host.strip(), f"Service {item['metadata']['name']}") for host in value.split(","))


def _renamed(
    pair: tuple[Application | None, Application | None],
    sides: tuple[dict[str, Application], dict[str, Application]],
    renames: dict[str, str],
) -> str:
    """The name of the Application on the other side whose files Git takes for the same ones."""
    for index, application in enumerate(pair):
        if application and not pair[1 - index]:
            known = renames if index == 0 else {new: old for old, new in renames.items()}
            paths = {str(Path(known[f]).parent) for s in application.sources for f in known if _holds(s, f)}
            for other in sides[1 - index].values():
                if other.name not in sides[index] and {s.get("path") for s in other.sources} & paths:
                    return other.name
    return ""


def _holds(source: Object, file: str) -> bool:
    return str(Path(file).parent) == source.get("path")


def difference(before: list[Object], after: list[Object]) -> str:
    """What differs between objects: by dyff, field for field, or line for line where it is not installed."""
    texts = [yaml.safe_dump_all(items, sort_keys=True) if items else "" for items in (before, after)]
    if not shutil.which("dyff"):
        lines = difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), lineterm="", n=2)
        return "\n".join(list(lines)[2:])
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("before.yaml", "after.yaml")]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        command = ["dyff", "between", "--omit-header", "--color=off", "--output=github", *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip("\n")


# --- what it says ---

VERBS = {
    "added": "new",
    "removed": "DELETED with all that it runs",
    "kept": "gone from Git; it goes on, without an owner",
    "moved": "MOVES",
    "changed": "changes",
}


def rows(report: Report) -> list[tuple[str, str, str]]:
    """One row per Application: its name, its cluster, what happens."""
    result = []
    for change in report.changes:
        said = [VERBS[change.what]]
        if change.moved:
            said.append(change.moved)
        if change.renamed:
            said.append(f"renamed {'from' if change.what == 'added' else 'to'} {change.renamed}")
        if change.what != "added":
            for what in ("restarted", "replaced", "deleted", "kept", "added", "scaled", "changed"):
                if count := len(getattr(change, what)):
                    said.append(f"{count} {what}")
        protected = " (protected)" if change.is_protected else ""
        result.append((change.application + protected, change.cluster, ", ".join(said)))
    return result


TITLES = {
    "restarted": "Pods restart",
    "replaced": "Cannot be changed in place: the sync fails until it is deleted by hand",
    "deleted": "Deleted",
    "kept": "Leaves Git, stays in the cluster",
    "added": "New",
}


def details(report: Report) -> list[str]:
    """The lines below the table: what restarts, goes, and changes its name."""
    lines = []
    for what, title in TITLES.items():
        found = [f"{c.application}: {name}" for c in report.changes for name in getattr(c, what)]
        lines += [f"{title}:", *(f"  {line}" for line in found), ""] if found else []
    changed = [
        *(f"+ {host} → {target}" for host, target in sorted(report.hosts_added.items())),
        *(f"- {host} → {target}" for host, target in sorted(report.hosts_removed.items())),
        *(f"~ {host}: {change}" for host, change in sorted(report.hosts_changed.items())),
    ]
    lines += ["DNS names:", *(f"  {line}" for line in changed), ""] if changed else []
    if report.problems:
        lines += ["Could not be compared:", *(f"  {problem}" for problem in report.problems), ""]
    return lines


def conclusion(report: Report) -> str:
    """The last line."""
    unknown = " Not everything could be compared." if report.problems else ""
    if lost := [change.application for change in report.changes if change.loses]:
        return f"Something protected is lost: {', '.join(lost)}.{unknown}"
    if unknown:
        return unknown.strip()
    return "Nothing protected is lost." if report.changes else "Nothing changes in any cluster."


def as_text(report: Report, with_differences: bool) -> str:
    """The report for a terminal."""
    table = rows(report)
    widths = [max((len(row[column]) for row in table), default=0) for column in (0, 1)]
    lines = [f"{report.before} → {report.after}", ""]
    lines += [f"{name:{widths[0]}}  {cluster:{widths[1]}}  {what}" for name, cluster, what in table]
    lines += [""] * bool(table) + details(report)
    if with_differences:
        for change in report.changes:
            lines += [f"--- {change.application}", change.difference, ""] if change.difference else []
    return "\n".join([*lines, conclusion(report)])


def as_markdown(report: Report, with_differences: bool) -> str:
    """The report for a comment at a pull request."""
    lines = [f"### {conclusion(report)}", ""]
    if table := rows(report):
        lines += ["| application | cluster | what happens |", "| --- | --- | --- |"]
        lines += [f"| {' | '.join(row)} |" for row in table] + [""]
    if below := details(report):
        lines += ["```text", *below[:-1], "```", ""]
    if with_differences and report.changes:
        lines += ["<details><summary>Differences</summary>", ""]
        for change in report.changes:
            block = [f"**{change.application}**", "", "````diff", change.difference, "````", ""]
            lines += block if change.difference else []
        lines += ["</details>", ""]
    return "\n".join([*lines, f"`{report.before}` → `{report.after}`"])


def as_json(report: Report, with_differences: bool) -> str:
    """The report for programs."""
    content = asdict(report) | {"status": report.status, "conclusion": conclusion(report)}
    for change, found in zip(content["changes"], report.changes, strict=True):
        change["loses"] = found.loses
        if not with_differences:
            del change["difference"]
    return json.dumps(content, indent=2, ensure_ascii=False)


def main() -> int:
    """Read the command line, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="blast_radius.py"
    )
    parser.add_argument("before", nargs="?", default="HEAD", help="a commit; HEAD, if not given")
    parser.add_argument("after", nargs="?", help="another; the working tree, if not given")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const=as_json, help="for programs")
    form.add_argument("--markdown", dest="form", action="store_const", const=as_markdown, help="for a pull request")
    parser.add_argument("--brief", action="store_true", help="without the differences")
    arguments = parser.parse_args()
    repository = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / name for name in ("before", "after")]
        for folder in folders:
            folder.mkdir()
        try:
            before = committed(repository, arguments.before, folders[0])
            after = (
                committed(repository, arguments.after, folders[1])
                if arguments.after
                else working(repository, folders[1])
            )
            report = compare(before, after)
        except GitOpsError as error:
            print(error, file=sys.stderr)
            return 2
    print((arguments.form or as_text)(report, not arguments.brief))
    return report.status


if __name__ == "__main__":
    sys.exit(main())
