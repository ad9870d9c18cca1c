"""Checks of folders: whether each becomes an application that builds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.git import is_below
from gitops.tools import GitOpsError, UnavailableError
from gitops.tree import WORKLOADS

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# The namespace of a workload has the application's name: at most the length of a DNS label.
NAME_LENGTH = 63


@check("folders", "Every workload folder is an application", is_quick=True)
def folders(repository: Repository) -> Iterator[str]:
    """Find folders of workloads that no ApplicationSet reads."""
    if repository.all_applications.unavailable:
        raise UnavailableError("; ".join(repository.all_applications.unavailable))
    for folder in sorted((repository.tree.path / WORKLOADS).glob("*/overlays/*")):
        path = folder.relative_to(repository.tree.path).as_posix()
        if repository.changed is None or any(is_below(file, [path]) for file in repository.changed):
            workload, environment = path.split("/")[2], path.split("/")[4]
            name = f"{workload}-{environment}"
            if not DNS_LABEL.fullmatch(workload) or len(name) > NAME_LENGTH:
                yield (
                    f"{path}: {name} is not a valid application name: use at most {NAME_LENGTH} lowercase letters, "
                    "digits and hyphens, and start with a letter"
                )
            elif name not in repository.all_applications.by_name:
                yield f"{path}: no ApplicationSet in argo/applicationsets reads it; is {environment} an environment?"


@check("builds", "Every application builds")
def builds(repository: Repository) -> Iterator[str]:
    """Find what Kustomize or Helm refuses, and what is not supported here."""
    yield from repository.all_applications.problems
    results = [repository.builds[application.name] for application in repository.applications]
    errors = [result for result in results if isinstance(result, GitOpsError)]
    yield from (str(error) for error in errors if not isinstance(error, UnavailableError))
    if not repository.applications:
        raise NothingToCheckError("the changes concern no application")
