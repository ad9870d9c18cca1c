"""Compare what an Application builds with what its AppProject admits.

Source: IsSourcePermitted, isDestinationMatched and IsGroupKindNamePermitted of Argo CD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import yaml

from gitops.applications import IN_CLUSTER, Application
from gitops.names import is_of_kubernetes
from gitops.objects import Object, api_group, is_cluster_scoped, mapping

# The section of a project, and the entry that it lacks.
Entry = tuple[str, Any]
SSH_URL = re.compile(r"(ssh://)?[^/:]*@[^@]+")


def missing_entries(
    project: Object, application: Application, items: list[Object], crds: list[Object]
) -> Iterator[Entry]:
    """Return the entries that a project's spec lacks for an Application and its objects. Entries may repeat."""
    yield from missing_places(project, application)
    if _creates_namespace(application):
        entry = {"group": "", "kind": "Namespace", "name": application.namespace}
        if not _admits(project.get("clusterResourceWhitelist", []), entry):
            yield "clusterResourceWhitelist", entry
    for item in items:
        if is_cluster_scoped(item, crds):
            entry = {"group": api_group(item), "kind": item["kind"], "name": item["metadata"]["name"]}
            if not _admits(project.get("clusterResourceWhitelist", []), entry):
                yield "clusterResourceWhitelist", entry
        else:
            entry = {"group": api_group(item), "kind": item["kind"]}
            # Argo CD admits every kind if there is no list, and none if it is empty.
            allowlist = project.get("namespaceResourceWhitelist")
            is_listed = allowlist is None or _admits(allowlist, entry)
            if not is_listed or _admits(project.get("namespaceResourceBlacklist", []), entry):
                yield "namespaceResourceWhitelist", entry
            yield from _missing_destination(project, application, item["metadata"]["namespace"])


def missing_places(project: Object, application: Application) -> Iterator[Entry]:
    """Return the repositories and the destination of an Application that a project's spec lacks."""
    for source in application.sources:
        if not _admits_url(project.get("sourceRepos", []), source["repoURL"]):
            yield "sourceRepos", source["repoURL"]
    yield from _missing_destination(project, application, application.namespace)


def as_yaml(entry: Any) -> str:
    """Return an entry as a line or lines of a YAML list."""
    return yaml.safe_dump([entry], sort_keys=False).rstrip().replace(": ''", ': ""')


def normalized_url(url: str) -> str:
    """Return a Git URL as Argo CD compares it."""
    url = url.strip().lower()
    if SSH_URL.fullmatch(url) and not url.startswith("ssh://"):
        url = url.replace(":", "/", 1)
    return url.removesuffix(".git").removeprefix("ssh://")


def _admits_url(patterns: list[str], url: str) -> bool:
    parts = normalized_url(url).split("/")
    for pattern in map(normalized_url, patterns):
        # In URLs `*` matches no slash.
        names = pattern.split("/")
        if pattern == "*" or (len(names) == len(parts) and all(map(fnmatchcase, parts, names))):
            return True
    return False


def _missing_destination(project: Object, application: Application, namespace: str) -> Iterator[Entry]:
    destination = application.spec["destination"]
    place = {key: destination[key] for key in ("name", "server") if key in destination}
    # Argo CD knows the name and the address of each cluster. Here only its own cluster has both.
    known = {"name": application.argocd_cluster, "server": IN_CLUSTER} if application.place == IN_CLUSTER else place
    for entry in project.get("destinations", []):
        matches = [
            fnmatchcase(known[key], str(entry[key])) for key in ("name", "server") if entry.get(key) and known.get(key)
        ]
        is_unknown = not known.get("server") and entry.get("server") and not entry.get("name")
        if (any(matches) or is_unknown) and fnmatchcase(namespace, str(entry.get("namespace", ""))):
            return
    yield "destinations", place | {"namespace": namespace}


def _creates_namespace(application: Application) -> bool:
    """Return whether Argo CD applies the Application's namespace. Those of Kubernetes exist, and get no labels."""
    labels = mapping(application.spec.get("syncPolicy")).get("managedNamespaceMetadata")
    is_new = labels or not is_of_kubernetes(application.namespace)
    return "CreateNamespace=true" in application.sync_options and bool(is_new)


def _admits(patterns: list[Object], entry: Object) -> bool:
    """Whether a pattern matches every field of an entry; a field that it leaves out matches all."""
    return any(all(fnmatchcase(str(entry[key]), str(p.get(key, "*"))) for key in entry) for p in patterns)
