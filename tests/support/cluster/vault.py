"""Create a workload with data by hand in dev and prod: a shared volume, and a database with a volume per pod."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from gitops.checks.networks import ISOLATION
from gitops.objects import SYNC_OPTIONS
from tests.support.cluster import storage
from tests.support.policies import maker

Object = dict[str, Any]
NAME, RECORDS, DATABASE = "vault", "records", "db"
ENVIRONMENTS = ("dev", "prod")
# The claim that Kubernetes creates from the template.
DATABASE_CLAIM = f"data-{DATABASE}-0"
GUARD = {SYNC_OPTIONS: "Prune=false,Delete=false"}


def objects(environment: str, size: str = "1Gi") -> list[Object]:
    """Return its objects in an environment: in prod, which is protected, the claim is never pruned."""
    records = claim(RECORDS, storage.EFS, "ReadWriteMany", size)
    if environment == "prod":
        records["metadata"]["annotations"] = GUARD
    database = deepcopy(maker("StatefulSet")) | {"metadata": {"name": DATABASE}}
    template = claim("data", storage.EBS, "ReadWriteOnce", size)
    database["spec"] |= {"serviceName": DATABASE, "volumeClaimTemplates": [template]}
    labels = {"app.kubernetes.io/name": DATABASE}
    database["spec"]["selector"] = {"matchLabels": labels}
    database["spec"]["template"]["metadata"]["labels"] = labels
    pod = database["spec"]["template"]["spec"]
    pod["containers"][0]["volumeMounts"] = [{"name": name, "mountPath": f"/{name}"} for name in ("data", RECORDS)]
    pod["volumes"] = [{"name": RECORDS, "persistentVolumeClaim": {"claimName": RECORDS}}]
    return [ISOLATION, records, database]


def claim(name: str, storage_class: str, mode: str, size: str = "1Gi") -> Object:
    """Return a claim."""
    spec = {
        "accessModes": [mode],
        "resources": {"requests": {"storage": size}},
        "storageClassName": storage_class,
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}
