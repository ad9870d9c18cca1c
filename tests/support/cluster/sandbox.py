"""Processes in namespaces of their own: fixed ports that collide with nothing, no way out, one signal that ends all.

Linux only: it takes `unshare` and `nsenter` (util-linux), and root or unprivileged user namespaces.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FIRST_PROCESS = Path(__file__).with_name("first_process.py")
LOG_LINES = 25
# Seconds after which something will not happen any more, on a machine that has other work, too.
PATIENCE = 400
# Seconds for each wait after the first that failed, so that a broken stack fails within minutes.
IMPATIENCE = 40
POLL_SECONDS = 0.3


class SandboxError(AssertionError):
    """A process ended or did not get ready; the message has the end of its log."""


def missing() -> str:
    """Return what this machine lacks to run a sandbox; empty if nothing."""
    if sys.platform != "linux":
        return "namespaces need Linux"
    absent = [tool for tool in ("unshare", "nsenter") if not shutil.which(tool)]
    if absent:
        return f"{' and '.join(absent)} (util-linux) not installed"
    tried = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    return f"no namespaces without root here: {tried.stderr.strip()}" if tried.returncode else ""


class Sandbox:
    """A private network and process table, with a folder for everything that runs in it."""

    def __init__(self, folder: Path, environment: dict[str, str], outlives_us: bool = False) -> None:
        """Start the first process.

        Args:
            folder: Becomes the home of all processes; logs are in its folder `log`.
            environment: The variables that processes get; nothing is inherited.
            outlives_us: Whether everything goes on when this process ends. Else it ends with it, however that ends.
        """
        self.folder = folder
        self.environment = environment
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._patience = PATIENCE
        (folder / "log").mkdir(parents=True, exist_ok=True)
        self._dialer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._dialing = threading.Lock()
        arguments = [str(theirs.fileno()), "yes" if outlives_us else "no"]
        with theirs:
            self._unshare = subprocess.Popen(
                [*_unshare(), sys.executable, FIRST_PROCESS, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=folder,
            )
        if not self._dialer.recv(100):
            raise SandboxError("the namespaces could not be made")
        self.pid = _only_child(self._unshare.pid)

    def dial(self, host: str, port: int, source: str = "127.0.0.1") -> socket.socket:
        """Connect to an address inside, without starting a process there.

        Raises:
            OSError: if nobody listens.
        """
        with self._dialing:
            self._dialer.send(f"{host} {port} {source}".encode())
            answer, descriptors, _, _ = socket.recv_fds(self._dialer, 100, 1)
        if not descriptors:
            number = int(answer or 0)
            raise ConnectionError(number, f"{os.strerror(number)}: {host}:{port}")
        return socket.socket(fileno=descriptors[0])

    def enter(self, folder: Path | None = None) -> list[str]:
        """Return the command that runs what follows it inside, in a folder or else in that of the sandbox."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        where = f"--wd={folder or self.folder}"
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", *user, where, "--"]

    def start(self, name: str, *command: str | Path, environment: dict[str, str] | None = None) -> None:
        """Start a process in the background, and write its output to log/<name>.log."""
        with (self.folder / "log" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*self.enter(), *map(str, command)],
                env=self.environment | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, name: str) -> None:
        """Kill one process and wait until it is gone."""
        process = self.processes.pop(name)
        os.kill(_only_child(process.pid), signal.SIGKILL)
        process.wait(10)

    def run(
        self,
        *command: str | Path,
        stdin: str = "",
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
        seconds: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and return its output; a failure is the caller's to judge.

        Raises:
            subprocess.TimeoutExpired: after the given time.
        """
        return subprocess.run(
            [*self.enter(folder), *map(str, command)],
            env=self.environment | (environment or {}),
            input=stdin,
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
        )

    def wait_for(self, name: str, is_ready: Callable[[], object]) -> None:
        """Wait until a process is ready.

        Raises:
            SandboxError: if it ends before, or is not ready in time.
        """

        def is_ready_or_gone() -> bool:
            if self.processes[name].poll() is not None:
                raise SandboxError(f"{name} ended with {self.processes[name].returncode}\n{self.log(name)}")
            return bool(is_ready())

        try:
            self.until(f"{name} is ready", is_ready_or_gone)
        except SandboxError as error:
            raise SandboxError(f"{error}\n{self.log(name)}") from None

    def until(
        self, what: str, condition: Callable[[], T], seconds: float | None = None, every: float = POLL_SECONDS
    ) -> T:
        """Wait until a condition holds and return its value.

        Raises:
            SandboxError: if it does not hold in time.
        """
        is_default, seconds = seconds is None, seconds or self._patience
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                if is_default:
                    self._patience = IMPATIENCE
                raise SandboxError(f"waited {seconds:.0f} s until {what}; the last answer was {value!r}")
            time.sleep(every)
        return value

    def log(self, name: str, lines: int = LOG_LINES) -> str:
        """Return the last lines of a process' log."""
        file = self.folder / "log" / f"{name}.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End every process inside. The kernel does it, when the first one goes."""
        if self._unshare.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._unshare.wait(20)
        for process in self.processes.values():
            process.wait(20)
        self._dialer.close()


def is_first_process(pid: int) -> bool:
    """Return whether a process is the first of a sandbox: after a restart of the machine its id may be another's."""
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and str(FIRST_PROCESS) in command.read_text()


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]


def _only_child(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
