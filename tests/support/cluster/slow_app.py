"""Serve slow requests and responses, to test the limits of proxies in front of the application.

    slow_app.py <port>

POST answers how many bytes arrived, /events streams without end, an upgrade echoes, and /closed says who closed the
idle connection after a POST, by its path.
"""

from __future__ import annotations

import http.server
import json
import sys
import time
from typing import Any

CHUNK = b"2\r\n.\n\r\n"
closed: dict[str, str] = {}


class Handler(http.server.BaseHTTPRequestHandler):
    """Close idle connections after five seconds, like Node.js and uvicorn."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    closed_by = "proxy"

    def do_GET(self) -> None:
        if self.path == "/closed":
            self._answer(closed)
        elif self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", self.headers["Upgrade"])
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.connection.settimeout(None)
            while line := self.rfile.readline():
                self.wfile.write(line)
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while True:
                self.wfile.write(CHUNK)
                time.sleep(0.1)

    def do_POST(self) -> None:
        self._answer(len(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_error(self, format: str, *arguments: Any) -> None:
        """Record that this side timed out waiting for a request: the only error of an idle connection."""
        self.closed_by = "application"

    def finish(self) -> None:
        """Record who closed the connection."""
        if getattr(self, "command", None) == "POST":
            closed[self.path] = self.closed_by
        super().finish()

    def _answer(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
