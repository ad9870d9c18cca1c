"""Run checks, and summarize what each found or could not check."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gitops.checks import (
    addons,
    applications,
    certificates,
    downloads,
    files,
    hosts,
    images,
    locks,
    networks,
    objects,
    owners,
    ownership,
    policies,
    projects,
    routes,
    stages,
)
from gitops.checks.types import Check, Note, NothingToCheckError, Repository, Result, State
from gitops.clone import check_top, files_changed_since, followed_revision
from gitops.git import copy_working_tree
from gitops.terminal import progress
from gitops.text import all_of, suggestion
from gitops.tools import GitOpsError, UnavailableError, program, unreadable

# The branch that Argo CD follows, as an argument.
FOLLOWED = "."
# How many parts of the repository a reason names.
NAMED = 3
PLURALS = {"is": "are", "does": "do"}


def all_checks() -> list[Check]:
    """Return every check in the order of the report."""
    return [
        files.conflicts,
        files.answers,
        files.plain_files,
        files.local,
        files.yaml_style,
        applications.folders,
        addons.addons,
        applications.watched,
        downloads.manifests,
        downloads.charts,
        applications.builds,
        objects.schemas,
        objects.validation,
        objects.hooks,
        objects.values,
        objects.images,
        images.entries,
        stages.stages,
        hosts.hosts,
        routes.routes,
        certificates.certificates,
        ownership.own,
        projects.projects,
        policies.policies,
        networks.networks,
        files.secrets,
        locks.locks,
        owners.owners,
    ]


def run(
    path: Path, *, only: Collection[str] = (), is_quick: bool = False, changed_since: str | None = None
) -> list[Result]:
    """Check the working tree of a repository, and return all results. See iterate()."""
    return list(iterate(path, only=only, is_quick=is_quick, changed_since=changed_since))


def iterate(
    path: Path, *, only: Collection[str] = (), is_quick: bool = False, changed_since: str | None = None
) -> Iterator[Result]:
    """Check the working tree of a repository, and return each result as soon as it is known.

    Args:
        path: The repository, a clone of Git.
        only: The ids of the checks to run; all if empty.
        is_quick: Whether to run only those that build nothing.
        changed_since: A branch, or FOLLOWED: check only what differs from where this one left it.

    Raises:
        GitOpsError: if Git does not know the branch, or there is no such check.
    """
    checks = all_checks()
    if unknown := sorted(set(only) - {check.id for check in checks}):
        ids = [check.id for check in checks]
        raise GitOpsError(f"there is no check {unknown[0]}{suggestion(unknown[0], ids)}")
    progress.show("Copying the working tree")
    check_top(path)
    selected = [check for check in checks if (not only or check.id in only) and (check.is_quick or not is_quick)]
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_working_tree(path, Path(folder))
        branch = followed_revision(tree, path) if changed_since == FOLLOWED else changed_since
        changed = files_changed_since(path, branch) if branch else None
        repository = Repository(path, tree, changed)
        # Before a build changes the copy. Each check that needs one of them reports its error.
        for prepare in (lambda: repository.foreign_paths, lambda: repository.reads):
            _attempt(prepare)
        reported: dict[str, str] = {}
        with ThreadPoolExecutor() as pool:
            # Checks that build nothing run while the others build.
            futures = {check.id: pool.submit(_result, check, repository) for check in selected if check.is_quick}
            for number, check in enumerate(selected, 1):
                progress.show(f"Check {number} of {len(selected)}: {check.title}")
                if check.is_quick:
                    result = futures[check.id].result()
                else:
                    _attempt(lambda: repository.builds)
                    result = _result(check, repository)
                yield _without_repetition(result, reported)


def _attempt(prepare: Callable[[], object]) -> None:
    """Compute what checks share. A check that needs it reports the error."""
    with suppress(Exception):
        prepare()


def _result(check: Check, shared: Repository) -> Result:
    """Run one check."""
    repository = shared.for_check()
    problems: dict[str, None] = {}
    notes: dict[str, None] = {}
    reason = ""
    lacking: list[GitOpsError] = []
    try:
        for problem in check.find(repository):
            (notes if isinstance(problem, Note) else problems)[problem] = None
    except NothingToCheckError as error:
        reason = str(error)
    except UnavailableError as error:
        lacking = [error]
    except GitOpsError as error:
        problems[" ".join(str(error).split())] = None
    except Exception as error:
        problems[unreadable(error)] = None
    lacking += repository.unread.values()
    # Name every missing tool at once, even if another one is missing before.
    lacking += [] if reason and not lacking else _missing(check)
    reason = _reason(lacking) or reason
    state = State.FAILED if problems else State.SKIPPED if reason else State.NOTE if notes else State.OK
    missing = {error.cause: error.fix for error in lacking if isinstance(error, UnavailableError)}
    return Result(check.id, check.title, state, list(problems), list(notes), reason, not lacking, missing)


def _reason(lacking: Iterable[GitOpsError]) -> str:
    """Return why a check could not look at everything, such as: helm and kustomize are not installed."""
    subjects: dict[str, list[str]] = defaultdict(list)
    for cause in dict.fromkeys(e.cause if isinstance(e, UnavailableError) else str(e) for e in lacking):
        subject, _, rest = cause.partition(" ")
        subjects[rest].append(subject)
    return ", ".join(_sentence(names, rest) for rest, names in subjects.items())


def _sentence(subjects: list[str], rest: str) -> str:
    verb, _, end = rest.partition(" ")
    more = [f"{len(subjects) - NAMED} more"] if len(subjects) > NAMED else []
    return f"{all_of([*subjects[:NAMED], *more])} {PLURALS.get(verb, verb) if len(subjects) > 1 else verb} {end}"


def _missing(check: Check) -> list[GitOpsError]:
    """Return an error for each tool of a check that is not installed."""
    errors: list[GitOpsError] = []
    for tool in check.tools:
        try:
            program(tool)
        except UnavailableError as error:
            errors.append(error)
    return errors


def _without_repetition(result: Result, reported: dict[str, str]) -> Result:
    """Replace the problems of a check by a reason, if another check has reported all of them."""
    titles = [reported.get(problem) for problem in result.problems]
    for problem in result.problems:
        reported.setdefault(problem, result.title)
    if not titles or None in titles:
        return result
    return replace(
        result, state=State.SKIPPED, problems=[], reason=f"same problem as above: {titles[0]}", is_complete=False
    )
