"""The real API server accepts routes of every kind, and the real Traefik serves them as the answers define."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from tests.support.cluster import http2
from tests.support.cluster.client import SECONDS, Answer, Request, ask
from tests.support.cluster.stack import Stack
from tests.support.cluster.way_in import CLIENT, ECHO, WayIn
from tests.support.repository import Repository

NAMESPACE, DOMAIN = "portal-dev", "dev.acme.io"
STRANGER = "10.244.201.7"
SECRET = {"name": "admins", "namespace": NAMESPACE}
LOGIN = "Basic " + base64.b64encode(b"alice:a secret").decode()
USERS = "alice:{SHA}" + base64.b64encode(hashlib.sha1(b"a secret").digest()).decode()


class Portal:
    """The workload of the answers in dev, with an echo server for each of its pods."""

    def __init__(self, stack: Stack, way_in: WayIn, objects: list[dict[str, Any]]) -> None:
        self.cluster, self.sandbox, self._way_in = way_in.cluster, stack.sandbox, way_in
        # Network policies first: no pod is admitted without them.
        objects = sorted(objects, key=lambda item: item["kind"] != "NetworkPolicy")
        metadata = {
            "name": NAMESPACE,
            "labels": {"environment": "dev", "pod-security.kubernetes.io/enforce": "restricted"},
        }
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        self._applied = ExitStack()
        try:
            self._applied.enter_context(self.cluster.applied(namespace, *objects))
            pods = stack.until("its pods run", lambda: self._running(6))
            self._serve({pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods})
            stack.until("Traefik has read the routes and their middlewares", self._is_routed)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the workload."""
        self._applied.close()

    def ask(self, host: str, path: str = "/", source: str = CLIENT, **headers: str) -> Answer:
        """Send one request from an address to a host under the domain of dev, or to the domain itself."""
        name = f"{host}.{DOMAIN}" if host else DOMAIN
        url = f"http://{self._way_in.address}:{self._way_in.https}{path}"
        sent = {"Host": name} | {key.replace("_", "-"): value for key, value in headers.items()}
        (answer,) = ask(self.sandbox, Request(url, sent, source=source))
        return answer

    def arrived(self, host: str, path: str) -> tuple[str, str]:
        """Return the component that a request reached, and the path that it received."""
        answer = self.ask(host, path)
        assert answer.status == 200, answer
        return answer.json["name"].split("-")[0], answer.json["path"]

    def dial(self) -> socket:
        """Connect to the https port of the load balancer, behind TLS."""
        connection = self.sandbox.dial(self._way_in.address, self._way_in.https, CLIENT)
        connection.settimeout(SECONDS)
        return connection

    def _is_routed(self) -> bool:
        # Traefik loads objects one by one: it ignores a route until it has read its middleware.
        return self.ask("www").status == 200 and self.arrived("www", "/api/v1") == ("web", "/")

    def _running(self, number: int) -> Any:
        pods = self.cluster.list("pods", NAMESPACE)
        return pods if len(pods) == number and all(pod["status"].get("podIP") for pod in pods) else None

    def _serve(self, addresses: dict[str, str]) -> None:
        ports = {"web": 8080, "api": 9000}
        echoes = {n: f"{a}:{ports[n.split('-')[0]]}" for n, a in addresses.items() if not n.startswith("rpc-")}
        self._start("echo-portal", ECHO, *(f"{name}={place}" for name, place in echoes.items()))
        for name in addresses.keys() - echoes.keys():
            self._start(name, Path(http2.__file__), f"{addresses[name]}:50051")

    def _start(self, name: str, *command: str | Path) -> None:
        self.sandbox.start(name, sys.executable, *command)
        self._applied.callback(self.sandbox.end, name)


@pytest.fixture(scope="module")
def portal(stages: Stack, ways_in: dict[str, WayIn], routed: Repository) -> Iterator[Portal]:
    """Yield the workload, as rendered and built."""
    found = Portal(stages, ways_in["nonprod"], routed.build("apps/workloads/portal/overlays/dev"))
    yield found
    found.close()


