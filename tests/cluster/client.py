"""HTTP requests from inside a sandbox, by this file as a process there: any source address, any header, no proxy."""

from __future__ import annotations

import http.client
import json
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.cluster.sandbox import Sandbox


@dataclass(frozen=True)
class Request:
    """What is sent, and from which address."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: str = ""
    source: str = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """What came back; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def ask(sandbox: Sandbox, *requests: Request) -> list[Answer]:
    """Send requests one after the other, and return the answers; redirects are not followed.

    Raises:
        ConnectionError: if one gets no answer.
    """
    result = sandbox.run(sys.executable, __file__, stdin=json.dumps([asdict(request) for request in requests]))
    if result.returncode:
        raise ConnectionError(f"{[request.url for request in requests]}: {result.stderr.strip()}")
    return [Answer(**answer) for answer in json.loads(result.stdout)]


def _send(request: Request) -> Answer:
    url = urlsplit(request.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20, source_address=(request.source, 0))
    target = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    connection.request(request.method, target, request.body or None, request.headers)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    answer = Answer(response.status, headers, response.read().decode())
    connection.close()
    return answer


if __name__ == "__main__":
    print(json.dumps([asdict(_send(Request(**request))) for request in json.load(sys.stdin)]))
