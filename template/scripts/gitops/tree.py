"""The repository's files at one revision."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from gitops.goyaml import BASE
from gitops.objects import MANIFEST_SUFFIXES, Object, load_yaml, mappings, parse_objects
from gitops.strictyaml import read_text
from gitops.text import printable
from gitops.tools import GitOpsError

ROOT = "argo"
WORKLOADS = "apps/workloads"
PLATFORM = "apps/platform"
ANSWERS = ".copier-answers.yml"
# Argo CD's own kustomization creates the Secret with the name of the cluster that Argo CD runs in.
ARGOCD, LOCAL_CLUSTER = "bootstrap/argocd/kustomization.yaml", "local-cluster"
KUBERNETES_VERSION = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")


@dataclass
class Tree:
    """A private copy of the repository's files at one revision. Builds may change it.

    Attributes:
        path: The folder with the files.
        label: The name of the revision in messages.
        problems: The files that Argo CD rejects or reads differently, each with the reason.
        overrides: The files that Argo CD reads in place of fields of Applications.
    """

    path: Path
    label: str
    problems: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    @cached_property
    def files(self) -> list[str]:
        """The files, by their paths from the root of the repository."""
        paths = (Path(folder, name) for folder, _, names in os.walk(self.path) for name in names)
        return sorted(path.relative_to(self.path).as_posix() for path in paths)

    @cached_property
    def folders(self) -> list[str]:
        """The folders that have files, by their paths from the root of the repository."""
        return sorted({folder.as_posix() for file in self.files for folder in PurePosixPath(file).parents} - {"."})

    @cached_property
    def answers(self) -> Object:
        """The answers that the repository was rendered from; empty if it is detached from its template."""
        file = self.path / ANSWERS
        documents = load_yaml(read_text(file, ANSWERS), ANSWERS, BASE) if file.exists() else []
        if documents and not isinstance(documents[0], dict):
            raise GitOpsError(f"{ANSWERS} must be a map: restore it from Git")
        return dict(documents[0]) if documents else {}

    @cached_property
    def root_objects(self) -> list[Object]:
        """The objects of the root application: projects, ApplicationSets, Applications."""
        files = [name for name in self.files if name.startswith(f"{ROOT}/") and name.endswith(MANIFEST_SUFFIXES)]
        return [item for name in files for item in parse_objects(read_text(self.path / name, name), name)]

    @cached_property
    def root_source(self) -> Object:
        """The source of the root application."""
        for item in self.root_objects:
            spec = item.get("spec") if item["kind"] == "Application" else None
            source = spec.get("source") if isinstance(spec, dict) else None
            if isinstance(source, dict) and source.get("path") == ROOT and isinstance(source.get("repoURL"), str):
                return dict(source)
        raise GitOpsError(f"{self.label}: no Application reads the folder {ROOT}")

    @cached_property
    def argocd_cluster(self) -> str:
        """The name of the cluster that Argo CD runs in; empty if it has none."""
        file = self.path / ARGOCD
        documents = load_yaml(read_text(file, ARGOCD), ARGOCD) if file.is_file() else []
        match documents:
            case [{"secretGenerator": [*generators]}, *_]:
                literals = [text for generator in generators for text in _literals(generator)]
                return next((text.removeprefix("name=") for text in literals if text.startswith("name=")), "")
        return ""

    @property
    def repository(self) -> str:
        """The URL of this repository in Argo CD."""
        return str(self.root_source["repoURL"])

    @property
    def cluster_names(self) -> list[str]:
        """The names of the clusters in the answers; none if the repository has no answers."""
        entries = self.answers.get("clusters")
        return [
            str(entry.get("name") if isinstance(entry, dict) else entry)
            for entry in (entries if isinstance(entries, list) else [])
        ]

    def answers_of(self, cluster: str) -> Object:
        """Return the answers that a cluster has of its own; none if it is only a name."""
        entries = mappings(self.answers.get("clusters"))
        return next((entry for entry in entries if entry.get("name") == cluster), {})

    def kubernetes_version(self, cluster: str) -> str:
        """Return the Kubernetes minor version of a cluster in the answers; empty if there is none."""
        answer = "kubernetes_version"
        version = str(self.answers_of(cluster).get(answer) or self.answers.get(answer) or "")
        if version and not KUBERNETES_VERSION.fullmatch(version):
            raise GitOpsError(f"{ANSWERS}: kubernetes_version {printable(version)} is not a version, such as 1.36")
        return version

    def check_repository(self, url: str) -> None:
        """Refuse a source in another repository.

        Raises:
            GitOpsError: if the URL is not this repository's.
        """
        if url != self.repository:
            raise GitOpsError(f"{url} is another repository, which the checks cannot read")


def _literals(generator: Any) -> list[str]:
    match generator:
        case {"name": name, "literals": [*literals]} if name == LOCAL_CLUSTER:
            return [str(text) for text in literals]
    return []
