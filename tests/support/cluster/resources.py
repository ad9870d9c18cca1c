"""Find the kinds that an API server serves by the names that users type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Resource(NamedTuple):
    """A kind, and its path in the API."""

    api_version: str
    kind: str
    plural: str
    is_namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of one object, or of all in a namespace, or of all.

        An object of a namespaced kind without a namespace is in `default`, as in kubectl.
        """
        if name and self.is_namespaced:
            namespace = namespace or "default"
        root = f"/{'apis' if '/' in self.api_version else 'api'}/{self.api_version}"
        scope = f"/namespaces/{namespace}" if namespace and self.is_namespaced else ""
        return f"{root}{scope}/{self.plural}{'/' if name else ''}{name}"


class Catalogue:
    """All resources by plural, singular, short name, plural.group, and version/Kind; reloaded if a name is unknown."""

    def __init__(self, discover: Callable[[str], Any]) -> None:
        """Discover nothing yet.

        Args:
            discover: Returns the aggregated discovery document of a path.
        """
        self._discover = discover
        self._by_name: dict[str, Resource] = {}

    def find(self, name: str) -> Resource:
        """Return a resource by one of its names.

        Raises:
            LookupError: if the API server has none of that name.
        """
        if name not in self._by_name and name.lower() not in self._by_name:
            self._by_name = self._read()
        found = self._by_name.get(name) or self._by_name.get(name.lower())
        if not found:
            raise LookupError(f'no matches for kind "{name}"')
        return found

    def _read(self) -> dict[str, Resource]:
        by_name: dict[str, Resource] = {}
        for root in ("/api", "/apis"):
            for group in self._discover(root)["items"]:
                for version in group["versions"]:
                    for entry in version.get("resources", []):
                        _add(by_name, group["metadata"].get("name", ""), version["version"], entry)
        return by_name


def _add(by_name: dict[str, Resource], group: str, version: str, entry: dict[str, Any]) -> None:
    api_version = f"{group}/{version}" if group else version
    kind = entry["responseKind"]["kind"]
    resource = Resource(api_version, kind, entry["resource"], entry["scope"] == "Namespaced")
    by_name[f"{api_version}/{kind}"] = resource
    names = [resource.plural, entry.get("singularResource", ""), *entry.get("shortNames", [])]
    # The first group and its first version win, as with kubectl.
    for name in (*names, f"{resource.plural}.{group}"):
        by_name.setdefault(name, resource)
