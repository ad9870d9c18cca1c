"""Compare what Argo CD deploys from two revisions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from gitops import reads
from gitops.admission import Notice, changed_projects, notices, project_of
from gitops.applications import Application, read_applications
from gitops.builds import build_or_error, finished, read
from gitops.changes import Change, Pair, Side, change_of
from gitops.followed import moves
from gitops.git import changed_files, copy_commit, copy_working_tree
from gitops.hashes import HASHED_KINDS, name_without_hash
from gitops.lifecycles import effect_of_removal
from gitops.manual import manual_steps
from gitops.objects import Object, api_group
from gitops.revisions import last_content
from gitops.routes import dns_names
from gitops.stages import History, Stages
from gitops.terminal import progress
from gitops.tools import GitOpsError
from gitops.tree import Tree


@dataclass
class Report:
    """All changes between two revisions."""

    before: str
    after: str
    changes: list[Change] = field(default_factory=list)
    hosts_added: dict[str, str] = field(default_factory=dict)
    hosts_removed: dict[str, str] = field(default_factory=dict)
    hosts_changed: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    uncompared: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    manual: dict[str, list[str]] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The exit status."""
        is_alarm = any(change.loses or change.data_lost or change.is_outdated for change in self.changes)
        is_serious = any(notice.is_serious for notice in self.notices)
        return 1 if is_alarm or is_serious else 2 if self.problems else 0


def compare_revisions(repository: Path, before: str = "HEAD", after: str = "") -> Report:
    """Compare what Argo CD deploys from two commits; without the second one, from a commit and the working tree.

    Raises:
        GitOpsError: if a revision does not exist, or Git cannot read it.
    """
    with TemporaryDirectory() as temporary:
        folders = [Path(temporary) / name for name in ("before", "after")]
        for folder in folders:
            folder.mkdir()
        old = copy_commit(repository, before, folders[0])
        new = copy_commit(repository, after, folders[1]) if after else copy_working_tree(repository, folders[1])
        return compare(old, new, repository, partial(last_content, repository, before))


def compare(before: Tree, after: Tree, clone: Path | None = None, history: History = lambda _: "") -> Report:
    """Compare what Argo CD deploys from two trees.

    Args:
        before: The files of the one revision.
        after: The files of the other one.
        clone: The clone that has the branch that Argo CD follows.
        history: Returns the last content of a file that was deleted before the one revision.
    """
    report = Report(before.label, after.label)
    files, renames = changed_files(before, after)
    old, new = read_applications(before), read_applications(after)
    report.problems = [*old.problems, *old.unavailable, *new.problems, *new.unavailable]
    report.problems += [f"{after.label}: {problem}" for problem in after.problems]
    report.problems += [
        f"{before.label}: {name}: Argo CD reads this file, and its effect is unknown" for name in before.overrides
    ]
    sides = old.by_name, new.by_name
    pairs = [(sides[0].get(name), sides[1].get(name)) for name in sorted(sides[0].keys() | sides[1].keys())]
    projects = changed_projects(before, after)
    affected = [pair for pair in pairs if _may_change((before, after), pair, files, projects)]
    builds = []
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(_built_pair, (before, after), pair) for pair in affected]
        for number, (pair, future) in enumerate(zip(affected, futures, strict=True), 1):
            shown = pair[1] or pair[0]
            progress.show(f"Application {number} of {len(affected)}: {shown.name if shown else ''}")
            builds.append(future.result())
    stages = Stages(before, after, sides[0], history)
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    built = []
    for pair, results in zip(affected, builds, strict=True):
        if errors := [result for result in results if isinstance(result, str)]:
            report.problems += errors[:1]
            report.uncompared += [application.name for application in pair if application][:1]
            continue
        objects = [result for result in results if not isinstance(result, str)]
        built.append((pair, [side.objects for side in objects]))
        names[0].update(_dns_names(objects[0].objects))
        # An object that stays in the cluster keeps its DNS name there.
        names[1].update(_dns_names(_kept(pair, *objects)) | _dns_names(objects[1].objects))
        if change := change_of(pair, *objects):
            change.renamed = _renamed(pair, sides, renames)
            change.hosts_removed = list(_dns_names(objects[0].objects))
            stages.add_images(change, pair, *objects)
            report.changes.append(change)
    report.notices = [
        *notices(before, after, built),
        *moves(before, after, {old.place for old, _ in pairs if old}, clone),
    ]
    report.manual = manual_steps(before, after, files)
    others = [pair for pair in pairs if pair not in affected]
    for other_names in _names_of_others(after, others, names[0].keys() ^ names[1].keys()):
        for side_names in names:
            side_names.update(other_names | side_names)
    for change in report.changes:
        change.hosts_removed = sorted(set(change.hosts_removed) - names[1].keys())
    report.hosts_added = {host: target for host, target in names[1].items() if host not in names[0]}
    report.hosts_removed = {host: target for host, target in names[0].items() if host not in names[1]}
    report.hosts_changed = {h: f"{names[0][h]} → {t}" for h, t in names[1].items() if names[0].get(h, t) != t}
    report.problems = sorted(set(report.problems))
    order = {name: number for number, name in enumerate(stages.order)}
    report.changes.sort(key=lambda c: (c.workload or c.application, order.get(c.environment, len(order))))
    return report


