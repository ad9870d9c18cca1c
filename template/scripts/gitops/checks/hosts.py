"""Check that each host belongs to one application."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import Object, read_objects
from gitops.routes import dns_names
from gitops.routes import hosts as hosts_of


@check("hosts", "Each host belongs to one application")
def hosts(repository: Repository) -> Iterator[str]:
    """Find hosts and DNS names that objects of two Applications claim."""
    owners: dict[str, str] = {}
    checked = {application.name for application in repository.applications}
    for application in repository.all_applications.by_name.values():
        # An Application that a branch does not change is not built. Its routes are read from its folder.
        if application.name not in checked and application.workload:
            for file in sorted((repository.tree.path / application.sources[0]["path"]).glob("*.yaml")):
                objects = [item for item in read_objects(file) if "kind" in item]
                owners |= {host: application.name for item in objects for host in hosts_of(item)}
    is_any = False
    for application, item in repository.objects():
        for host in sorted(_claims(item, bool(application.workload))):
            is_any = True
            if owners.setdefault(host, application.name) != application.name:
                yield f"{application.name}: {host} is a host of {owners[host]} already"
    if not is_any:
        raise NothingToCheckError("no application to check has a host")


def _claims(item: Object, of_workload: bool) -> set[str]:
    """Return the hosts that an object claims.

    The first name of an add-on's Service is the endpoint of the cluster. The others are the domains of zones, which
    routes claim.
    """
    names = list(dns_names(item))
    return set(names[:1]) if item["kind"] == "Service" and not of_workload else hosts_of(item)
