"""Checks, the repository that they read, and their results."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath

from gitops import reads, references
from gitops.applications import Application, Applications, read_applications
from gitops.builds import build_or_error
from gitops.git import is_below
from gitops.objects import CRD, Object
from gitops.reads import Reads
from gitops.terminal import progress
from gitops.tools import GitOpsError, UnavailableError
from gitops.tree import PLATFORM, ROOT, Tree


class State(StrEnum):
    """The result of a check. A check is ok only if it looked at everything that it is about."""

    OK = "ok"
    NOTE = "note"
    FAILED = "FAIL"
    SKIPPED = "skipped"


class Note(str):
    """Something that people should know. Checks yield notes like problems, but a note fails nothing."""

    __slots__ = ()


class NothingToCheckError(Exception):
    """Nothing in the repository, or in the changes of a branch, concerns a check."""


@dataclass(frozen=True)
class Result:
    """The result of a check.

    Attributes:
        problems: What is wrong, one text each; a text may have several lines.
        notes: What is not wrong, but worth knowing.
        reason: Why the check was skipped, or looked at a part only.
        is_complete: Whether it looked at everything. Without a tool, a server or a build it did not.
        missing: What it lacked: each tool or server, with what to do.
    """

    id: str
    title: str
    state: State
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reason: str = ""
    is_complete: bool = True
    missing: dict[str, str] = field(default_factory=dict)


class Repository:
    """The repository as checks read it: everything, or the changes of a branch.

    Attributes:
        path: The working tree.
        tree: A copy of its files.
        changed: The files that the branch changes; None for all files.
        unread: The reason for each part that could not be read: an Application, or an ApplicationSet.
    """

    def __init__(self, path: Path, tree: Tree, changed: set[str] | None = None) -> None:
        self.path = path
        self.tree = tree
        self.changed = changed
        self.all_files = list(tree.files)
        self.unread: dict[str, GitOpsError] = {}

    def for_check(self) -> Repository:
        """Return the repository for one check, which notes for itself what it could not read."""
        other = copy.copy(self)
        other.unread = {}
        return other

    @cached_property
    def files(self) -> list[str]:
        """The files to check."""
        return [name for name in self.all_files if self.changed is None or name in self.changed]

    @cached_property
    def foreign_paths(self) -> list[str]:
        """Why kustomizations must not be built, whether a branch changes them or not."""
        paths = [PurePosixPath(name) for name in self.all_files]
        folders = dict.fromkeys(path.parent.as_posix() for path in paths if path.name in references.FILE_NAMES)
        return [problem for folder in folders for problem in references.read(self.tree.path, folder).problems]

    @cached_property
    def all_applications(self) -> Applications:
        """Every Application, and the problems of their sets."""
        return read_applications(self.tree)

    @cached_property
    def applications(self) -> list[Application]:
        """The Applications to check. The sets that could not be expanded are noted."""
        self.note_unexpanded()
        return self._selected

    def note_unexpanded(self) -> None:
        """Note the sets whose Applications are unknown."""
        for name, error in self.all_applications.unexpanded.items():
            self._note(name, error, f"ApplicationSet {name} cannot be expanded")

    def _note(self, name: str, error: GitOpsError, problem: str) -> None:
        self.unread[name] = error if isinstance(error, UnavailableError) else GitOpsError(problem)

    @cached_property
    def _selected(self) -> list[Application]:
        applications = list(self.all_applications.by_name.values())
        if self.changed is None or any(is_below(file, [ROOT, PLATFORM]) for file in self.changed):
            return applications
        parts = [(a, self.reads[a.name]) for a in applications]
        return [a for a, part in parts if part is None or part.include(self.changed)]

    @cached_property
    def reads(self) -> dict[str, Reads | None]:
        """The files that each Application is built from; None where they cannot be determined."""
        return {name: reads.read(self.tree, a) for name, a in self.all_applications.by_name.items()}

    @cached_property
    def builds(self) -> dict[str, list[Object] | GitOpsError]:
        """The objects of each Application to check and of the platform, or the reason why there are none."""
        names = {a.name for a in self._selected}
        # The platform has the policies and the custom resources, even if a branch does not change it.
        applications = [a for a in self.all_applications.by_name.values() if a.name in names or not a.workload]
        results = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            futures = [pool.submit(build_or_error, self.tree, application) for application in applications]
            for number, (application, future) in enumerate(zip(applications, futures, strict=True), 1):
                progress.show(f"Building {number} of {len(applications)} applications: {application.name}")
                results[application.name] = future.result()
        return results

    @property
    def without_applications(self) -> str:
        """The reason why there is no Application to check."""
        return "there is no application" if self.changed is None else "the branch changes no application"

    def objects_of(self, application: Application) -> list[Object]:
        """Return the objects of an Application. If it could not be built, there are none, and that is noted."""
        built = self.builds[application.name]
        if isinstance(built, GitOpsError):
            self._note(application.name, built, f"{application.name} does not build")
            return []
        return built

    def objects(self) -> list[tuple[Application, Object]]:
        """Return every object to check, with its Application."""
        return [(application, item) for application in self.applications for item in self.objects_of(application)]

    @cached_property
    def platform(self) -> list[tuple[Application, Object]]:
        """The objects of the add-ons, Argo CD and the root application, each with its Application."""
        applications = [a for a in self.all_applications.by_name.values() if not a.workload]
        return [(application, item) for application in applications for item in self.objects_of(application)]

    @cached_property
    def crds(self) -> list[Object]:
        """The definitions of custom resources."""
        return [item for _, item in self.platform if item["kind"] == CRD]


Problems = Callable[[Repository], Iterator[str]]


@dataclass(frozen=True)
class Check:
    """A check.

    Attributes:
        is_quick: Whether it reads files only, and builds nothing.
        tools: The tools that it runs itself. Builds report those that they need.
    """

    id: str
    title: str
    find: Problems
    is_quick: bool
    tools: tuple[str, ...]


def check(
    identifier: str, title: str, *, is_quick: bool = False, tools: tuple[str, ...] = ()
) -> Callable[[Problems], Check]:
    """Turn a function that yields one text per problem into a check."""
    return lambda find: Check(identifier, title, find, is_quick, tools)
