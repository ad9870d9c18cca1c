"""The repository's files at one revision."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from gitops.objects import MANIFEST_SUFFIXES, Object, load_yaml, read_objects
from gitops.tools import GitOpsError

ROOT = "argo"
WORKLOADS = "apps/workloads"
PLATFORM = "apps/platform"
ANSWERS = ".copier-answers.yml"


@dataclass
class Tree:
    """A private copy of the repository's files at one revision. Builds may change it, as Argo CD changes its own.

    Attributes:
        path: The folder with the files.
        label: How messages name the revision.
    """

    path: Path
    label: str

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
        documents = load_yaml(file.read_text(), ANSWERS) if file.exists() else []
        return dict(documents[0]) if documents else {}

    @cached_property
    def root_objects(self) -> list[Object]:
        """The objects of the root application: projects, ApplicationSets, Applications."""
        files = sorted((self.path / ROOT).rglob("*"))
        return [item for file in files if file.suffix in MANIFEST_SUFFIXES for item in read_objects(file)]

    @cached_property
    def root_source(self) -> Object:
        """The source of the root application."""
        for item in self.root_objects:
            source = item.get("spec", {}).get("source", {}) if item.get("kind") == "Application" else {}
            if source.get("path") == ROOT:
                return dict(source)
        raise GitOpsError(f"{self.label}: no Application reads the folder {ROOT}")

    @property
    def repository(self) -> str:
        """The URL by which Argo CD knows this repository."""
        return str(self.root_source["repoURL"])

    def kubernetes_version(self, cluster: str) -> str:
        """Return the Kubernetes minor version of a cluster by the answers; empty if there are none."""
        clusters = [c for c in self.answers.get("clusters", []) if isinstance(c, dict) and c["name"] == cluster]
        default = self.answers.get("kubernetes_version", "")
        return str((clusters[0] if clusters else {}).get("kubernetes_version") or default)

    def check_repository(self, url: str) -> None:
        """Refuse a source in another repository.

        Raises:
            GitOpsError: if the URL is not this repository's.
        """
        if url != self.repository:
            raise GitOpsError(f"{url} is another repository, which is not read here")
