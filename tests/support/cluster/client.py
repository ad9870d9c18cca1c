"""Send HTTP requests into a sandbox, with any source address and header, without a process per request."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.cluster.sandbox import Sandbox

SECONDS = 30


@dataclass(frozen=True)
class Request:
    """A request, and its source address."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: str = ""
    source: str = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """A response; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)


class Connection(http.client.HTTPConnection):
    """A connection to a host and port inside a sandbox, with TLS if a certificate authority is set."""

    def __init__(self, sandbox: Sandbox, place: str, authority: Path | None = None, source: str = "127.0.0.1") -> None:
        super().__init__(place)
        self._sandbox, self._authority, self._source = sandbox, authority, source

    def connect(self) -> None:
        """Open the connection from inside."""
        connection: socket.socket = self._sandbox.dial(self.host, self.port, self._source)
        connection.settimeout(SECONDS)
        if self._authority:
            context = ssl.create_default_context(cafile=str(self._authority))
            connection = context.wrap_socket(connection, server_hostname=self.host)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = connection


def ask(sandbox: Sandbox, *requests: Request) -> list[Answer]:
    """Send requests one after the other, and return the responses. Do not follow redirects.

    Raises:
        OSError: if a request gets no response.
    """
    return [_send(sandbox, request) for request in requests]


def fetch(sandbox: Sandbox, url: str) -> str | None:
    """Return the body of a URL inside the sandbox, or None if the status is not 200."""
    try:
        (answer,) = ask(sandbox, Request(url))
    except (OSError, http.client.HTTPException):
        return None
    return answer.body if answer.status == http.HTTPStatus.OK else None


def _send(sandbox: Sandbox, request: Request) -> Answer:
    url = urlsplit(request.url)
    connection = Connection(sandbox, url.netloc, source=request.source)
    target = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    try:
        connection.request(request.method, target, request.body or None, request.headers)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read().decode())
    finally:
        connection.close()
