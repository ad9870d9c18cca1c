"""Compare an Application and its objects at two revisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops import hooks
from gitops.applications import Application
from gitops.differences import difference
from gitops.externalsecrets import note
from gitops.lifecycles import effect_of_change, effect_of_removal
from gitops.objects import Object, sync_options
from gitops.refusals import refusals
from gitops.successors import Names, Objects, regenerated, renamed
from gitops.volumes import data_left, data_lost, growth

# An Application on both sides; None where it does not exist.
Pair = tuple[Application | None, Application | None]


@dataclass(frozen=True)
class Side:
    """The objects that Argo CD deploys for an Application at one revision.

    Attributes:
        objects: Its objects by identity, with its own manifest.
        names: The names of ConfigMaps and Secrets by identity, without the hash of their content.
    """

    objects: Objects = field(default_factory=dict)
    names: Names = field(default_factory=dict)


@dataclass
class Change:
    """The change of one Application and its objects, which are written Kind/name.

    Attributes:
        what: added, removed (with all its objects), kept (removed from Git, but it stays in the cluster without an
            owner), moved (to another cluster or namespace), or changed.
        workload, environment: The overlay that it deploys; empty for add-ons.
        renamed: The name under which it seems to continue, or that it had before.
        deleted: Objects that Argo CD deletes.
        kept: Objects that are removed from Git but stay in the cluster.
        restarted: Workloads whose pods are replaced.
        scaled: Workloads where only the number of pods changes.
        replaced: Objects with a changed field that is immutable: the sync fails until somebody deletes them.
        refused: These fields, each with what to do instead.
        recreated: Objects that Argo CD deletes before it applies them, because of their options.
        hooks: Objects that Argo CD runs as hooks of the sync that the change starts, whether they change or not.
        waiting: Changed hooks that do not run, since no other change starts a sync.
        successors: Deleted objects, each with the added object that seems to replace it, and the time of deletion.
        data_lost: Objects whose data is deleted, each with the reason.
        grown: Claims with a larger size, each with both sizes. Their storage class decides whether they grow.
        data_left: Objects that are removed from Git while their data stays, each with the place of the data.
        secrets: Objects whose Secrets need work by hand, each with the work.
        images: The images of new objects.
        outdated: How these differ from the images of the previous environment, and what to do.
        hosts_removed: DNS names that are removed.
    """

    application: str
    cluster: str
    namespace: str
    is_protected: bool
    what: str
    renamed: str = ""
    moved: str = ""
    workload: str = ""
    environment: str = ""
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    scaled: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    recreated: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    successors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    data_lost: list[str] = field(default_factory=list)
    data_left: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    hosts_removed: list[str] = field(default_factory=list)
    difference: str = ""

    @property
    def loses(self) -> bool:
        """Whether something protected is lost."""
        losses = self.deleted or self.replaced or self.hosts_removed
        return self.is_protected and bool(self.what in ("removed", "kept", "moved") or losses)

    @property
    def is_outdated(self) -> bool:
        """Whether something protected starts with another image than the previous environment runs."""
        return self.is_protected and bool(self.outdated)


def change_of(pair: Pair, before: Side, after: Side) -> Change | None:
    """Return the change of an Application, or None if there is none."""
    old, new = pair
    shown = new or old
    assert shown
    if before == after and (old and old.is_kept) == (new and new.is_kept):
        return None
    change = Change(shown.name, shown.cluster, shown.namespace, (old or shown).is_kept, "added")
    change.workload, change.environment = shown.workload, shown.environment
    if old and new:
        places = [f"{application.cluster}/{application.namespace}" for application in (old, new)]
        is_moved = (old.place, old.namespace) != (new.place, new.namespace)
        change.what = "moved" if is_moved else "changed"
        change.moved = " → ".join(places) if is_moved else ""
        change.difference = difference(list(before.objects.values()), list(after.objects.values()))
    elif old:
        change.what = "kept" if old.is_kept else "removed"
    _compare(change, pair, before, after)
    return change


def _compare(change: Change, pair: Pair, before: Side, after: Side) -> None:
    """Add the effect on each object."""
    old, new = pair
    shown = new or old
    assert shown
    pairs = regenerated(before.objects, after.objects, (before.names, after.names))
    added = {
        key: item
        for key, item in after.objects.items()
        if key not in before.objects and key not in pairs.values() and (old or not new or item is not new.manifest)
    }
    change.added = [_name(shown, item) for item in added.values()]
    notes = [(_name(shown, item), note("added", None, item, change.cluster)) for item in added.values()]
    change.secrets += [f"{name}: {text}" for name, text in notes if text]
    deleted: Objects = {}
    for key, item in before.objects.items():
        if key in pairs:
            change.changed.append(_name(shown, item | {"metadata": item["metadata"] | {"name": before.names[key]}}))
            continue
        if key in after.objects:
            effect = effect_of_change(item, after.objects[key]) if item != after.objects[key] else ""
        else:
            effect = effect_of_removal(old, new, item) if old and item is not old.manifest else ""
        if effect and effect != "hooks":
            _add(change, effect, _name(shown, item), item, after.objects.get(key))
        if effect == "deleted":
            deleted[key] = item
    _add_hooks(change, pair, before, after)
    if old and new:
        for key, other in renamed(deleted, added).items():
            is_last = "PruneLast=true" in old.sync_options | new.sync_options | sync_options(deleted[key])
            when = "after the new one is healthy" if is_last else "before the new one is ready"
            names = f"{_name(shown, deleted[key])} → {_name(shown, added[other])}"
            change.successors.append(f"{names}: the old one is deleted {when}")
            if deleted[key]["kind"] == "Job":
                # The Job of an earlier release, whose version is in its name, is done.
                change.deleted.remove(_name(shown, deleted[key]))
                change.changed.append(_name(shown, deleted[key]))


def _add_hooks(change: Change, pair: Pair, before: Side, after: Side) -> None:
    """Add the hooks that run. Argo CD does not compare hooks, so a change of hooks alone starts no sync."""
    _, new = pair
    if not new:
        return
    manifests = [application.manifest for application in pair if application]
    differing = {k for k in before.objects | after.objects if before.objects.get(k) != after.objects.get(k)}
    items = [item for side in (before, after) for key, item in side.objects.items() if key in differing]
    is_synced = any(
        not hooks.is_hook(item) and not hooks.is_skipped(item) and not any(item is manifest for manifest in manifests)
        for item in items
    )
    for key, item in after.objects.items():
        if hooks.runs_in_each_sync(item) and (is_synced or key in differing):
            (change.hooks if is_synced else change.waiting).append(_name(new, item))


def _add(change: Change, effect: str, name: str, old: Object, new: Object | None) -> None:
    """Add the effect on one object and its data. If the whole Application stays, so do the users of its data."""
    getattr(change, effect).append(name)
    work = note(effect, old, new, change.cluster)
    change.secrets += [f"{name}: {work}"] if work else []
    lost = data_lost(effect, old, new)
    left = "" if new or change.what == "kept" else data_left(effect, old)
    change.data_lost += [f"{name}: {lost}"] if lost else []
    change.data_left += [f"{name}: {left}"] if left else []
    change.grown += [f"{name}: {size}" for size in [growth(old, new)] if size]
    if new and effect == "replaced":
        change.refused += [f"{name}: {text}" for text in refusals(old, new)]


def _name(application: Application, item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    prefix = "" if namespace in (None, application.namespace) else f"{namespace}/"
    return f"{item['kind']}/{prefix}{item['metadata']['name']}"