def test_a_request_reaches_the_component_with_the_longest_path(portal: Portal) -> None:
    assert portal.arrived("www", "/a?b=c") == ("web", "/a?b=c")
    assert portal.arrived("www", "/api") == ("api", "/api")
    assert portal.arrived("www", "/api/a/b?c=d") == ("api", "/api/a/b?c=d")
    assert portal.arrived("www", "/apis") == ("web", "/apis")
    assert portal.arrived("www", "/api/v10") == ("api", "/api/v10")


def test_a_path_is_taken_off_where_the_route_says_so(portal: Portal) -> None:
    assert portal.arrived("www", "/api/v1/a%20b?c=d") == ("web", "/a%20b?c=d")
    assert portal.arrived("www", "/api/v1") == ("web", "/")


def test_other_hosts_and_paths_are_unknown(portal: Portal) -> None:
    assert {portal.ask(host).status for host in ("api", "rpc", "v2", "x.www", "old")} == {404}
    assert portal.ask("old", "/ab").status == 404


def test_a_redirect_keeps_path_and_query(portal: Portal) -> None:
    def target(host: str, path: str) -> tuple[int, str]:
        answer = portal.ask(host, path)
        return answer.status, answer.headers["location"]

    assert target("", "/a%20b/?c=d&e=https://f.g/") == (301, f"https://www.{DOMAIN}/a%20b/?c=d&e=https://f.g/")
    assert target("", "/") == (301, f"https://www.{DOMAIN}/")
    assert target("", "//f.g/") == (301, f"https://www.{DOMAIN}/f.g/")
    assert target("old", "/a/b?c") == (301, "https://example.com/a/b?c")


def test_a_browser_comes_back_to_the_same_pod(portal: Portal) -> None:
    first = portal.ask("www")
    name, *attributes = first.headers["set-cookie"].split("; ")
    assert name.startswith("web-pod=")
    assert {*attributes} >= {"HttpOnly", "Secure", "SameSite=Lax"}
    assert {portal.ask("www", Cookie=name).json["name"] for _ in range(8)} == {first.json["name"]}
    assert len({portal.ask("www").json["name"] for _ in range(8)}) == 2


def test_http2_reaches_a_component_without_tls_whatever_the_client_speaks(portal: Portal) -> None:
    answer = portal.ask("rpc.v2")
    assert (answer.status, answer.body) == (200, http2.ANSWER.decode())
    with portal.dial() as connection:
        assert http2.get(connection, f"rpc.v2.{DOMAIN}") == (http2.OK, http2.ANSWER)


def test_a_rate_is_that_of_one_address(portal: Portal) -> None:
    statuses = [portal.ask("limited").status for _ in range(20)]
    assert statuses[:2] == [200, 200]
    assert {*statuses} == {200, 429}
    assert portal.ask("limited", source=STRANGER).status == 200


def granted(portal: Portal) -> Answer | None:
    """Log in, and return the response of the component."""
    answer = portal.ask("admin", "/console/a", Authorization=LOGIN)
    return answer if answer.status == 200 else None


def test_a_login_is_closed_until_its_secret_is_there_and_when_it_is_gone(portal: Portal, stages: Stack) -> None:
    def status(**headers: str) -> int:
        return portal.ask("admin", "/console/a", **headers).status

    # The host itself has a route, which must not serve the protected component.
    assert portal.arrived("admin", "/a") == ("api", "/a")
    assert (status(), status(Authorization=LOGIN)) == (404, 404)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": SECRET, "stringData": {"users": USERS}}
    with portal.cluster.applied(secret):
        # Its rate is one request per second.
        stages.until("Traefik has read the Secret", lambda: status() == 401)
        answer = stages.until("a login", lambda: granted(portal))
        assert answer is not None and answer.json["path"] == "/a"
        assert "Authorization" not in answer.json["headers"]
        wrong = "Basic " + base64.b64encode(b"alice:another").decode()
        stages.until("another password is refused", lambda: status(Authorization=wrong) == 401)
        forged = {"X_Forwarded_For": CLIENT, "X_Real_Ip": CLIENT, "Forwarded": f"for={CLIENT}"}
        for headers in ({}, forged):
            assert portal.ask("admin", "/console/a", STRANGER, Authorization=LOGIN, **headers).status == 403
    stages.until("the route is closed again", lambda: status(Authorization=LOGIN) == 404)
