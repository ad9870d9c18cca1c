"""Check that each folder becomes an Application that builds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gitops import names
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.git import is_below
from gitops.reads import unwatched
from gitops.stages import environments
from gitops.text import suggestion
from gitops.tools import GitOpsError, UnavailableError
from gitops.tree import WORKLOADS

SETS = "argo/applicationsets"


@check("folders", "Every workload folder is an application", is_quick=True)
def folders(repository: Repository) -> Iterator[str]:
    """Find folders of workloads that no ApplicationSet reads."""
    repository.note_unexpanded()
    applications = repository.all_applications.by_name.values()
    namespaces = {a.namespace for a in applications if any("chart" in source for source in a.sources)}
    folders_of_workloads = sorted((repository.tree.path / WORKLOADS).glob("*/overlays/*"))
    if not folders_of_workloads:
        raise NothingToCheckError("there is no workload to check")
    for folder in folders_of_workloads:
        path = folder.relative_to(repository.tree.path).as_posix()
        if repository.changed is None or any(is_below(file, [path]) for file in repository.changed):
            workload, environment = path.split("/")[2], path.split("/")[4]
            if problem := names.problem(workload, environment, namespaces):
                yield f"{path}: {problem}"
            elif f"{workload}-{environment}" not in repository.all_applications.by_name and not repository.unread:
                yield f"{path}: no ApplicationSet in {SETS} reads it: {_fix(environment, repository)}"


def _fix(environment: str, repository: Repository) -> str:
    """Return what to do about a folder that no set reads."""
    known = environments(repository.tree)
    if not known:
        return f"rename the folder to an environment, or add a set for {environment}"
    if environment in known:
        file = f"{SETS}/workloads-{environment}.yaml"
        return f"{environment} is an environment, so restore {file} from Git, or from the template by an update"
    return f"{environment} is not an environment{suggestion(environment, known)}"


@check("watched", "Argo CD watches every file that it builds from", is_quick=True)
def watched(repository: Repository) -> Iterator[str]:
    """Find files whose changes Argo CD would not deploy, although it shows Synced."""
    for application in repository.applications:
        if (part := repository.reads[application.name]) and (problem := unwatched(application, part)):
            yield problem


@check("builds", "Every application builds")
def builds(repository: Repository) -> Iterator[str]:
    """Find what Kustomize or Helm rejects, and what the checks do not support."""
    yield from repository.all_applications.problems
    names: dict[str, list[str]] = defaultdict(list)
    for application in repository.applications:
        result = repository.builds[application.name]
        if isinstance(result, UnavailableError):
            repository.unread[application.name] = result
        elif isinstance(result, GitOpsError):
            names[str(result).removeprefix(f"{application.name}, {repository.tree.label}: ")].append(application.name)
    # The environments of a workload often share a problem.
    yield from (f"{', '.join(applications)}: {problem}" for problem, applications in names.items())
    if not repository.applications:
        raise NothingToCheckError(repository.without_applications)
