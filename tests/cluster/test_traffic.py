"""Traffic: the real Traefik of each cluster, with its own arguments and rights, between clients and pods."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.addons import CLUSTERS, container, pod_template, token, ways
from tests.cluster.client import Answer, Request, ask
from tests.cluster.kubernetes import Object
from tests.cluster.stack import BINARIES, Stack
from tests.conftest import pick

TRAEFIK = BINARIES / "traefik/traefik"
ECHO = Path(__file__).with_name("echo.py")
CLIENT = "10.244.200.7"
UNKNOWN = "unknown.acme.io"
BY_HAND = "by-hand.dev.acme.io"
HEALTH_CHECK = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-"
# Said on every start: what the values ask for, and what only matters to applications that misread paths.
NOTICES = (
    "Cross-provider references are restricted to namespaces [traefik]",
    "Traefik can reject some encoded characters",
)
# All that says where a request comes from and that Traefik knows, and how a client spells it to slip through.
FORGED = {
    "Forwarded": "for=192.0.2.1;proto=http;host=forged",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Host": "forged",
    "X-Forwarded-Method": "forged",
    "X-Forwarded-Port": "80",
    "X-Forwarded-Prefix": "/forged",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Server": "forged",
    "X-Forwarded-Tls-Client-Cert": "forged",
    "X-Forwarded-Tls-Client-Cert-Info": "forged",
    "X-Forwarded-Uri": "/forged",
    "X-Real-Ip": "192.0.2.1",
    "X_Forwarded_For": "192.0.2.1",
    "X_Forwarded_Proto": "http",
    "x-forwarded_port": "80",
}
TRACES = re.compile("forwarded|x.real.ip", re.IGNORECASE)


class WayIn:
    """Traefik of one cluster, at the address of one of its pods, and an echo behind the pods that it may reach.

    Attributes:
        ports: The ports of the pod, by name.
        http: The port that the load balancer's port 80 leads to.
        https: The port that the load balancer's port 443 leads to, without TLS.
    """

    def __init__(self, stack: Stack, name: str) -> None:
        """Start both, and return when Traefik answers."""
        self.sandbox = stack.sandbox
        self.cluster = stack.clusters[name]
        self.ways = ways(stack, name)
        self.address = self.cluster.list("pods", "traefik")[0]["status"]["podIP"]
        self.ports = {port["name"]: port["containerPort"] for port in container(self.cluster, "traefik")["ports"]}
        service = self.cluster.get("service", "traefik", "traefik")
        assert service
        self.service = service
        self.behind = {port["port"]: self.ports[port["targetPort"]] for port in service["spec"]["ports"]}
        self.http, self.https = self.behind[80], self.behind[443]
        self._names = [f"traefik-{name}", f"echo-{name}"]
        traefik, echo = self._names
        self.sandbox.start(echo, sys.executable, ECHO, *self._targets())
        self.sandbox.start(traefik, TRAEFIK, *self._arguments(stack), environment={"KUBECONFIG": ""})
        self.sandbox.wait_for(traefik, f"http://{self.address}:{self.ports['traefik']}/ping")
        self.sandbox.until("Traefik has read its routes", lambda: self.get(self.ways[0].host).status != 404)

    def close(self) -> None:
        """End both."""
        for name in self._names:
            self.sandbox.end(name)

    def request(
        self, host: str, path: str = "/", port: int = 0, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Request:
        """A request of a client, to the https port if not to another, as it comes out of the load balancer."""
        url = f"http://{self.address}:{port or self.https}{path}"
        return Request(url, {"Host": host} | (headers or {}), method, source=CLIENT)

    def get(self, host: str, path: str = "/", port: int = 0, headers: dict[str, str] | None = None) -> Answer:
        """Send one request."""
        (answer,) = ask(self.sandbox, self.request(host, path, port, headers=headers))
        return answer

    def statuses(self, *requests: Request) -> list[int]:
        """Send requests, and look only at how they ended."""
        return [answer.status for answer in ask(self.sandbox, *requests)]

    def log(self) -> list[dict[str, Any]]:
        """What Traefik has said, requests included."""
        text = (self.sandbox.folder / "log" / f"{self._names[0]}.log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def _arguments(self, stack: Stack) -> list[str]:
        """What the pod has, and what a pod has without being told: an address, and the way to the API server."""
        given = container(self.cluster, "traefik")["args"]
        here = [re.sub(r"(\.address=):", rf"\g<1>{self.address}:", argument) for argument in given]
        api = {
            "endpoint": self.cluster.url,
            "token": token(self.cluster, "traefik"),
            "certauthfilepath": stack.folder / "authority.pem",
        }
        return here + [f"--providers.kubernetescrd.{option}={value}" for option, value in api.items()]

    def _targets(self) -> list[str]:
        """Every port of every pod of the workloads."""
        return [
            f"{pod['metadata']['namespace']}/{part['name']}={pod['status']['podIP']}:{port['containerPort']}"
            for pod in self.cluster.list("pods", selector="app.kubernetes.io/part-of")
            if pod["metadata"]["namespace"] != "argocd"
            for part in pod["spec"]["containers"]
            for port in part.get("ports", [])
        ]


@pytest.fixture(scope="module")
def ways_in(stages: Stack) -> Iterator[dict[str, WayIn]]:
    """Traefik of every cluster."""
    started: dict[str, WayIn] = {}
    try:
        for name in CLUSTERS:
            started[name] = WayIn(stages, name)
        yield started
    finally:
        for way_in in started.values():
            way_in.close()


@pytest.fixture(params=CLUSTERS)
def way_in(request: pytest.FixtureRequest, ways_in: dict[str, WayIn]) -> WayIn:
    """Traefik of one cluster after the other."""
    return ways_in[request.param]


def traces(answer: Answer) -> dict[str, list[str]]:
    """What the application is told about where a request comes from."""
    assert answer.status == 200
    return {name: values for name, values in answer.json["headers"].items() if TRACES.search(name)}


def route(name: str, namespace: str, host: str, **rule: Any) -> Object:
    """A route as somebody may write it by hand."""
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"routes": [{"kind": "Rule", "match": f"Host(`{host}`)"} | rule]},
    }


def test_each_host_reaches_its_public_component_and_no_other(way_in: WayIn) -> None:
    for way in way_in.ways:
        requests = [way_in.request(way.host, "/a%20b?c=d&e", method=method) for method in ("GET", "POST") * 6]
        answers = ask(way_in.sandbox, *requests)
        assert {answer.status for answer in answers} == {200}
        assert {answer.json["name"] for answer in answers} == {way.to}
        assert {(answer.json["method"], answer.json["path"]) for answer in answers} == {
            ("GET", "/a%20b?c=d&e"),
            ("POST", "/a%20b?c=d&e"),
        }


def test_the_hosts_of_other_clusters_are_unknown(way_in: WayIn, stages: Stack) -> None:
    here = {way.host for way in way_in.ways}
    others = [way.host for way in ways(stages) if way.host not in here]
    assert others
    assert set(way_in.statuses(*map(way_in.request, others))) == {404}


def test_hosts_that_nobody_named_are_unknown(way_in: WayIn) -> None:
    hosts = [UNKNOWN, "acme.io", way_in.address, f"www.{way_in.ways[0].host}", f"{way_in.ways[0].host}.example.com"]
    assert set(way_in.statuses(*map(way_in.request, hosts))) == {404}


def test_http_is_sent_to_https_whatever_the_host(way_in: WayIn) -> None:
    for host in [*(way.host for way in way_in.ways), UNKNOWN]:
        for sent in (host, f"{host}:80"):
            answer = way_in.get(sent, "/a%20b?c=d", way_in.http)
            assert (answer.status, answer.headers["location"]) == (301, f"https://{host}/a%20b?c=d")


def test_applications_are_told_what_the_client_used_and_where_it_is(way_in: WayIn) -> None:
    for way in way_in.ways:
        told = traces(way_in.get(way.host))
        told.pop("X-Forwarded-Server")
        assert told == {
            "X-Forwarded-For": [CLIENT],
            "X-Forwarded-Host": [way.host],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
            "X-Real-Ip": [CLIENT],
        }


def test_what_clients_claim_of_themselves_is_dropped(way_in: WayIn) -> None:
    for way in way_in.ways:
        assert traces(way_in.get(way.host, headers=FORGED)) == traces(way_in.get(way.host))


def test_clients_cannot_take_away_what_applications_are_told(way_in: WayIn) -> None:
    for way in way_in.ways:
        told = traces(way_in.get(way.host))
        assert traces(way_in.get(way.host, headers={"Connection": f"close, {', '.join(told)}"})) == told


def test_the_load_balancer_s_health_check_gets_its_answer_and_nobody_else(way_in: WayIn) -> None:
    annotations = way_in.service["metadata"]["annotations"]
    check = {k.removeprefix(HEALTH_CHECK): v for k, v in annotations.items() if k.startswith(HEALTH_CHECK)}
    assert check.pop("protocol") == "http"
    path, asked = check.pop("path"), int(check.pop("port"))
    assert not check
    requests = {port: way_in.request(way_in.address, path, port) for port in way_in.ports.values()}
    statuses = dict(zip(requests, way_in.statuses(*requests.values()), strict=True))
    assert statuses.pop(asked) == 200
    assert statuses.pop(way_in.http) == 301
    assert set(statuses.values()) == {404}
    assert asked not in way_in.behind.values()


def test_neither_api_nor_dashboard_answer_on_any_port(way_in: WayIn) -> None:
    paths = ("/api", "/api/rawdata", "/api/overview", "/api/version", "/dashboard/", "/debug/pprof/", "/debug/vars")
    for port in way_in.ports.values():
        requests = [way_in.request(host, path, port) for path in paths for host in (UNKNOWN, way_in.address)]
        assert set(way_in.statuses(*requests)) == {301 if port == way_in.http else 404}


def test_metrics_are_served_where_prometheus_is_told_and_nowhere_else(way_in: WayIn) -> None:
    annotations = pod_template(way_in.cluster, "traefik")["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    path, announced = annotations["prometheus.io/path"], int(annotations["prometheus.io/port"])
    way_in.get(way_in.ways[0].host)
    for port in way_in.ports.values():
        answer = way_in.get(UNKNOWN, path, port)
        assert (answer.status == 200) == (port == announced)
        assert ("traefik_router_requests_total" in answer.body) == (port == announced)
    assert announced not in way_in.behind.values()


def test_the_load_balancer_has_no_other_ports(way_in: WayIn) -> None:
    assert way_in.behind.keys() == {80, 443}


def test_the_log_has_requests_without_their_credentials(way_in: WayIn) -> None:
    host = way_in.ways[0].host
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "User-Agent": "a-browser"}
    way_in.get(host, "/signed?token=s3cret", headers=headers)

    def logged() -> list[dict[str, Any]]:
        return [entry for entry in way_in.log() if entry.get("RequestPath", "").startswith("/signed")]

    (entry,) = way_in.cluster.sandbox.until("the request is logged", logged)
    assert entry["request_User-Agent"] == "a-browser"
    assert (entry["RequestHost"], entry["ClientHost"], entry["DownstreamStatus"]) == (host, CLIENT, 200)
    assert "s3cret" not in json.dumps(way_in.log())


def test_a_route_that_names_no_entry_point_is_on_443_only(ways_in: dict[str, WayIn]) -> None:
    way_in = ways_in["nonprod"]
    mine = route("by-hand", "shop-dev", BY_HAND, services=[{"name": "shop-api", "port": 9000}])
    with way_in.cluster.applied(mine):
        way_in.cluster.sandbox.until("the route is followed", lambda: way_in.get(BY_HAND).status == 200)
        statuses = {port: way_in.get(BY_HAND, "/", port).status for port in way_in.ports.values()}
    assert {port for port, status in statuses.items() if status == 200} == {way_in.https}


@pytest.mark.parametrize(
    ("name", "reason", "foreign"),
    [
        (
            "a-service",
            "not in the parent resource namespace",
            {"services": [{"name": "shop-web", "namespace": "shop-staging", "port": 8080}]},
        ),
        (
            "a-middleware",
            "cross-namespace are disallowed",
            {
                "services": [{"name": "shop-api", "port": 9000}],
                "middlewares": [{"name": "forwarded-https", "namespace": "traefik"}],
            },
        ),
        (
            "metrics",
            "not in crossProviderNamespaces",
            {"services": [{"name": "prometheus@internal", "kind": "TraefikService"}]},
        ),
        ("an-external-name", "externalName services not allowed", {"services": [{"name": "elsewhere", "port": 9000}]}),
    ],
    ids=["a Service", "a Middleware", "metrics", "an ExternalName"],
)
def test_a_route_reaches_nothing_outside_of_its_namespace(
    ways_in: dict[str, WayIn], name: str, reason: str, foreign: dict[str, Any]
) -> None:
    way_in = ways_in["nonprod"]
    # Of no environment: in those the API server would refuse it before Traefik saw it.
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-hand"}}
    elsewhere = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "elsewhere", "namespace": "by-hand"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": 9000}]},
    }
    place = "by-hand" if name == "an-external-name" else "shop-dev"
    theirs = route(f"by-hand-{name}", place, f"{name}.elsewhere.{BY_HAND}", **foreign)
    mine = route("by-hand", "shop-dev", f"{name}.{BY_HAND}", services=[{"name": "shop-api", "port": 9000}])
    with way_in.cluster.applied(namespace, elsewhere, theirs, mine):
        # The routes are read in the order in which they came: after the second, the first is known as well.
        way_in.cluster.sandbox.until(
            "the other route is followed", lambda: way_in.get(f"{name}.{BY_HAND}").status == 200
        )
        assert way_in.get(f"{name}.elsewhere.{BY_HAND}").status == 404
    assert any(reason in entry["error"] for entry in way_in.log() if entry.get("ingress") == f"by-hand-{name}")


def test_traefik_has_nothing_to_complain_about(way_in: WayIn) -> None:
    complaints = [entry for entry in way_in.log() if entry.get("level") in ("warn", "error", "fatal", "panic")]
    ours = [c for c in complaints if not c.get("message", "").startswith(NOTICES)]
    assert [entry for entry in ours if not entry.get("ingress", "").startswith("by-hand")] == []


def test_every_route_and_middleware_is_there_as_it_was_rendered(stages: Stack) -> None:
    for name in CLUSTERS:
        values = stages.repository.one("apps/platform/traefik/values/values.yaml")
        rendered = pick(values["extraObjects"], "Middleware")
        for _, environment, overlay in stages.repository.overlays():
            if environment["cluster"] == name:
                rendered += pick(stages.repository.build(overlay), "IngressRoute")
        found = stages.clusters[name].list("ingressroutes,middlewares")

        def specs(objects: list[Object]) -> dict[tuple[str, str, str], Any]:
            return {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o["spec"] for o in objects}

        assert specs(found) == specs(rendered)
