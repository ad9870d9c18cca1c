"""Check that an application writes into its own namespace only, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import ownership
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import api_group, kind_and_name


@check("own", "Workloads write into their own namespace only")
def own(repository: Repository) -> Iterator[str]:
    """Find objects in other namespaces, objects that outlive their commit, and objects that occur twice.

    Hooks count as well: before Argo CD creates one, it deletes the object of that name.
    """
    if not repository.applications:
        raise NothingToCheckError(repository.without_applications)
    for application in repository.applications:
        identities: set[tuple[str, ...]] = set()
        for item in repository.objects_of(application):
            place = str(item["metadata"]["namespace"])
            identity = (api_group(item), item["kind"], place, item["metadata"]["name"])
            if identity in identities:
                yield f"{application.name}: {kind_and_name(item)} occurs twice: remove one, or rename it"
            identities.add(identity)
            for problem in ownership.problems(item, application.namespace) if application.workload else ():
                yield f"{application.name}: {kind_and_name(item)}: {problem}"
