"""Find projects that stop admitting existing objects, or that would block a revert.

Argo CD applies projects before anything else. They then apply to Applications that it has not changed yet, and to
objects that it has not deleted yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops.applications import Application
from gitops.changes import Pair
from gitops.objects import CRD, Object, sync_options
from gitops.projects import Entry, missing_entries, missing_places
from gitops.tree import ROOT, Tree

# The effects, in the order of the report.
LOCKED, STUCK, FAILS, ORPHANS, HEALS = "locked", "stuck", "fails", "orphans", "heals"
BOTH = "a commit in which the project admits both, and wait until all applications are Synced"
SENTENCES = {
    LOCKED: "This locks the root application: it applies no further commit, not even a revert. "
    f"First merge {BOTH} (for a repository: docs/operations.md, Move the repository).",
    STUCK: "The root application applies no commit, or no revert, that has both. "
    "First merge the change of the project alone.",
    FAILS: "It can no longer be synced. Keep the entry in the project.",
    ORPHANS: "Argo CD may neither prune nor manage it any more, so that it stays in the cluster. "
    "First merge its removal alone, and narrow the project once it is deleted.",
    HEALS: "Argo CD stops syncing for some minutes, until it has changed the application too. It recovers alone. "
    f"To avoid the gap, first merge {BOTH}.",
}
# How many Applications a sentence names.
NAMES = 5
# An Application with its objects, its own manifest among them, on each side.
Built = tuple[Pair, list[dict[str, Object]]]
Projects = dict[str, Object]


@dataclass(frozen=True)
class Notice:
    """A warning about what a project admits at one revision only, or about a move of the root application.

    Attributes:
        text: The subject, the Applications concerned, the effect, and what to do.
        heals: Whether Argo CD recovers without help.
        is_serious: Whether somebody must decide: Argo CD does not recover, or something protected stops meanwhile.
    """

    text: str
    heals: bool
    is_serious: bool


def notices(before: Tree, after: Tree, built: Iterable[Built]) -> list[Notice]:
    """Compare the projects of each revision with the Applications of the other one."""
    built = list(built)
    old_projects = _projects(before)
    # A removed project stays until its last Application is deleted, or permanently.
    new_projects = old_projects | _projects(after)
    crds = [item for _, sides in built for side in sides for item in side.values() if item["kind"] == CRD]
    users: dict[tuple[str, str, str], list[Application]] = defaultdict(list)
    for pair, sides in built:
        for effect, side, entry in _effects(pair, sides, (old_projects, new_projects), crds):
            users[effect, side, _shown(entry)].append(next(filter(None, pair)))
    if any(effect == LOCKED for effect, _, _ in users):
        users = {key: applications for key, applications in users.items() if key[0] != HEALS}
    effects = list(SENTENCES)
    in_order = sorted(users, key=lambda key: (effects.index(key[0]), key))
    return [_notice(*key, users[key]) for key in in_order]


def changed_projects(before: Tree, after: Tree) -> set[str]:
    """Return the names of the projects that differ."""
    old, new = _projects(before), _projects(after)
    return {name for name in old.keys() & new.keys() if old[name] != new[name]}


def project_of(application: Application) -> str:
    """Return the name of an Application's project."""
    return str(application.spec.get("project"))


def _effects(
    pair: Pair, sides: list[dict[str, Object]], projects: tuple[Projects, Projects], crds: list[Object]
) -> Iterator[tuple[str, str, Entry]]:
    """Yield the effect, the side on which an entry is admitted, and the entry."""
    old, new = pair
    if old is None:
        # A new Application waits until its project admits it.
        return

    def places(side: int, application: Application) -> list[Entry]:
        spec = projects[side].get(project_of(application))
        return [] if spec is None else list(missing_places(spec, application))

    def kinds(side: int, application: Application, items: Iterable[Object]) -> list[Entry]:
        spec = projects[side].get(project_of(application))
        own = [item for item in items if item is not application.manifest]
        return (
            []
            if spec is None
            else [e for e in missing_entries(spec, application, own, crds) if e not in places(side, application)]
        )

    known = places(0, old) + kinds(0, old, sides[0].values())

    def new_only(entries: list[Entry]) -> list[Entry]:
        """Leave out entries that were not admitted before either."""
        return [entry for entry in entries if entry not in known]

    if new is None:
        for entry in new_only(places(1, old) + kinds(1, old, sides[0].values())):
            yield ORPHANS, "before", entry
        return
    is_root = any(source.get("path") == ROOT for source in old.sources)
    failures = [] if is_root else new_only(places(1, new) + kinds(1, new, sides[1].values()))
    for entry in failures:
        yield FAILS, "before", entry
    ahead = [("before", entry) for entry in new_only(places(1, old)) if entry not in failures]
    back = [("after", entry) for entry in new_only(places(0, new)) if entry not in failures]
    for side, entry in ahead or back:
        yield LOCKED if is_root else HEALS, side, entry
    if is_root:
        yield from ((STUCK, "after", entry) for entry in new_only(kinds(0, new, sides[1].values())))
        yield from ((STUCK, "before", entry) for entry in new_only(kinds(1, old, sides[0].values())))
    elif old.prunes and old.place == new.place:
        gone = [
            item for key, item in sides[0].items() if key not in sides[1] and "Prune=false" not in sync_options(item)
        ]
        yield from ((ORPHANS, "before", entry) for entry in new_only(kinds(1, new, gone)))


def _notice(effect: str, side: str, entry: str, applications: list[Application]) -> Notice:
    names = list(dict.fromkeys(application.name for application in applications))
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    projects = ", ".join(dict.fromkeys(map(project_of, applications)))
    subject = f"{projects}: {entry} is admitted only {side} this change, but concerns {', '.join(names[:NAMES])}{more}."
    is_serious = effect != HEALS or any(application.is_kept for application in applications)
    return Notice(f"{subject} {SENTENCES[effect]}", effect == HEALS, is_serious)


def _shown(entry: Entry) -> str:
    """Return an entry in words."""
    section, value = entry
    if section == "sourceRepos":
        return f"the repository {value}"
    if section == "destinations":
        return f"the namespace {value['namespace']} of {value.get('name') or value.get('server')}"
    group = f".{value['group']}" if value["group"] else ""
    return f"the kind {value['kind']}{group}" + (f" with the name {value['name']}" if "name" in value else "")


def _projects(tree: Tree) -> Projects:
    """Return the specs of the projects by name."""
    items = [item for item in tree.root_objects if item["kind"] == "AppProject" and isinstance(item.get("spec"), dict)]
    return {item["metadata"]["name"]: item["spec"] for item in items}
