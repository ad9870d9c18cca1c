"""Act as a storage driver: create a volume for each claim that waits for one, and delete it with the claim.

    provisioner.py <url> <token> <authority>

Kubernetes' own controllers do the rest: they choose a class, wait for a pod, bind, and release.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]
CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
# With this annotation, Kubernetes requests a volume from a driver.
PROVISIONER = "volume.kubernetes.io/storage-provisioner"


class Api:
    """The API server. Each request has its own connection: there are few."""

    def __init__(self, url: str, token: str, authority: str) -> None:
        self._place, self._context = urlsplit(url).netloc, ssl.create_default_context(cafile=authority)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Object | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(self._place, context=self._context)
        connection.request(method, path, json.dumps(body) if body else None, self._headers)
        return connection.getresponse()

    def watch(self, path: str) -> Iterator[Object]:
        """Yield all objects, then every change, without end."""
        while True:
            try:
                for line in self.ask("GET", f"{path}?watch=true"):
                    yield json.loads(line)["object"]
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(1)


def provision(api: Api) -> None:
    """Create a volume for each claim that requests one."""
    for claim in api.watch(CLAIMS):
        spec, metadata = claim.get("spec", {}), claim.get("metadata", {})
        if PROVISIONER not in metadata.get("annotations", {}) or spec.get("volumeName"):
            continue
        storage_class = json.load(api.ask("GET", f"{CLASSES}/{spec['storageClassName']}"))
        name, driver = f"pvc-{metadata['uid']}", storage_class["provisioner"]
        identity = {key: metadata[key] for key in ("namespace", "name", "uid")}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": driver}},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": spec["resources"]["requests"],
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **identity},
                "csi": {"driver": driver, "volumeHandle": name},
                "persistentVolumeReclaimPolicy": storage_class["reclaimPolicy"],
                "storageClassName": spec["storageClassName"],
            },
        }
        api.ask("POST", VOLUMES, volume).read()


def delete(api: Api) -> None:
    """Delete volumes whose claims are gone, unless their class retains them."""
    for volume in api.watch(VOLUMES):
        is_released = volume.get("status", {}).get("phase") == "Released"
        if is_released and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
            api.ask("DELETE", f"{VOLUMES}/{volume['metadata']['name']}").read()


if __name__ == "__main__":
    server = Api(*sys.argv[1:])
    threading.Thread(target=delete, args=[server]).start()
    provision(server)
