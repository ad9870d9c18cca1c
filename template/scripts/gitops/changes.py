"""What happens to an Application and its objects between two revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gitops.applications import Application
from gitops.differences import difference
from gitops.objects import Object, sync_options

KINDS_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout")
# Fields that the API server refuses to change on a live object. Source: the validation of each kind in Kubernetes.
IMMUTABLE_FIELDS = {
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
# An Application on both sides; None where it does not exist.
Pair = tuple[Application | None, Application | None]


@dataclass
class Change:
    """What happens to one Application and its objects, each written Kind/name.

    Attributes:
        what: added, removed (with all its objects), kept (removed from Git, but it stays in the cluster without an
            owner), moved (to another cluster or namespace), or changed.
        renamed: The name under which it seems to continue, or that it had before.
        deleted: Objects that Argo CD deletes.
        kept: Objects that are removed from Git but stay in the cluster.
        restarted: Workloads whose pods are replaced.
        scaled: Workloads that only change their number of pods.
        replaced: Objects with a changed field that is immutable: the sync fails until somebody deletes them.
        hosts_removed: DNS names that disappear.
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


def change_of(pair: Pair, before: dict[str, Object], after: dict[str, Object]) -> Change | None:
    """Return what happens to an Application, or None if nothing does.

    Args:
        pair: The Application.
        before: Its objects by identity, with its own manifest.
        after: The same of the other side.
    """
    old, new = pair
    shown = new or old
    assert shown
    if before == after and (old and old.is_kept) == (new and new.is_kept):
        return None
    change = Change(shown.name, shown.cluster, shown.namespace, bool(old and old.is_kept), "added")
    if old and new:
        places = [f"{application.cluster}/{application.namespace}" for application in (old, new)]
        is_moved = (old.place, old.namespace) != (new.place, new.namespace)
        change.what = "moved" if is_moved else "changed"
        change.moved = " → ".join(places) if is_moved else ""
        change.difference = difference(list(before.values()), list(after.values()))
    elif old:
        change.what = "kept" if old.is_kept else "removed"
    change.added = [
        _name(shown, item)
        for key, item in after.items()
        if key not in before and (old or not new or item is not new.manifest)
    ]
    for key, item in before.items():
        if key in after and item != after[key]:
            getattr(change, _kind_of_change(item, after[key])).append(_name(shown, item))
        elif key not in after and old and item is not old.manifest:
            (change.deleted if _is_deleted(old, new, item) else change.kept).append(_name(shown, item))
    return change


def _is_deleted(old: Application, new: Application | None, item: Object) -> bool:
    """Whether Argo CD deletes an object that is removed from Git."""
    is_pruned = (old.prunes if new else not old.is_kept) and "Prune=false" not in sync_options(item)
    return is_pruned and (not new or new.place == old.place)


def _name(application: Application, item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    prefix = "" if namespace in (None, application.namespace) else f"{namespace}/"
    return f"{item['kind']}/{prefix}{item['metadata']['name']}"


def _kind_of_change(old: Object, new: Object) -> str:
    if any(_field(old, path) != _field(new, path) for path in IMMUTABLE_FIELDS.get(old["kind"], [])):
        return "replaced"
    if old["kind"] in KINDS_WITH_PODS and _field(old, "spec.template") != _field(new, "spec.template"):
        return "restarted"
    if _field(old, "spec.replicas") != _field(new, "spec.replicas"):
        return "scaled"
    return "changed"


def _field(item: Object, path: str) -> Any:
    value: Any = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
