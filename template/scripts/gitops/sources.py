"""Check that an Application has only supported fields and values. Others are rejected, never ignored.

Source: pkg/apis/application/v1alpha1/types.go of Argo CD.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any

from gitops.objects import Object
from gitops.references import FILE_NAMES, is_inside
from gitops.text import printable
from gitops.tools import GitOpsError

# No value begins with a hyphen, so that no tool reads it as an option.
# Upper case passes: the check of folders rejects it with a better message.
LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?")
NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?")
RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
CHART = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", re.ASCII)
VERSION = re.compile(r"v?[0-9][0-9A-Za-z.+-]*")
URL = re.compile(r"((https?|oci)://)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~%+-]+)*/?")
SERVER = re.compile(r"https://[A-Za-z0-9.:\[\]/-]+")
REFERENCE = re.compile(r"[A-Za-z0-9_-]+")
UNPLAIN = {"", ".", ".."}
LENGTH = 200

SPEC = {
    "destination",
    "project",
    "source",
    "sources",
    "syncPolicy",
    "revisionHistoryLimit",
    "ignoreDifferences",
    "info",
}
DESTINATION = {"name", "server", "namespace"}
SOURCE = {"repoURL", "path", "targetRevision", "chart", "ref", "name", "helm", "kustomize", "directory"}
HELM = {"releaseName", "valueFiles", "ignoreMissingValueFiles", "valuesObject", "skipCrds"}
SYNC_POLICY = {"automated", "syncOptions", "retry", "managedNamespaceMetadata"}
AUTOMATED = {"prune", "selfHeal", "allowEmpty", "enabled"}


class SourceType(StrEnum):
    """The tool that Argo CD builds a folder with."""

    KUSTOMIZE = "kustomize"
    HELM = "helm"
    DIRECTORY = "directory"


def type_of(source: Object, folder: Path) -> SourceType:
    """Return the tool that Argo CD builds a folder with, from the fields of the source, or from the files.

    Source: ExplicitType() in types.go, NormalizeSource() in util/argo/argo.go and util/app/discovery of Argo CD 3.6.
    """
    for explicit in SourceType:
        # Argo CD removes a field in which nothing is set.
        if any((source.get(explicit) or {}).values()):
            return explicit
    # Later names win, and any name that ends in Chart.yaml is a chart to Argo CD.
    for file in sorted(folder.iterdir(), reverse=True):
        if file.is_file() and file.name in FILE_NAMES:
            return SourceType.KUSTOMIZE
        if file.is_file() and file.name.endswith("Chart.yaml"):
            return SourceType.HELM
    return SourceType.DIRECTORY


def check(manifest: Object) -> None:
    """Refuse an Application with a field or a value that is not supported here.

    Raises:
        GitOpsError: naming the field.
    """
    _text(manifest["metadata"].get("name"), "metadata.name", NAME)
    spec = _map(manifest.get("spec"), "spec", SPEC)
    _text(spec.get("project"), "spec.project", NAME)
    destination = _map(spec.get("destination"), "spec.destination", DESTINATION)
    for field, pattern in {"name": NAME, "server": SERVER, "namespace": LABEL}.items():
        if field in destination and (destination[field] or field != "namespace"):
            _text(destination[field], f"spec.destination.{field}", pattern)
    if not destination.get("name") and not destination.get("server"):
        raise GitOpsError("spec.destination needs the name of a cluster")
    policy = _map(spec.get("syncPolicy") or {}, "spec.syncPolicy", SYNC_POLICY)
    _map(policy.get("automated") or {}, "spec.syncPolicy.automated", AUTOMATED)
    if "source" in spec and "sources" in spec:
        raise GitOpsError("spec.source and spec.sources: keep one")
    sources = spec.get("sources") if "sources" in spec else [spec.get("source")]
    if not isinstance(sources, list) or not sources:
        raise GitOpsError("spec.sources must be a list")
    for source in sources:
        _check_source(source)


def _check_source(value: Any) -> None:
    source = _map(value, "spec.source", SOURCE)
    if not isinstance(source.get("repoURL"), str):
        raise GitOpsError("spec.source.repoURL must be text")
    if "chart" in source:
        for field, pattern in {"repoURL": URL, "chart": CHART, "targetRevision": VERSION}.items():
            _text(source.get(field), f"spec.source.{field}", pattern)
        if "path" in source:
            raise GitOpsError("spec.source.chart and spec.source.path: keep one")
    if "path" in source:
        path = source["path"]
        # Plain names from the root: no `.`, no `..`.
        if not isinstance(path, str) or not is_inside(path) or not UNPLAIN.isdisjoint(path.split("/")):
            raise GitOpsError(f"spec.source.path {_shown(path)} is not a folder of this repository")
    if "ref" in source:
        _text(source["ref"], "spec.source.ref", REFERENCE)
    if len(source.keys() & set(SourceType)) > 1:
        raise GitOpsError("spec.source: keep one of helm, kustomize and directory")
    if "kustomize" in source:
        kustomize = _map(source["kustomize"], "spec.source.kustomize", {"namespace"})
        if kustomize.get("namespace"):
            _text(kustomize["namespace"], "spec.source.kustomize.namespace", LABEL)
    if "directory" in source:
        _map(source["directory"], "spec.source.directory", {"recurse"})
    helm = _map(source.get("helm", {}), "spec.source.helm", HELM)
    if "releaseName" in helm:
        _text(helm["releaseName"], "spec.source.helm.releaseName", RELEASE)
    if not isinstance(helm.get("valuesObject", {}), dict):
        raise GitOpsError("spec.source.helm.valuesObject must be a map")
    files = helm.get("valueFiles", [])
    if not isinstance(files, list):
        raise GitOpsError("spec.source.helm.valueFiles must be a list")
    for file in files:
        if not isinstance(file, str) or not is_inside(file.removeprefix("$")):
            raise GitOpsError(f"spec.source.helm.valueFiles: {_shown(file)} is not a file of this repository")


def _map(value: Any, field: str, known: set[str]) -> Object:
    if not isinstance(value, dict):
        raise GitOpsError(f"{field} must be a map")
    if unknown := [key for key in value if key not in known]:
        raise GitOpsError(f"{field}.{_shown(unknown[0])} is not supported here: remove it")
    return value


def _text(value: Any, field: str, pattern: re.Pattern[str]) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise GitOpsError(f"{field} {_shown(value)} is not valid: it must match {pattern.pattern}")


def _shown(value: Any) -> str:
    return printable(str(value))[:LENGTH]
