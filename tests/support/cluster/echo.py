"""Serve the addresses of pods: return each request as it arrived, and where.

    echo.py <name>=<address>:<port> ...

Several pods may have one name.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Return in JSON the name, the method, the path, and the headers, each with all its values."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {key: self.headers.get_all(key) for key in self.headers}
        seen = {"name": self.name, "method": self.command, "path": self.path, "headers": headers}
        content = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    threads = []
    for argument in sys.argv[1:]:
        name, _, place = argument.partition("=")
        address, _, port = place.partition(":")
        server = Server((address, int(port)), type(name, (Handler,), {"name": name}))
        threads.append(threading.Thread(target=server.serve_forever))
    for thread in threads:
        thread.start()
