"""Middlewares of Traefik that the admission policies accept and reject."""

from __future__ import annotations

from tests.support.policies.objects import Object, Violation
from tests.support.policies.routes import tcp

KIND = "a Middleware is one of"


def accepted(domain: str) -> list[Object]:
    """Return Middlewares that no policy rejects."""
    return [*map(middleware, ACCEPTED)]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule."""
    return {
        **{what: Violation(middleware(s), "workload-middlewares", said) for what, (s, said) in REFUSED.items()},
        "a route of TCP": Violation(tcp(), "workload-middlewares", "may have only IngressRoute and Middleware"),
    }


def middleware(spec: Object) -> Object:
    """Return a Middleware."""
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": "tool"}, "spec": spec}


LIMITED = {"maxRequestBodyBytes": 10485760, "maxResponseBodyBytes": 1}
ACCEPTED: list[Object] = [
    {"addPrefix": {"prefix": "/a"}},
    {"basicAuth": {"secret": "users", "realm": "tool", "removeHeader": True}},
    {"buffering": LIMITED | {"memRequestBodyBytes": 1048576}},
    {"circuitBreaker": {"expression": "NetworkErrorRatio() > 0.5", "fallbackDuration": "10s", "recoveryDuration": 5}},
    {"compress": {}},
    {"contentType": {}},
    {"encodedCharacters": {"allowEncodedHash": False}},
    {"errors": {"status": ["500-599"], "query": "/{status}", "service": {"name": "tool", "port": 80}}},
    {"headers": {"customResponseHeaders": {"X-A": "b"}, "contentTypeNosniff": True, "frameDeny": True}},
    {"inFlightReq": {"amount": 10, "sourceCriterion": {"requestHost": True}}},
    {"ipAllowList": {"sourceRange": ["192.0.2.0/24"], "rejectStatusCode": 404}},
    {"rateLimit": {"average": 100, "period": "1m", "burst": 50}},
    {"redirectRegex": {"regex": "^https://a/(.*)", "replacement": "https://b/${1}", "permanent": True}},
    {"redirectScheme": {"scheme": "https", "permanent": True}},
    {"replacePath": {"path": "/a"}},
    {"replacePathRegex": {"regex": "^/a/(.*)", "replacement": "/b/$1"}},
    {"retry": {"attempts": 5, "initialInterval": "100ms", "timeout": "10s", "maxRequestBodyBytes": 0}},
    {"stripPrefix": {"prefixes": ["/a"]}},
    {"stripPrefixRegex": {"regex": ["/a/[0-9]+"]}},
]
REFUSED: dict[str, tuple[Object, str]] = {
    "requests to another address": ({"forwardAuth": {"address": "http://169.254.169.254/"}}, KIND),
    "a plugin": ({"plugin": {"tool": {"a": "b"}}}, KIND),
    "a chain": ({"chain": {"middlewares": [{"name": "tool"}]}}, KIND),
    "two Middlewares in one": ({"stripPrefix": {"prefixes": ["/a"]}, "addPrefix": {"prefix": "/b"}}, KIND),
    "no Middleware": ({}, KIND),
    "connections to a database": (
        {"rateLimit": {"average": 1, "redis": {"endpoints": ["argocd-redis.argocd:6379"]}}},
        "rateLimit has average, burst, period, sourceCriterion",
    ),
    "an expression in a buffer": ({"buffering": LIMITED | {"retryExpression": "Attempts() < 9"}}, "buffering has"),
    "an error page elsewhere": (
        {"errors": {"status": ["500"], "service": {"name": "tool", "namespace": "argocd", "port": 80}}},
        "errors.service must be a Service of the same namespace",
    ),
    "an error page with Middlewares": (
        {"errors": {"status": ["500"], "service": {"name": "a", "port": 80, "middlewares": [{"name": "tool"}]}}},
        "errors.service must be a Service of the same namespace",
    ),
    "a buffer without an end": ({"buffering": {"maxRequestBodyBytes": 1}}, "buffering sets maxRequestBodyBytes"),
    "a large buffer": ({"buffering": LIMITED | {"maxResponseBodyBytes": 10485761}}, "buffering sets"),
    "a large buffer in memory": ({"buffering": LIMITED | {"memRequestBodyBytes": 1048577}}, "buffering sets"),
    "six attempts": ({"retry": {"attempts": 6}}, "retry may have at most 5 attempts"),
    "attempts with any body": (
        {"retry": {"attempts": 1, "maxRequestBodyBytes": -1}},
        "retry may have at most 5 attempts",
    ),
    "attempts without an end": ({"retry": {"attempts": 1, "timeout": "9h"}}, "at most 99 s"),
    "a long expression": ({"replacePathRegex": {"regex": "a" * 201, "replacement": "/"}}, "200 characters"),
}
