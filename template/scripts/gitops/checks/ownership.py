"""Check that an application writes into its own namespace only, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops import ownership
from gitops.applications import Application
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import api_group, kind_and_name
from gitops.stages import environments
from gitops.tree import PLATFORM

POLICY, EXCEPTIONS = "workload-own", f"{PLATFORM}/policies/exceptions/kustomization.yaml"


@check("own", "Workloads write into their own namespace only")
def own(repository: Repository) -> Iterator[str]:
    """Find objects in other namespaces, objects that outlive their commit, and objects that occur twice.

    Hooks count as well: before Argo CD creates one, it deletes the object of that name.
    """
    if not repository.applications:
        raise NothingToCheckError(repository.without_applications)
    for application in repository.applications:
        if not application.workload and (problem := _mistaken(application, repository)):
            yield problem
        identities: set[tuple[str, ...]] = set()
        for item in repository.objects_of(application):
            place = str(item["metadata"]["namespace"])
            identity = (api_group(item), item["kind"], place, item["metadata"]["name"])
            if identity in identities:
                yield f"{application.name}: {kind_and_name(item)} occurs twice: remove one, or rename it"
            identities.add(identity)
            for problem in ownership.problems(item, application.namespace) if application.workload else ():
                yield f"{application.name}: {kind_and_name(item)}: {problem}"


def _mistaken(application: Application, repository: Repository) -> str:
    """Return why the API server takes an add-on for a workload: a cluster can have the name of an environment."""
    endings = [name for name in environments(repository.tree) if application.name.endswith(f"-{name}")]
    if not endings:
        return ""
    name = re.compile(rf"""["']{re.escape(application.name)}["']""")
    for other, item in repository.platform:
        is_policy = (item["kind"], item["metadata"]["name"]) == ("ValidatingAdmissionPolicy", POLICY)
        if is_policy and other.place == application.place and not name.search(str(item["spec"].get("matchConditions"))):
            return (
                f"{application.name}: the policy {POLICY} takes it for a workload, because its name ends with "
                f"-{endings[0]}: add the exception for add-ons to {EXCEPTIONS}, and merge that first "
                "(docs/operations.md, Add an add-on)"
            )
    return ""
