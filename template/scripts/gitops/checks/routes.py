"""Check that requests to a route reach pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops import backends
from gitops.applications import Application
from gitops.checks.types import Note, NothingToCheckError, Repository, check
from gitops.objects import Object, kind_and_name, load_yaml, mappings
from gitops.routes import HOSTNAME, split_names
from gitops.routes import hosts as hosts_of
from gitops.strictyaml import read_text

FILTER = "regex-domain-filter"


@check("routes", "Routes reach what they name")
def routes(repository: Repository) -> Iterator[str]:
    """Find routes that cannot be reached, and missing objects and ports that routes and Services name."""
    is_any = False
    for application in repository.applications:
        items = repository.objects_of(application)
        for item in items:
            is_any |= backends.is_route(item) or item["kind"] == "Service"
            for problem in _problems(repository, application, item, items):
                text = f"{application.name}: {kind_and_name(item)}: {problem}"
                yield Note(text) if isinstance(problem, Note) else text
    if not is_any:
        raise NothingToCheckError("there is no route and no Service to check")


def _problems(repository: Repository, application: Application, item: Object, items: list[Object]) -> Iterator[str]:
    if backends.is_route(item):
        yield from backends.unreachable(item, _aliases(repository, application.cluster))
        # A policy checks the hosts of workloads.
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
        answered = _answered(repository, application.workload, domain)
        for host in sorted(hosts_of(item)) if domain else []:
            if host.partition(".")[2] != domain and host not in answered:
                yield Note(
                    f"{host} is not one label below {domain}, so a certificate for *.{domain} does not cover it: "
                    "add it to your certificate (docs/domain-configuration.md)"
                )
    elif item["kind"] == "Service":
        yield from backends.unnamed_ports(item, items)


def _managed(repository: Repository, cluster: str) -> str:
    """Return the regular expression for the hosts that external-dns of a cluster manages; empty for all hosts."""
    found = [values.get("extraArgs", {}).get(FILTER) for values in values_of(repository, "external-dns", cluster)]
    return str(next((pattern for pattern in reversed(found) if pattern), ""))


def _aliases(repository: Repository, cluster: str) -> list[str]:
    """Return the hostnames of Traefik's Service in a cluster: its endpoint, and the domains of zones."""
    names: Any = ""
    for values in values_of(repository, "traefik", cluster):
        annotations = values.get("service", {}).get("annotations")
        names = annotations.get(HOSTNAME, names) if isinstance(annotations, dict) else names
    return split_names(names)


def values_of(repository: Repository, addon: str, cluster: str) -> list[Object]:
    """Return the values of an add-on in a cluster, only those that are maps; overrides come last."""
    found = []
    for name in ("values.yaml", "overrides.yaml"):
        place = f"apps/platform/{addon}/clusters/{cluster}/{name}"
        file = repository.tree.path / place
        for values in load_yaml(read_text(file, place), place) if file.is_file() else []:
            if isinstance(values, dict):
                found.append({key: value for key, value in values.items() if isinstance(value, dict)})
    return found


def _domain(repository: Repository, application: Application) -> str:
    """Return the domain of a workload's environment; empty if the repository has no answers."""
    answers = repository.tree.answers
    listed = answers.get("environments")
    for given in listed if isinstance(listed, list) else []:
        entry = given if isinstance(given, dict) else {"name": given}
        if application.namespace == f"{application.workload}-{entry.get('name')}":
            return str(entry.get("domain") or f"{entry.get('name')}.{answers.get('domain')}")
    return ""


def _answered(repository: Repository, workload: str, domain: str) -> set[str]:
    """Return the hosts of a workload's routes in the answers, from which the certificate names are computed."""
    hosts = set()
    for given in mappings(repository.tree.answers.get("workloads")):
        if given.get("name") != workload:
            continue
        overrides = given.get("overrides")
        places = [given, *mappings(list(overrides.values()) if isinstance(overrides, dict) else [])]
        for route in (route for place in places for route in mappings(place.get("routes"))):
            hosts.add(domain if route.get("host") == "@" else f"{route.get('host')}.{domain}")
    return hosts
