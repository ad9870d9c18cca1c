"""Changes of live objects, with the reported fix for those that the API server rejects.

Tests compare this table with our own rules and with the real API server.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

from tests.support.cluster import storage
from tests.support.policies import maker, service

Object = dict[str, Any]
# Its claims are bound immediately, and can grow.
GROWING = "growing"
KEEP, NEW_VOLUME, ORPHAN = "a volume never shrinks", "copy the data to a new volume", "--cascade=orphan"


class Case(NamedTuple):
    """A change.

    Attributes:
        old: The live object.
        new: The applied object.
        fix: Part of the reported fix; empty if the API server accepts the change.
    """

    old: Object
    new: Object
    fix: str = ""


def changed(item: Object, *path: str | int, to: Any = None) -> Object:
    """Return an object with another value of a field, or without it."""
    result = deepcopy(item)
    *parents, last = path
    node: Any = result
    for key in parents:
        node = node[key]
    if to is None:
        del node[last]
    else:
        node[last] = to
    return result


def _claim() -> Object:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
        "storageClassName": GROWING,
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "tool"}, "spec": spec}


def _database() -> Object:
    item = maker("StatefulSet")
    item["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": _claim()["spec"]}]
    return item


def _cases() -> dict[str, Case]:
    claim, database, deployment, plain = _claim(), _database(), maker(), service()
    size, template = ("spec", "resources", "requests", "storage"), ("spec", "volumeClaimTemplates", 0)
    other_labels = changed(deployment, "spec", "selector", "matchLabels", "app", to="other")
    other_labels["spec"]["template"]["metadata"]["labels"]["app"] = "other"
    of_claim: dict[str, tuple[Callable[[], Object], str]] = {
        "grows": (lambda: changed(claim, *size, to="3Gi"), ""),
        "is written otherwise": (lambda: changed(claim, *size, to="2048Mi"), ""),
        "gets a label": (lambda: changed(claim, "metadata", "labels", to={"team": "a"}), ""),
        "says what is the default": (lambda: changed(claim, "spec", "volumeMode", to="Filesystem"), ""),
        "shrinks": (lambda: changed(claim, *size, to="1Gi"), KEEP),
        "gets another class": (lambda: changed(claim, "spec", "storageClassName", to=storage.EFS), NEW_VOLUME),
        "loses its class": (lambda: changed(claim, "spec", "storageClassName"), NEW_VOLUME),
        "is shared": (lambda: changed(claim, "spec", "accessModes", to=["ReadWriteMany"]), NEW_VOLUME),
        "is shared, too": (
            lambda: changed(claim, "spec", "accessModes", to=["ReadWriteOnce", "ReadWriteMany"]),
            NEW_VOLUME,
        ),
        "is a device": (lambda: changed(claim, "spec", "volumeMode", to="Block"), NEW_VOLUME),
        "gets a limit": (lambda: changed(claim, "spec", "resources", "limits", to={"storage": "3Gi"}), NEW_VOLUME),
        "chooses volumes": (lambda: changed(claim, "spec", "selector", to={"matchLabels": {"a": "b"}}), NEW_VOLUME),
    }
    of_database: dict[str, tuple[Callable[[], Object], str]] = {
        "gets another image": (
            lambda: changed(database, "spec", "template", "spec", "containers", 0, "image", to="a:2"),
            "",
        ),
        "runs more pods": (lambda: changed(database, "spec", "replicas", to=3), ""),
        "keeps claims": (
            lambda: changed(database, "spec", "persistentVolumeClaimRetentionPolicy", to={"whenDeleted": "Retain"}),
            "",
        ),
        "says what is the default": (lambda: changed(database, "spec", "podManagementPolicy", to="OrderedReady"), ""),
        "writes a size otherwise": (lambda: changed(database, *template, *size, to="2048Mi"), ""),
        "says the default of a claim": (
            lambda: changed(database, *template, "spec", "volumeMode", to="Filesystem"),
            "",
        ),
        "says what a claim is": (
            lambda: changed(database, *template, to=database["spec"]["volumeClaimTemplates"][0] | kind_of(claim)),
            "",
        ),
        "gets larger claims": (lambda: changed(database, *template, *size, to="3Gi"), ORPHAN),
        "labels its claims": (lambda: changed(database, *template, "metadata", "labels", to={"team": "a"}), ORPHAN),
        "has no claims": (lambda: changed(database, "spec", "volumeClaimTemplates"), ORPHAN),
        "starts all at once": (lambda: changed(database, "spec", "podManagementPolicy", to="Parallel"), ORPHAN),
        "gets another Service": (lambda: changed(database, "spec", "serviceName", to="other"), ORPHAN),
        "selects other pods": (
            lambda: database | {"spec": database["spec"] | _selecting(other_labels)},
            "its claims stay",
        ),
    }
    return {
        **{f"a claim {name}": Case(claim, new(), fix) for name, (new, fix) in of_claim.items()},
        **{f"a StatefulSet {name}": Case(database, new(), fix) for name, (new, fix) in of_database.items()},
        "a Deployment selects other pods": Case(deployment, other_labels, "kubectl delete deployment tool"),
        "a Service becomes headless": Case(
            plain, changed(plain, "spec", "clusterIP", to="None"), "kubectl delete service tool"
        ),
        "a Service gets another port": Case(plain, changed(plain, "spec", "ports", to=[{"port": 81}])),
    }


def kind_of(item: Object) -> Object:
    """Return the kind of an object."""
    return {key: item[key] for key in ("apiVersion", "kind")}


def _selecting(other: Object) -> Object:
    return {key: other["spec"][key] for key in ("selector", "template")}


CASES = _cases()
