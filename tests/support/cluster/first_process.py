"""Run as the first process of a sandbox's namespaces: when it ends, the kernel ends all others.

    first_process.py <file descriptor of a socket> <whether it outlives its parent: yes or no>

It opens connections inside for its parent outside: each message on the socket is "<host> <port> <source address>", and
the reply carries the file descriptor of the connected socket, or the number of the error.
"""

from __future__ import annotations

import array
import fcntl
import signal
import socket
import struct
import sys

SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, UP_AND_RUNNING = 0x8914, 0x8916, 0x891C, 0x41
CONNECT_SECONDS = 5


def configure_loopback() -> None:
    """Bring the loopback device up with the addresses of pods (10.244.0.0/15), so that a process can listen on one."""

    def address(text: str) -> bytes:
        return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", b"lo:1", address("10.244.0.1")))
        fcntl.ioctl(control, SIOCSIFNETMASK, struct.pack("16s16s", b"lo:1", address("255.254.0.0")))


def reply(parent: socket.socket, message: str) -> None:
    """Open one connection and pass it to the parent."""
    host, port, source = message.split()
    try:
        with socket.create_connection((host, int(port)), CONNECT_SECONDS, (source, 0)) as connection:
            descriptors = array.array("i", [connection.fileno()])
            parent.sendmsg([b"0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
    except OSError as error:
        parent.send(str(error.errno or 110).encode())


def main(descriptor: int, outlives_parent: bool) -> None:
    """Serve the parent until it ends."""
    configure_loopback()
    with socket.socket(fileno=descriptor) as parent:
        parent.send(b"ready")
        while message := parent.recv(1000).decode():
            reply(parent, message)
    while outlives_parent:
        signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "yes")
