"""A resident client of one API server: connections that stay open, in the place of a kubectl for every look.

kubectl stays for what the documentation types.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.cluster.resources import Catalogue
from tests.support.cluster.sandbox import Sandbox, SandboxError
from tests.support.cluster.transport import ApiError, Reply, Transport

Object = dict[str, Any]
Objects = list[Object]
Texts = list[str]
Complaints = list[list[str]]
Places = list[tuple[str, str, str]]
THREADS = 4
APPLY, MERGE, JSON_PATCH = "application/apply-patch+yaml", "application/merge-patch+json", "application/json-patch+json"


class Api:
    """The API server of one cluster, asked as its administrator."""

    def __init__(self, sandbox: Sandbox, url: str, token: str, authority: Path) -> None:
        self.sandbox = sandbox
        self._transport = Transport(sandbox, url, token, authority)
        self._request = self._transport.request
        self._catalogue = Catalogue(self._discover)

    def get(self, kind: str, name: str, namespace: str = "", managed_fields: bool = False) -> Object | None:
        """Return one object, or None."""
        try:
            resource = self._catalogue.find(kind)
            found: Object = self._request("GET", resource.path(namespace, name)).body
        except (ApiError, LookupError) as error:
            if isinstance(error, ApiError) and error.status != http.HTTPStatus.NOT_FOUND:
                raise
            return None
        return found if managed_fields else _without_managed_fields(found)

    def list(self, kinds: str, namespace: str = "", selector: str = "") -> Objects:
        """Return all objects of one or several kinds, in one namespace or in all.

        Raises:
            SandboxError: if the API server does not know a kind.
        """
        items: Objects = []
        for kind in kinds.split(","):
            try:
                resource = self._catalogue.find(kind)
            except LookupError as error:
                raise SandboxError(str(error)) from None
            query = {"labelSelector": selector} if selector else {}
            # The items of a list do not say what they are.
            identity = {"apiVersion": resource.api_version, "kind": resource.kind}
            found = self._request("GET", resource.path(namespace), query).body["items"]
            items += [_without_managed_fields(identity | item) for item in found]
        return items

    def serves(self, kind: str) -> bool:
        """Return whether the API server knows a kind: it serves a new definition after a short delay."""
        try:
            self._catalogue.find(kind)
        except LookupError:
            return False
        return True

    def apply(self, *objects: Object, manager: str = "tests") -> None:
        """Apply objects on the server's side, in their order.

        Raises:
            ApiError: if the API server refuses one.
        """
        for item in objects:
            self._apply(item, {"fieldManager": manager})

    def objections(self, *objects: Object, manager: str) -> Complaints:
        """Try to apply objects, and return for each what the API server says against it, warnings included."""
        query = {"fieldManager": manager, "dryRun": "All", "fieldValidation": "Strict"}
        result = []
        for item in objects:
            try:
                result.append(self._apply(item, query).warnings)
            except ApiError as error:
                result.append([*error.warnings, str(error)])
        return result

    def refusals(self, *objects: Object, manager: str = "argocd-controller") -> Texts:
        """Try to apply objects, and return for each why the API server refuses it; empty if it takes it."""

        def refusal(item: Object) -> str:
            try:
                self._apply(item, {"fieldManager": manager, "dryRun": "All", "fieldValidation": "Strict"})
            except ApiError as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(THREADS) as pool:
            return [*pool.map(refusal, objects)]

    def patch(self, kind: str, name: str, patch: Any, namespace: str = "", subresource: str = "") -> Object:
        """Patch an object: by a list of operations, or by a map that is merged.

        Raises:
            ApiError: if the API server refuses it, or there is no such object.
        """
        path = self._catalogue.find(kind).path(namespace, name) + (f"/{subresource}" if subresource else "")
        content = JSON_PATCH if isinstance(patch, list) else MERGE
        return dict(self._request("PATCH", path, {}, patch, content).body)

    def delete(self, kind: str, name: str, namespace: str = "", propagation: str = "Background") -> None:
        """Delete an object, if it is there, and wait until it is gone."""
        self._delete([(kind, name, namespace)], propagation)

    def delete_namespaces(self, names: Iterable[str]) -> None:
        """Delete namespaces in parallel, and wait until all are gone."""
        self._delete([("namespace", name, "") for name in names], "Background")

    def remove(self, *objects: Object) -> None:
        """Delete objects, by what was applied, and wait until they are gone."""
        places = [(f"{o['apiVersion']}/{o['kind']}", o["metadata"]["name"], _namespace(o)) for o in objects]
        self._delete(places, "Background")

    def _delete(self, places: Places, propagation: str) -> None:
        going = {place: found["metadata"]["uid"] for place in places if (found := self.get(*place))}
        for (kind, name, namespace), uid in going.items():
            path = self._catalogue.find(kind).path(namespace, name)
            options = {"propagationPolicy": propagation, "preconditions": {"uid": uid}}
            try:
                self._request("DELETE", path, {}, options)
            except ApiError as error:
                if error.status not in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.CONFLICT):
                    raise

        def left() -> list[str]:
            found = {place: self.get(*place) for place in going}
            return [place[1] for place, item in found.items() if item and item["metadata"]["uid"] == going[place]]

        self.sandbox.until(f"{', '.join(place[1] for place in going)} gone", lambda: not left())

    @contextmanager
    def applied(self, *objects: Object) -> Iterator[None]:
        """Apply objects, and delete them at the end of the block."""
        try:
            self.apply(*objects)
            yield
        finally:
            self.remove(*objects)

    def watch(self, kind: str) -> Iterator[Object]:
        """Yield every object of a kind that is there, and every change, until the connection ends."""
        for line in self._transport.lines(f"{self._catalogue.find(kind).path('')}?watch=true"):
            yield json.loads(line)["object"]

    def is_ready(self) -> bool:
        """Return whether the API server serves requests and its own description."""
        try:
            return all(self._request("GET", path, raw=True) for path in ("/readyz", "/openapi/v2"))
        except (OSError, http.client.HTTPException, ApiError):
            return False

    def _apply(self, item: Object, query: dict[str, str]) -> Reply:
        try:
            resource = self._catalogue.find(f"{item['apiVersion']}/{item['kind']}")
        except LookupError as error:
            raise ApiError(http.HTTPStatus.NOT_FOUND, str(error)) from None
        path = resource.path(_namespace(item), item["metadata"]["name"])
        return self._request("PATCH", path, {"force": "true"} | query, item, APPLY)

    def _discover(self, path: str) -> Any:
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        return self._request("GET", path, accept=accept).body


def _namespace(item: Object) -> str:
    return str(item["metadata"].get("namespace", ""))


def _without_managed_fields(item: Object) -> Object:
    item["metadata"].pop("managedFields", None)
    return item
