"""Run a proxy that serves every https host from a folder, as the outside world.

    web.py <port> <folder> <certificate> <key>

https://<host>/<path> is the file <folder>/<host>/<path>; bare Git repositories (`*.git`) are served by
`git http-backend`. So repositories, charts and manifests keep the URLs that they have in production.
"""

from __future__ import annotations

import http.server
import os
import socketserver
import ssl
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

PORT, FOLDER, CERTIFICATE, KEY = int(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4]
TLS = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
TLS.load_cert_chain(CERTIFICATE, KEY)


class Handler(http.server.BaseHTTPRequestHandler):
    """Terminate CONNECT tunnels here, and serve their requests from the host's folder."""

    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        self.send_response(HTTPStatus.OK, "Connection established")
        self.end_headers()
        try:
            self.connection = TLS.wrap_socket(self.connection, server_side=True)
        except OSError as error:  # The client does not trust the certificate, or closed the connection.
            self.close_connection = True
            return self.log_message("%s: %s", self.path, error)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.host, self.close_connection = self.path.rpartition(":")[0], False
        while not self.close_connection:
            self.handle_one_request()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        target = FOLDER / self.host / path.lstrip("/")
        if not self.host or ".." in target.parts:
            self.send_error(HTTPStatus.BAD_REQUEST)
        elif target.is_file() and ".git/" not in path:
            self.answer(HTTPStatus.OK, {}, target.read_bytes())
        else:
            self.answer(*self.git(path, query))

    do_POST = do_GET  # noqa: N815 (the name is http.server's)

    def git(self, path: str, query: str) -> tuple[int, dict[str, str], bytes]:
        """Return the response of Git's own server: status, headers, body."""
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(FOLDER),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{self.host}{path}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        body = self.body()
        environment["CONTENT_LENGTH"] = str(len(body))
        output = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        ).stdout
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def body(self) -> bytes:
        """Return the body of the request, chunked or not."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        """Send a response with its length, so that the connection can stay open."""
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", PORT), Handler).serve_forever()
