"""Checks of folders: whether each becomes an application that builds."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import names
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.git import is_below
from gitops.reads import unwatched
from gitops.tools import GitOpsError, UnavailableError
from gitops.tree import WORKLOADS


@check("folders", "Every workload folder is an application", is_quick=True)
def folders(repository: Repository) -> Iterator[str]:
    """Find folders of workloads that no ApplicationSet reads."""
    if repository.all_applications.unavailable:
        raise UnavailableError("; ".join(repository.all_applications.unavailable))
    applications = repository.all_applications.by_name.values()
    namespaces = {a.namespace for a in applications if any("chart" in source for source in a.sources)}
    for folder in sorted((repository.tree.path / WORKLOADS).glob("*/overlays/*")):
        path = folder.relative_to(repository.tree.path).as_posix()
        if repository.changed is None or any(is_below(file, [path]) for file in repository.changed):
            workload, environment = path.split("/")[2], path.split("/")[4]
            if problem := names.problem(workload, environment, namespaces):
                yield f"{path}: {problem}"
            elif f"{workload}-{environment}" not in repository.all_applications.by_name:
                yield f"{path}: no ApplicationSet in argo/applicationsets reads it; is {environment} an environment?"


@check("watched", "Argo CD watches every file that it builds from", is_quick=True)
def watched(repository: Repository) -> Iterator[str]:
    """Find files whose changes Argo CD would show as Synced, and never deploy."""
    for application in repository.applications:
        if (part := repository.reads[application.name]) and (problem := unwatched(application, part)):
            yield problem
    if repository.all_applications.unavailable:
        raise UnavailableError("; ".join(repository.all_applications.unavailable))


@check("builds", "Every application builds")
def builds(repository: Repository) -> Iterator[str]:
    """Find what Kustomize or Helm refuses, and what is not supported here."""
    yield from repository.all_applications.problems
    results = [repository.builds[application.name] for application in repository.applications]
    errors = [result for result in results if isinstance(result, GitOpsError)]
    yield from (str(error) for error in errors if not isinstance(error, UnavailableError))
    if not repository.applications:
        raise NothingToCheckError("the changes concern no application")
