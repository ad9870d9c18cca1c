"""Send requests to an API server over persistent connections, one per thread."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.support.cluster.client import Connection
from tests.support.cluster.sandbox import PATIENCE, POLL_SECONDS, Sandbox, SandboxError


class ApiError(SandboxError):
    """The API server rejected a request; the message is its own."""

    def __init__(self, status: int, message: str, warnings: list[str] | None = None) -> None:
        super().__init__(message)
        self.status, self.warnings = status, warnings or []


class Reply(NamedTuple):
    """The response of the API server, with its warnings."""

    body: Any
    warnings: list[str]


class Transport:
    """Sends requests with the administrator's token."""

    def __init__(self, sandbox: Sandbox, url: str, token: str, authority: Path) -> None:
        self._sandbox, self._place, self._authority = sandbox, urlsplit(url).netloc, authority
        self._headers = {"Authorization": f"Bearer {token}"}
        self._per_thread = threading.local()

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Any = None,
        content: str = "application/json",
        accept: str = "application/json",
        raw: bool = False,
    ) -> Reply:
        """Send one request and return the parsed response, or its text if `raw` is set.

        Raises:
            ApiError: if the API server rejects it.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        headers = self._headers | {"Content-Type": content, "Accept": "*/*" if raw else accept}
        payload = None if body is None else json.dumps(body)
        response, text = self._exchange(method, target, payload, headers)
        deadline = time.monotonic() + PATIENCE
        # Like kubectl: for a moment, a changed definition is not served.
        while response.status == http.HTTPStatus.TOO_MANY_REQUESTS and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            response, text = self._exchange(method, target, payload, headers)
        warnings = [_warning(value) for value in response.headers.get_all("Warning") or []]
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(response.status, _message(text), warnings)
        return Reply(text if raw else json.loads(text), warnings)

    def _exchange(
        self, method: str, target: str, payload: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        for is_last in (False, True):
            connection = self._connection()
            try:
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
                return response, response.read().decode()
            except (http.client.HTTPException, ConnectionError, ssl.SSLEOFError):
                connection.close()
                # The server may have closed an idle connection.
                if is_last:
                    raise
        raise AssertionError

    def lines(self, target: str) -> Iterator[bytes]:
        """Yield the lines of a streamed response until the connection ends."""
        connection = self._new_connection()
        connection.request("GET", target, headers=self._headers)
        connection.sock.settimeout(None)
        response = connection.getresponse()
        while line := response.readline():
            yield line

    def _connection(self) -> Connection:
        if not hasattr(self._per_thread, "connection"):
            self._per_thread.connection = self._new_connection()
        found: Connection = self._per_thread.connection
        return found

    def _new_connection(self) -> Connection:
        return Connection(self._sandbox, self._place, self._authority)


def _warning(value: str) -> str:
    """Return the text of a header such as 299 - "a \\"text\\""."""
    return value.split('"', 1)[1].rsplit('"', 1)[0].replace('\\"', '"')


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError):
        return text
