"""Check that each cluster has a certificate, without which none of its hosts is reachable."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from gitops.checks.routes import values_of
from gitops.checks.types import Note, NothingToCheckError, Repository, check
from gitops.kubectl import region
from gitops.objects import mappings, read_objects
from gitops.routes import hosts

TRAEFIK = "apps/platform/traefik/clusters"
CERTIFICATE = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"


@check("certificates", "Load balancers have a certificate", is_quick=True)
def certificates(repository: Repository) -> Iterator[str]:
    """Find clusters whose Traefik has no certificate yet, and print the names that it must cover."""
    clusters = sorted(folder.name for folder in (repository.tree.path / TRAEFIK).glob("*") if folder.is_dir())
    if not clusters:
        raise NothingToCheckError(f"there is no {TRAEFIK}")
    for cluster in clusters:
        if any(_annotations(values).get(CERTIFICATE) for values in values_of(repository, "traefik", cluster)):
            continue
        names = _names(repository, cluster)
        text = f"Cluster {cluster} has no certificate yet.\nUntil it has one, its hosts cannot be reached."
        # An unknown workload may have further hosts.
        repository.note_unexpanded()
        if names and not repository.unread:
            command = _command(names, region(repository.tree, cluster))
            wrapped = textwrap.wrap(", ".join(names), 66, break_long_words=False, break_on_hyphens=False)
            text += "\nIt must cover:" + "".join(f"\n  {line}" for line in wrapped) + f"\nTo request it:\n{command}"
            text += "\nThen set the answer acm_certificate_arn: docs/domain-configuration.md."
        yield Note(text)


def _annotations(values: dict[str, Any]) -> dict[str, Any]:
    annotations = values.get("service", {}).get("annotations")
    return annotations if isinstance(annotations, dict) else {}


def _names(repository: Repository, cluster: str) -> list[str]:
    """Return the names that the certificate of a cluster must cover. A wildcard covers one label."""
    domains = _domains(repository, cluster)
    names = {f"*.{domain}" for domain in domains}
    for application in repository.all_applications.by_name.values():
        if application.workload and application.cluster == cluster:
            files = sorted((repository.tree.path / application.sources[0]["path"]).glob("*.yaml"))
            objects = [item for file in files for item in read_objects(file) if "kind" in item]
            found = {host for item in objects if item["kind"] != "Service" for host in hosts(item)}
            names |= {host for host in found if host.partition(".")[2] not in domains}
    return sorted(names)


def _domains(repository: Repository, cluster: str) -> set[str]:
    """Return the domains of the environments of a cluster, by the answers."""
    answers = repository.tree.answers
    first = next(iter(_entries(answers.get("clusters"))), {}).get("name")
    return {
        str(entry.get("domain") or f"{entry.get('name')}.{answers.get('domain')}")
        for entry in _entries(answers.get("environments"))
        if entry.get("cluster", first) == cluster
    }


def _entries(listed: Any) -> list[dict[str, Any]]:
    """Return the entries of a list of names and maps as maps."""
    return mappings([entry if isinstance(entry, dict) else {"name": entry} for entry in listed or []])


def _command(names: list[str], region: str) -> str:
    """Return the command that requests a certificate, as docs/domain-configuration.md has it."""
    first, *others = names
    lines = [
        f"aws acm request-certificate --region {region}",
        "  --validation-method DNS",
        f"  --domain-name '{first}'",
    ]
    options = ["  --subject-alternative-names", *[" " * 3] * len(others)]
    lines += [f"{option} '{name}'" for option, name in zip(options, others, strict=False)]
    return " \\\n".join(f"  {line}" for line in lines)
