"""The check that requests to a route reach pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops import backends
from gitops.applications import Application
from gitops.checks.types import Note, Repository, check
from gitops.objects import Object, kind_and_name, load_yaml
from gitops.routes import hosts as hosts_of
from gitops.strictyaml import read_text

FILTER = "regex-domain-filter"


@check("routes", "Routes reach what they name")
def routes(repository: Repository) -> Iterator[str]:
    """Find routes that nobody reaches, and what routes and Services name that is not there."""
    for application in repository.applications:
        items = repository.objects_of(application)
        for item in items:
            for problem in _problems(repository, application, item, items):
                text = f"{application.name}: {kind_and_name(item)}: {problem}"
                yield Note(text) if isinstance(problem, Note) else text


def _problems(repository: Repository, application: Application, item: Object, items: list[Object]) -> Iterator[str]:
    if backends.is_route(item):
        yield from backends.unreachable(item)
        # Hosts of workloads are held by a policy.
        is_own = backends.is_served(item) and not application.workload
        pattern = _managed(repository, application.cluster) if is_own else ""
        for host in sorted(hosts_of(item)) if pattern else []:
            if not re.search(pattern, host):
                yield (
                    f"{host} gets no DNS record: add it to the answer platform_hosts, "
                    "or use a host below the domain of an environment (docs/domain-configuration.md)"
                )
    # An add-on and its configuration are two applications in one namespace.
    if not application.workload:
        return
    if backends.is_route(item):
        yield from backends.missing(item, items)
        domain = _domain(repository, application)
        for host in sorted(hosts_of(item)) if domain else []:
            if host.partition(".")[2] != domain:
                yield Note(
                    f"{host} is not one label below {domain}, so a certificate for *.{domain} does not cover it: "
                    "have yours name it, too (docs/domain-configuration.md)"
                )
    elif item["kind"] == "Service":
        yield from backends.unnamed_ports(item, items)


def _managed(repository: Repository, cluster: str) -> str:
    """Return the regular expression of the hosts that external-dns of a cluster manages; empty for all."""
    pattern = ""
    for name in ("values.yaml", "overrides.yaml"):
        place = f"apps/platform/external-dns/clusters/{cluster}/{name}"
        file = repository.tree.path / place
        for values in load_yaml(read_text(file, place), place) if file.is_file() else []:
            arguments = values.get("extraArgs") if isinstance(values, dict) else None
            pattern = arguments.get(FILTER, pattern) if isinstance(arguments, dict) else pattern
    return str(pattern)


def _domain(repository: Repository, application: Application) -> str:
    """Return the domain of the environment of a workload; empty if the repository has left its template."""
    answers = repository.tree.answers
    listed = answers.get("environments")
    for given in listed if isinstance(listed, list) else []:
        entry = given if isinstance(given, dict) else {"name": given}
        if application.namespace == f"{application.workload}-{entry.get('name')}":
            return str(entry.get("domain") or f"{entry.get('name')}.{answers.get('domain')}")
    return ""
