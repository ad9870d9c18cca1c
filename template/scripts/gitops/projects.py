"""Compare what an Application builds with what its AppProject admits."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import yaml

from gitops.applications import Application
from gitops.objects import Object, api_group, is_cluster_scoped

# The section of a project, and the entry that it lacks.
Entry = tuple[str, Any]


def missing_entries(
    project: Object, application: Application, items: list[Object], crds: list[Object]
) -> Iterator[Entry]:
    """Return the entries that a project's spec lacks for an Application and its objects. Entries may repeat."""
    for source in application.sources:
        if not any(fnmatchcase(source["repoURL"], pattern) for pattern in project.get("sourceRepos", [])):
            yield "sourceRepos", source["repoURL"]
    yield from _missing_destination(project, application, application.namespace)
    for item in items:
        if is_cluster_scoped(item, crds):
            entry = {"group": api_group(item), "kind": item["kind"], "name": item["metadata"]["name"]}
            if not _admits(project.get("clusterResourceWhitelist", []), entry):
                yield "clusterResourceWhitelist", entry
        else:
            entry = {"group": api_group(item), "kind": item["kind"]}
            # Argo CD admits every kind where there is no list.
            allowlist = project.get("namespaceResourceWhitelist") or [{"group": "*", "kind": "*"}]
            if not _admits(allowlist, entry) or _admits(project.get("namespaceResourceBlacklist", []), entry):
                yield "namespaceResourceWhitelist", entry
            yield from _missing_destination(project, application, item["metadata"]["namespace"])


def as_yaml(entry: Any) -> str:
    """Return an entry as a line or lines of a YAML list."""
    return yaml.safe_dump([entry], sort_keys=False).rstrip().replace(": ''", ': ""')


def _missing_destination(project: Object, application: Application, namespace: str) -> Iterator[Entry]:
    destination = application.spec["destination"]
    place = {key: destination[key] for key in ("name", "server") if key in destination} | {"namespace": namespace}
    patterns = [{"namespace": "", "name": "*", "server": "*"} | entry for entry in project.get("destinations", [])]
    if not _admits(patterns, place):
        yield "destinations", place


def _admits(patterns: list[Object], entry: Object) -> bool:
    """Whether a pattern matches every field of an entry; a field that it leaves out matches all."""
    return any(all(fnmatchcase(str(entry[key]), str(p.get(key, "*"))) for key in entry) for p in patterns)
