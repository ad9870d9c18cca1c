"""Routes and sources of DNS names that the admission policies accept and reject."""

from __future__ import annotations

from typing import Any

from tests.support.policies.objects import Object, Violation, route, service

DNS = "external-dns.kubernetes.io/"
LEGACY = "external-dns.alpha.kubernetes.io/"
RULE = "a route begins with its host"
FIELDS = "remove tls, priority, syntax, parentRefs and other fields"
SERVICES = "a route has up to 10 Services of its own namespace"
MIDDLEWARES = "a route may have up to 10 Middlewares of its own namespace"
ANNOTATION = "the only annotation of external-dns that is allowed is"


def accepted(domain: str) -> list[Object]:
    """Return routes that no policy rejects, in an environment of the domain."""
    return [*map(route, accepted_rules(domain)), *accepted_fields(domain), largest(domain)]


def accepted_rules(domain: str) -> list[str]:
    """Return rules of every form."""
    host, other = f"Host(`a.{domain}`)", f"Host(`b.c.{domain}`)"
    return [
        f"Host(`{domain}`)",
        f"{host}||{other}",
        f"{host} || {other}  || Host(`1.{domain}`)",
        f"{host} && PathPrefix(`/api`) && !Path(`/api/private`)",
        f"{host} && (Path(`/api`) || PathPrefix(`/api/`)) && Method(`GET`)",
        f"({host} || {other}) && Header(`X-A`, `b c`)&&Method(`GET`)",
        f"({host}) && Query(`a`) && !Query(`b`,`c=d&e`)",
    ]


def accepted_fields(domain: str) -> list[Object]:
    """Return routes with every field that is accepted."""
    full = route(f"Host(`a.{domain}`)")
    cookie = {"name": "lb", "secure": True, "httpOnly": True, "sameSite": "lax", "maxAge": 60, "path": "/"}
    (rule,) = full["spec"]["routes"]
    rule["middlewares"] = [{"name": "first"}, {"name": "second"}]
    rule["priority"] = 0
    rule["services"] = [
        {"name": "tool", "kind": "Service", "port": "http", "weight": 9, "scheme": "h2c", "strategy": "wrr"},
        {"name": "other", "port": 80, "passHostHeader": False, "nativeLB": True, "sticky": {"cookie": cookie}},
    ]
    plain = route(f"Host(`b.{domain}`)")
    del plain["spec"]["entryPoints"]
    return [full, plain]


