"""Create the storage of a cluster: classes as on EKS, and their drivers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

Object = dict[str, Any]
PROGRAM = Path(__file__).with_name("provisioner.py")
# docs/operations.md has the same classes. The first is the cluster's default.
EBS, EFS = "gp3", "efs"
DRIVERS = {EBS: "ebs.csi.aws.com", EFS: "efs.csi.aws.com"}


def provisioner(url: str, token: str, authority: Path) -> list[str | Path]:
    """Return the command that replaces the drivers."""
    return [sys.executable, PROGRAM, url, token, authority]


def objects() -> list[Object]:
    """Return the classes, and their drivers, which need no node to attach anything."""
    drivers = [
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}}
        | {"spec": {"attachRequired": False}}
        for name in DRIVERS.values()
    ]
    block = storage_class(
        EBS, DRIVERS[EBS], volumeBindingMode="WaitForFirstConsumer", allowVolumeExpansion=True, parameters={"type": EBS}
    )
    block["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    return [*drivers, block, storage_class(EFS, DRIVERS[EFS])]


def storage_class(name: str, driver: str, **fields: Any) -> Object:
    """Return a class. By default, its volumes are created immediately and cannot grow."""
    identity = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    return identity | {"provisioner": driver} | fields
