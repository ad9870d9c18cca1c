"""Speak enough HTTP/2 without TLS for one request and its response. Run as a program, it responds like a gRPC server.

http2.py <address>:<port>
"""

from __future__ import annotations

import socket
import socketserver
import struct
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
ACK, END_STREAM, END_HEADERS = 1, 1, 4
# Of HPACK's static table: `:status: 200`; `:method: GET`, `:scheme: http`, `:path: /`, and `:authority` with a value.
OK, QUESTION = b"\x88", b"\x82\x86\x84\x41"
ANSWER = b"HTTP/2 without TLS"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def read(connection: socket.socket, size: int) -> bytes:
    """Read a number of bytes.

    Raises:
        ConnectionError: if there are fewer.
    """
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise ConnectionError(f"closed after {content!r}")
        content += part
    return content


def read_frame(connection: socket.socket) -> tuple[int, int, int, bytes]:
    """Read one frame: its kind, flags, stream and payload."""
    head = read(connection, 9)
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return kind, flags, stream, read(connection, int.from_bytes(head[:3], "big"))


def get(connection: socket.socket, host: str) -> tuple[bytes, bytes]:
    """Send a GET for `/` of a host, and return the first header of the response in HPACK, and the body."""
    authority = bytes([len(host)]) + host.encode()
    connection.sendall(PREFACE + frame(SETTINGS))
    connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, 1, QUESTION + authority))
    status, body = b"", b""
    while True:
        kind, flags, stream, payload = read_frame(connection)
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK))
        elif kind == GOAWAY:
            raise ConnectionError(repr(payload))
        elif stream == 1 and kind == HEADERS:
            status = payload[:1]
        elif stream == 1 and kind == DATA:
            body += payload
        if stream == 1 and kind in (HEADERS, DATA) and flags & END_STREAM:
            return status, body


class Handler(socketserver.BaseRequestHandler):
    """Respond to every request over HTTP/2, and to none over HTTP/1.1."""

    def handle(self) -> None:
        """Serve one connection."""
        if read(self.request, len(PREFACE)) != PREFACE:
            return
        self.request.sendall(frame(SETTINGS))
        while True:
            try:
                kind, flags, stream, payload = read_frame(self.request)
            except ConnectionError:
                return
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.request.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind in (HEADERS, DATA) and flags & END_STREAM:
                answer = frame(HEADERS, END_HEADERS, stream, OK) + frame(DATA, END_STREAM, stream, ANSWER)
                self.request.sendall(answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    address, _, port = sys.argv[1].rpartition(":")
    Server((address, int(port)), Handler).serve_forever()
