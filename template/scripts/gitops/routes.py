"""Read the hosts of routes and the DNS names of objects, as Traefik and external-dns do.

Traefik's rules are Go expressions: with comments, two kinds of strings, and calls in any case. Only a part of that
language is accepted, which every program reads in the same way. The admission policies have the same grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops.objects import Object, mapping

# A DNS name in lower case, of at least two labels.
HOST = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
# Without brackets, because external-dns looks for `Host(` even inside strings.
TEXT = "`[ -'*-_a-~]+`"
HOST_MATCHER = rf"Host\(`{HOST}`\)"
PATH_MATCHER = r"(Path|PathPrefix)\(`/[ -'*-_a-~]*`\)"
OTHER_MATCHER = (
    rf"(!?({PATH_MATCHER}|Method\(`[A-Z]+`\)|Header\({TEXT}, *{TEXT}\)|Query\({TEXT}(, *{TEXT})?\))"
    rf"|\({PATH_MATCHER}( *\|\| *{PATH_MATCHER})+\))"
)
RULE = (
    rf"^(({HOST_MATCHER}|\({HOST_MATCHER}( *\|\| *{HOST_MATCHER})*\))( *&& *{OTHER_MATCHER})*"
    rf"|{HOST_MATCHER}( *\|\| *{HOST_MATCHER})+)$"
)
LONGEST_RULE = 1000

# How external-dns finds hosts in a rule (source/traefik_proxy.go), and the prefix of the annotations that it reads.
ROUTES = ("IngressRoute", "IngressRouteTCP")
ANNOTATED = (*ROUTES, "IngressRouteUDP", "Service")
CALL = re.compile(r"(?:HostSNI|HostHeader|Host)\s*\(\s*(`.*?`)\s*\)")
ARGUMENT = re.compile(r"`([^,`]+)`")
PREFIX = "external-dns.kubernetes.io/"
HOSTNAME = f"{PREFIX}hostname"


def read_rule(rule: str) -> list[str] | None:
    """Return the hosts that a rule matches, or None if it is not in the accepted grammar."""
    if len(rule) > LONGEST_RULE or not re.fullmatch(RULE, rule):
        return None
    return re.findall(r"Host\(`([^`]*)`\)", rule)


def dns_names(item: Object) -> dict[str, str]:
    """Return the DNS names that external-dns creates from an object, in lower case, each with its targets."""
    if item["kind"] not in ANNOTATED:
        return {}
    annotations = mapping(item["metadata"].get("annotations"))
    targets = ", ".join(split_names(annotations.get(f"{PREFIX}target", "")))
    names = split_names(annotations.get(HOSTNAME, ""))
    if item["kind"] == "Service":
        targets = targets or f"Service {item['metadata']['name']}"
        names += split_names(annotations.get(f"{PREFIX}internal-hostname", ""))
    names += [name for rule in rules(item) for name in _search(rule)]
    return {name.lower(): targets for name in names if targets}


def hosts(item: Object) -> set[str]:
    """Return the hosts that a route matches, as far as its rules are readable, and the DNS names of an object."""
    found = set(dns_names(item))
    for rule in rules(item):
        readable = read_rule(rule)
        found.update(_search(rule) if readable is None else readable)
    return found


def rules(item: Object) -> Iterator[str]:
    """Return the rules of a route, and nothing for other objects."""
    entries = mapping(item.get("spec")).get("routes") if item["kind"] in ROUTES else None
    for entry in entries if isinstance(entries, list) else []:
        yield str(mapping(entry).get("match", ""))


def split_names(value: Any) -> list[str]:
    """Return the names of an annotation."""
    return [name.removesuffix(".") for name in str(value).replace(" ", "").strip().split(",") if name]


def _search(rule: str) -> list[str]:
    """Return the hosts that external-dns finds in a rule, in lower case."""
    return [name.lower() for call in CALL.findall(rule) for name in ARGUMENT.findall(call) if name != "*"]