def largest(domain: str) -> Object:
    """Return a route with as many rules as a route may have, each of the longest: policies have a budget, too."""
    item = route(f"Host(`a.{domain}`)")
    rule = f"Host(`a.{domain}`) && PathPrefix(`/`)"
    entries = item["spec"]["routes"] * 50
    item["spec"]["routes"] = [
        entry | {"match": rule.replace("/", f"/{number:02}".ljust(1001 - len(rule), "a"))}
        for number, entry in enumerate(entries)
    ]
    return item


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule, in an environment of the domain."""
    return {
        **{what: Violation(route(rule), "workload-hosts", said) for what, (rule, said) in rules(domain).items()},
        **{what: Violation(item, "workload-hosts", said) for what, (item, said) in fields(domain).items()},
        **{what: Violation(item, "workload-dns", ANNOTATION) for what, item in annotated(domain).items()},
    }


def rules(domain: str) -> dict[str, tuple[str, str]]:
    """Return rules that are rejected."""
    host = f"Host(`a.{domain}`)"
    foreign = f"hosts must be under {domain}, the domain of the environment"
    unreadable = {
        "no host": "PathPrefix(`/`)",
        "no host, too": f"{host} || PathPrefix(`/`)",
        "no host after a path": f"{host} && Path(`/`) || Path(`/b`)",
        "a host among paths": f"{host} && (Path(`/`) || Host(`example.org`))",
        "anything among paths": f"{host} && (Path(`/`) || Method(`GET`))",
        "brackets that are not these": f"{host} && !(Path(`/`) || PathPrefix(`/a/`))",
        "two hosts and a path, of which it is not said how they belong together": f"{host} || {host} && Path(`/`)",
        "any host": "HostRegexp(`.*`)",
        "any host but one": f"!{host}",
        "a wildcard": f"Host(`*.{domain}`)",
        "upper case": f"Host(`A.{domain}`)",
        "a matcher in lower case": f"host(`a.{domain}`)",
        "a trailing dot": f"Host(`a.{domain}.`)",
        "one label": "Host(`localhost`)",
        "a space in a host": f"Host(` a.{domain}`)",
        "two arguments": f"Host(`a.{domain}`, `b.{domain}`)",
        "quotes": f'Host("a.{domain}")',
        "a comment": f"Host(/*x.{domain}) && */ `example.org`)",
        "a comment at the end": f"{host} // && Path(`/`)",
        "a newline at the end": f"{host}\n",
        "a newline": f"{host} &&\nPath(`/`)",
        "a matcher of version 2": f"{host} && Headers(`X-A`, `b`)",
        "another host behind": f"{host} && HostHeader(`example.org`)",
        "a host in a string, where external-dns finds it": f"{host} && Header(`Host(`, `example.org`)",
        "a string that is not ASCII": f"{host} && Path(`/ä`)",
        "a control character in a string": f"{host} && Path(`/\t`)",
        "a path that is relative": f"{host} && Path(`a`)",
        "an empty argument": f"{host} && Query(``)",
        "a label of 64 characters": f"Host(`{'a' * 64}.{domain}`)",
        "more than 1000 characters": f"{host} && Path(`/{'a' * 1000}`)",
    }
    return {
        "a host elsewhere": ("Host(`example.org`)", f"{foreign}: example.org"),
        "a host that ends alike": (f"Host(`x{domain}`)", f"{foreign}: x{domain}"),
        "a second host elsewhere": (f"{host} || Host(`example.org`)", "example.org"),
        "254 characters": (f"Host(`{('a' * 9 + '.') * 25}{domain}`)", "a host must have at most 253 characters"),
        **{what: (rule, RULE) for what, rule in unreadable.items()},
    }


def fields(domain: str) -> dict[str, tuple[Object, str]]:
    """Return routes with a field that is rejected."""

    def changed(spec: Object | None = None, rule: Object | None = None, **of_service: Any) -> Object:
        item = route(f"Host(`a.{domain}`)")
        item["spec"] |= spec or {}
        item["spec"]["routes"][0] |= rule or {}
        item["spec"]["routes"][0]["services"][0] |= of_service
        return item

    (entry,) = route(f"Host(`a.{domain}`)")["spec"]["routes"]
    return {
        "another entry point": (changed({"entryPoints": ["metrics"]}), FIELDS),
        "certificates": (changed({"tls": {}}), FIELDS),
        "a route of others above it": (changed({"parentRefs": [{"name": "tool"}]}), FIELDS),
        "priority": (changed(rule={"priority": 1}), FIELDS),
        "another syntax": (changed(rule={"syntax": "v2"}), FIELDS),
        "no access log": (changed(rule={"observability": {"accessLogs": False}}), FIELDS),
        "51 rules": (changed({"routes": [entry] * 51}), RULE),
        "another namespace": (changed(namespace="traefik"), SERVICES),
        "a service of Traefik": (changed(kind="TraefikService"), SERVICES),
        "a service of a provider": (changed(name="api@internal"), SERVICES),
        "how Traefik connects": (changed(serversTransport="tool"), SERVICES),
        "Middlewares of a Service": (changed(middlewares=[{"name": "tool"}]), SERVICES),
        "a cookie for all hosts": (changed(sticky={"cookie": {"domain": "example.org"}}), SERVICES),
        "a Middleware elsewhere": (changed(rule={"middlewares": [{"name": "a", "namespace": "traefik"}]}), MIDDLEWARES),
        "a Middleware of a provider": (changed(rule={"middlewares": [{"name": "a@kubernetescrd"}]}), MIDDLEWARES),
        "11 Middlewares": (changed(rule={"middlewares": [{"name": "tool"}] * 11}), MIDDLEWARES),
    }


def annotated(domain: str) -> dict[str, Object]:
    """Return objects with an annotation of external-dns that is rejected."""

    def on(item: Object, name: str, value: str) -> Object:
        return item | {"metadata": item["metadata"] | {"annotations": {name: value}}}

    here = route(f"Host(`a.{domain}`)")
    return {
        "another name": on(here, f"{DNS}hostname", f"a.{domain}"),
        "another target": on(here, f"{DNS}target", "192.0.2.1"),
        "a time to live": on(here, f"{DNS}ttl", "1"),
        "an old annotation": on(here, f"{LEGACY}target", "192.0.2.1"),
        "an option of a provider": on(here, f"{DNS}cloudflare-proxied", "true"),
        "a name of a Service": on(service(), f"{DNS}hostname", f"a.{domain}"),
        "a target of a Service": on(service(), f"{DNS}target", "192.0.2.1"),
    }


def tcp() -> Object:
    """Return a route of TCP connections."""
    spec = {"routes": [{"match": "HostSNI(`*`)", "services": [{"name": "tool", "port": 80}]}]}
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRouteTCP", "metadata": {"name": "tool"}, "spec": spec}
