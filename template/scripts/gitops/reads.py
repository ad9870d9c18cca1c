"""Determine the files that an Application is built from, before it is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitops import builds, directories, references, sources
from gitops.applications import GENERATE_PATHS, UNEXPECTED, Application
from gitops.git import is_below
from gitops.objects import Object
from gitops.sources import SourceType
from gitops.tools import GitOpsError
from gitops.tree import Tree


@dataclass(frozen=True)
class Reads:
    """The files that an Application is built from, by paths from the root of the repository.

    Attributes:
        files: The files, also those that may be missing.
        folders: The folders whose further files become part of it.
    """

    files: frozenset[str]
    folders: frozenset[str]

    def include(self, files: Iterable[str]) -> bool:
        """Whether one of the files is or becomes a part of the Application."""
        places = self.files | self.folders
        return any(is_below(file, places) for file in files)


def read(tree: Tree, application: Application) -> Reads | None:
    """Return the files of an Application, or None if they cannot be determined, which its build reports."""
    try:
        sources.check(application.manifest)
        parts = [_of_source(tree, application, source) for source in application.sources]
    except (GitOpsError, OSError, *UNEXPECTED):
        return None
    return Reads(frozenset().union(*(p.files for p in parts)), frozenset().union(*(p.folders for p in parts)))


def _of_source(tree: Tree, application: Application, source: Object) -> Reads:
    files = set(builds.value_paths(tree, application, source))
    if "path" not in source:
        return Reads(frozenset(files), frozenset())
    name, folder = source["path"], tree.path / source["path"]
    if not folder.is_dir():
        raise GitOpsError(f"{name} does not exist")
    match sources.type_of(source, folder):
        case SourceType.KUSTOMIZE:
            parts = references.read_all(tree.path, name)
            files |= {file for part in parts for file in (part.file, *part.files)}
            return Reads(frozenset(files), frozenset(PurePosixPath(part.file).parent.as_posix() for part in parts))
        case SourceType.HELM:
            found = [file for file in folder.rglob("*") if file.is_file()]
        case SourceType.DIRECTORY:
            found = directories.files(folder, bool(source.get("directory", {}).get("recurse")))
    files |= {file.relative_to(tree.path).as_posix() for file in found}
    return Reads(frozenset(files), frozenset({name}))


def unwatched(application: Application, reads: Reads) -> str:
    """Return the files that Argo CD builds from but does not watch, and what to do; empty if there are none."""
    files = sorted(file for file in reads.files if not application.watches(file))
    if not files:
        return ""
    annotation = application.manifest["metadata"]["annotations"][GENERATE_PATHS]
    places = {PurePosixPath(file).parent.as_posix() for file in files}
    places = {*files} if "." in places else places
    outer = sorted(place for place in places if not is_below(place, places - {place}))
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    value = ";".join([annotation.rstrip("; "), *(f"/{place}" for place in outer)])
    return (
        f"{application.name} is built from {files[0]}{others}, whose changes Argo CD would not deploy: "
        f"in the Application, or in the template of its ApplicationSet, set the annotation {GENERATE_PATHS} to {value}"
    )