def _built_pair(trees: tuple[Tree, Tree], pair: Pair) -> list[Side | str]:
    return [_built(tree, application) for tree, application in zip(trees, pair, strict=True)]


def _dns_names(objects: dict[str, Object]) -> dict[str, str]:
    """Return the DNS names that external-dns creates from objects, each with its target."""
    return {name: target for item in objects.values() for name, target in dns_names(item).items()}


def _kept(pair: Pair, before: Side, after: Side) -> dict[str, Object]:
    """Return the objects that are removed from Git, but stay in the cluster."""
    old, new = pair
    removed = {key: item for key, item in before.objects.items() if old and key not in after.objects}
    return {key: item for key, item in removed.items() if old and effect_of_removal(old, new, item) == "kept"}


def _names_of_others(tree: Tree, pairs: list[Pair], hosts: set[str]) -> Iterator[dict[str, str]]:
    """Return the DNS names of unchanged Applications whose files contain one of the hosts."""
    texts = {file: (tree.path / file).read_bytes().lower() for file in tree.files} if hosts and pairs else {}
    files = {file for file, text in texts.items() if any(host.encode() in text for host in hosts)}
    for _, application in pairs:
        part = reads.read(tree, application) if application else None
        if application and part and part.include(files):
            built = _built(tree, application)
            yield {} if isinstance(built, str) else _dns_names(built.objects)


def _may_change(trees: tuple[Tree, Tree], pair: Pair, files: set[str], projects: set[str]) -> bool:
    old, new = pair
    if old is None or new is None or old.manifest != new.manifest or old.is_kept != new.is_kept:
        return True
    if project_of(new) in projects:
        return True
    # All files that it is built from. Argo CD may watch fewer, which scripts/validate.py reports.
    parts = [reads.read(tree, application) for tree, application in zip(trees, (old, new), strict=True)]
    return any(part is None or part.include(files) for part in parts)


def _built(tree: Tree, application: Application | None) -> Side | str:
    """Return the objects of an Application, or an error message."""
    if application is None:
        return Side()
    items = build_or_error(tree, application, read)
    if isinstance(items, GitOpsError):
        return str(items)
    side = Side({_identity(application, application.manifest): application.manifest})
    for item in items:
        shown = finished(item, application.namespace)
        key = _identity(application, shown)
        side.objects[key] = shown
        if item["kind"] in HASHED_KINDS:
            side.names[key] = name_without_hash(item)
    return side


def _identity(application: Application, item: Object) -> str:
    # The Application itself stays in Argo CD's cluster when its objects move to another one.
    is_own = item is application.manifest
    place = "" if is_own else f"{application.place}/{item['metadata']['namespace']}"
    return f"{place}/{api_group(item)}/{item['kind']}/{item['metadata']['name']}"


def _renamed(pair: Pair, sides: tuple[dict[str, Application], dict[str, Application]], renames: dict[str, str]) -> str:
    """Return the Application on the other side that has this one's files, by Git's detection of renames."""
    for index, application in enumerate(pair):
        if application and not pair[1 - index]:
            new_names = renames if index == 0 else {new: old for old, new in renames.items()}
            folders = {source.get("path") for source in application.sources}
            moved = {str(PurePosixPath(new).parent) for old, new in new_names.items() if _folder(old) in folders}
            for other in sides[1 - index].values():
                if other.name not in sides[index] and {source.get("path") for source in other.sources} & moved:
                    return other.name
    return ""


def _folder(file: str) -> str:
    return str(PurePosixPath(file).parent)
