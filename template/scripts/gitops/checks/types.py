"""What a check is, what it looks at, and what it returns."""

from __future__ import annotations

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
from gitops.tools import GitOpsError, UnavailableError
from gitops.tree import PLATFORM, ROOT, Tree


class State(StrEnum):
    """The result of a check. A check that could not look at anything is skipped, never ok."""

    OK = "ok"
    NOTE = "note"
    FAILED = "FAILED"
    SKIPPED = "skipped"


class Note(str):
    """What people should know of. A check yields it beside problems, and it fails nothing."""

    __slots__ = ()


class NothingToCheckError(Exception):
    """The repository, or what a branch changes, has nothing that a check looks at."""


@dataclass(frozen=True)
class Result:
    """What a check found.

    Attributes:
        problems: What is wrong, one text each; a text may have several lines.
        notes: What is not wrong, but worth to know.
        reason: Why the check was skipped.
        is_complete: Whether it looked at everything that there is. A missing tool or server makes it incomplete.
    """

    id: str
    title: str
    state: State
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reason: str = ""
    is_complete: bool = True


class Repository:
    """What checks look at: everything, or what a branch changes.

    Attributes:
        path: The working tree.
        tree: A copy of its files.
        changed: The files that the branch changes; None for all files.
    """

    def __init__(self, path: Path, tree: Tree, changed: set[str] | None = None) -> None:
        self.path = path
        self.tree = tree
        self.changed = changed
        self.all_files = list(tree.files)

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
        """Every Application, and what is wrong with their sets."""
        return read_applications(self.tree)

    @cached_property
    def applications(self) -> list[Application]:
        """The Applications to check."""
        applications = list(self.all_applications.by_name.values())
        if self.changed is None or any(is_below(file, [ROOT, PLATFORM]) for file in self.changed):
            return applications
        parts = [(a, self.reads[a.name]) for a in applications]
        return [a for a, part in parts if part is None or part.include(self.changed)]

    @cached_property
    def reads(self) -> dict[str, Reads | None]:
        """What each Application is built from; None where that cannot be read."""
        return {name: reads.read(self.tree, a) for name, a in self.all_applications.by_name.items()}

    @cached_property
    def builds(self) -> dict[str, list[Object] | GitOpsError]:
        """The objects of each Application to check and of the platform, or why there are none.

        The platform is built even if a branch does not change it: it has the policies and the custom resources.
        """
        names = {a.name for a in self.applications}
        applications = [a for a in self.all_applications.by_name.values() if a.name in names or not a.workload]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda application: build_or_error(self.tree, application), applications)
            return dict(zip([a.name for a in applications], results, strict=True))

    @property
    def unavailable(self) -> list[str]:
        """Why Applications could not be built that may be right."""
        errors = [str(result) for result in self.builds.values() if isinstance(result, UnavailableError)]
        return list(dict.fromkeys([*self.all_applications.unavailable, *errors]))

    def objects_of(self, application: Application) -> list[Object]:
        """Return the objects of an Application; none if it could not be built."""
        built = self.builds[application.name]
        return [] if isinstance(built, GitOpsError) else built

    def objects(self) -> Iterator[tuple[Application, Object]]:
        """Return every object to check, with its Application."""
        for application in self.applications:
            yield from ((application, item) for item in self.objects_of(application))

    @cached_property
    def platform(self) -> list[tuple[Application, Object]]:
        """The objects of every Application that is not a workload's."""
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
    """

    id: str
    title: str
    find: Problems
    is_quick: bool


def check(identifier: str, title: str, *, is_quick: bool = False) -> Callable[[Problems], Check]:
    """Make a check of a function that yields one text for each problem."""
    return lambda find: Check(identifier, title, find, is_quick)
