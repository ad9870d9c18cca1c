"""Long requests pass the real Traefik within the rendered limits, scaled 200 times."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.support.argocd import applications, objects
from tests.support.cluster import sandbox
from tests.support.cluster.client import Request, ask, fetch
from tests.support.cluster.sandbox import Sandbox
from tests.support.cluster.way_in import TRAEFIK
from tests.support.repository import Repository, pick

SCALE = 200
# The rendered limit, and Traefik's default for requests: 60 s.
RENDERED, DEFAULT, PING, APPLICATION = 8443, 8444, 8080, 9000
DEFAULT_READ_TIMEOUT = f"--entryPoints.default.transport.respondingTimeouts.readTimeout={60_000 // SCALE}ms"
UNITS = {"s": 1_000, "m": 60_000}
HOST = "127.0.0.1"
SLOW_APP = Path(sandbox.__file__).with_name("slow_app.py")


def scaled(argument: str) -> str:
    """Return an argument of an entry point with a shorter time."""
    name, number, unit = re.fullmatch(r"(.*=)(\d+)([sm])", argument).groups()  # type: ignore[union-attr]
    return f"{name}{int(number) * UNITS[unit] // SCALE}ms"


@pytest.fixture(scope="module")
def traefik(repositories: Callable[[str], Repository], downloads: None) -> Iterator[Sandbox]:
    """Yield Traefik with the rendered limits in front of an application, in a separate network."""
    if reason := sandbox.missing():
        pytest.skip(f"no clusters on this machine: {reason}")
    repository = repositories("minimal")
    (deployment,) = pick(objects(repository, applications(repository)["traefik-main"]), "Deployment")
    given = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    limits = [scaled(a) for a in given if a.startswith("--entryPoints.websecure.transport.respondingTimeouts.")]
    to_applications = [a for a in given if a.startswith("--serversTransport.")]
    assert limits
    assert to_applications
    router = {"rule": "PathPrefix(`/`)", "service": "app", "entryPoints": ["websecure", "default"]}
    app = {"loadBalancer": {"servers": [{"url": f"http://{HOST}:{APPLICATION}"}]}}
    points = {"websecure": RENDERED, "default": DEFAULT, "traefik": PING}
    addresses = [f"--entryPoints.{name}.address={HOST}:{port}" for name, port in points.items()]
    with TemporaryDirectory(prefix="long-") as folder:
        network = Sandbox(Path(folder) / "sandbox", {"PATH": "/usr/bin:/bin"})
        try:
            file = network.folder / "routes.yaml"
            file.write_text(yaml.safe_dump({"http": {"routers": {"app": router}, "services": {"app": app}}}))
            network.start("app", sys.executable, SLOW_APP, str(APPLICATION))
            options = [*addresses, *limits, DEFAULT_READ_TIMEOUT, *to_applications]
            network.start("traefik", TRAEFIK, f"--providers.file.filename={file}", "--ping=true", *options)
            network.wait_for("traefik", lambda: fetch(network, f"http://{HOST}:{PING}/ping") is not None)
            closed = f"http://{HOST}:{RENDERED}/closed"
            network.until("the application is reached", lambda: fetch(network, closed) is not None)
            yield network
        finally:
            network.close()


def opened(network: Sandbox, port: int, head: str) -> socket.socket:
    """Open a connection and send the head of a request."""
    connection = network.dial(HOST, port)
    connection.settimeout(60)
    connection.sendall(f"{head} HTTP/1.1\r\nHost: app\r\n".encode())
    return connection


def status(connection: socket.socket) -> int:
    """Return the status of the response; 0 if there is none."""
    first = connection.recv(12)
    return int(first.split()[1]) if first else 0


def upload(network: Sandbox, port: int) -> int:
    """Send a body in six pieces that take two scaled minutes, and return the status."""
    with closing(opened(network, port, "POST /upload")) as connection:
        connection.sendall(b"Content-Length: 600\r\n\r\n")
        try:
            for _ in range(6):
                connection.sendall(b"." * 100)
                time.sleep(120 / SCALE / 6)
        except ConnectionError:
            return 0
        return status(connection)


def test_a_slow_upload_is_complete_where_the_default_cuts_it(traefik: Sandbox) -> None:
    assert upload(traefik, DEFAULT) in (0, 499, 504)
    assert upload(traefik, RENDERED) == 200


def test_a_client_that_sends_nothing_more_is_let_go_while_streams_and_websockets_go_on(traefik: Sandbox) -> None:
    with (
        closing(opened(traefik, RENDERED, "GET /events")) as events,
        closing(opened(traefik, RENDERED, "GET /socket")) as websocket,
        closing(opened(traefik, RENDERED, "POST /upload")) as stalled,
    ):
        events.sendall(b"\r\n")
        websocket.sendall(b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        stalled.sendall(b"Content-Length: 600\r\n\r\n.")
        assert (status(events), status(websocket)) == (200, 101)
        # Longer than any limit: this one is reached last.
        assert status(stalled) in (0, 408, 499, 504)
        while b"\r\n\r\n" not in websocket.recv(1000):
            pass
        websocket.sendall(b"still there\n")
        assert websocket.recv(100) == b"still there\n"
        events.recv(100_000)
        assert b".\n" in events.recv(100_000)


def test_traefik_closes_idle_connections_before_the_application_does(traefik: Sandbox) -> None:
    """Otherwise a POST that is sent at that moment ends with 502: Traefik cannot repeat it."""
    (answer,) = ask(traefik, Request(f"http://{HOST}:{RENDERED}/idle", method="POST", body="."))
    assert answer.json == 1
    closed = f"http://{HOST}:{APPLICATION}/closed"
    who = traefik.until("the idle connection is closed", lambda: ask(traefik, Request(closed))[0].json.get("/idle"))
    assert who == "proxy"
