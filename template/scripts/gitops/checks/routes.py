"""The check that requests to a route reach pods."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import backends
from gitops.applications import Application
from gitops.checks.types import Note, Repository, check
from gitops.objects import Object, kind_and_name
from gitops.routes import hosts as hosts_of


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


def _domain(repository: Repository, application: Application) -> str:
    """Return the domain of the environment of a workload; empty if the repository has left its template."""
    answers = repository.tree.answers
    listed = answers.get("environments")
    for given in listed if isinstance(listed, list) else []:
        entry = given if isinstance(given, dict) else {"name": given}
        if application.namespace == f"{application.workload}-{entry.get('name')}":
            return str(entry.get("domain") or f"{entry.get('name')}.{answers.get('domain')}")
    return ""
