"""Run checks."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from gitops.checks import (
    applications,
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
from gitops.tools import GitOpsError, UnavailableError, unreadable

# The branch that Argo CD follows, in the place of a name.
FOLLOWED = "."


def all_checks() -> list[Check]:
    """Return every check in the order of the report."""
    return [
        files.conflicts,
        files.answers,
        files.plain_files,
        files.local,
        files.yaml_style,
        applications.folders,
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
    """Check the working tree of a repository, and return each result as soon as it is there.

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
        raise GitOpsError(f"{unknown[0]} is not a check; there are {', '.join(check.id for check in checks)}")
    check_top(path)
    selected = [check for check in checks if (not only or check.id in only) and (check.is_quick or not is_quick)]
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_working_tree(path, Path(folder))
        branch = followed_revision(tree, path) if changed_since == FOLLOWED else changed_since
        changed = files_changed_since(path, branch) if branch else None
        repository = Repository(path, tree, changed)
        # Before a build changes the copy. Every check that needs them reports the error.
        with suppress(Exception):
            _ = repository.foreign_paths
        with suppress(Exception):
            _ = repository.reads
        with ThreadPoolExecutor() as pool:
            # Those that build nothing run beside the builds.
            futures = {check.id: pool.submit(_result, check, repository) for check in selected if check.is_quick}
            for check in selected:
                yield futures[check.id].result() if check.is_quick else _result(check, repository)


def _result(check: Check, repository: Repository) -> Result:
    problems: dict[str, None] = {}
    notes: dict[str, None] = {}
    reasons: list[str] = []
    is_complete = True
    try:
        for problem in check.find(repository):
            (notes if isinstance(problem, Note) else problems)[problem] = None
        reasons = [] if check.is_quick else repository.unavailable
        is_complete = not reasons
    except NothingToCheckError as error:
        unavailable = repository.unavailable if not check.is_quick and repository.applications else []
        reasons, is_complete = unavailable or [str(error)], not unavailable
    except UnavailableError as error:
        reasons, is_complete = [str(error)], False
    except GitOpsError as error:
        problems[" ".join(str(error).split())] = None
    except Exception as error:
        problems[unreadable(error)] = None
    state = State.FAILED if problems else State.SKIPPED if reasons else State.NOTE if notes else State.OK
    return Result(check.id, check.title, state, list(problems), list(notes), "; ".join(reasons), is_complete)
