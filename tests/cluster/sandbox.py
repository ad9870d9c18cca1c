"""Processes in namespaces of their own: fixed ports that collide with nothing, no way out, one signal that ends all.

Linux only: it takes `unshare` and `nsenter` (util-linux), and root or unprivileged user namespaces.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# The first process of the namespaces. It takes the addresses of pods (10.244.0.0/15) for the loopback device, so that a
# process can listen on one, and ends, and all others with it, when its standard input does.
INIT = """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, UP_AND_RUNNING = 0x8914, 0x8916, 0x891C, 0x41
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def address(text):
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))
fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", b"lo:1", address("10.244.0.1")))
fcntl.ioctl(control, SIOCSIFNETMASK, struct.pack("16s16s", b"lo:1", address("255.254.0.0")))
print("ready", flush=True)
"""
UNTIL_WE_END = "sys.stdin.read()"
UNTIL_KILLED = "import signal; signal.pause()"
LOG_LINES = 25
# Seconds after which something will not happen any more, on a machine that has other work, too.
PATIENCE = 400


class SandboxError(AssertionError):
    """A process ended or did not get ready; the message has the end of its log."""


def missing() -> str:
    """What this machine lacks to run a sandbox; empty if nothing."""
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
        (folder / "log").mkdir(parents=True, exist_ok=True)
        init = INIT + (UNTIL_KILLED if outlives_us else UNTIL_WE_END)
        self._unshare = subprocess.Popen(
            [*_unshare(), sys.executable, "-c", init],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=folder,
        )
        assert self._unshare.stdout
        if not self._unshare.stdout.readline():
            raise SandboxError("the namespaces could not be made")
        self.pid = _only_child(self._unshare.pid)

    def enter(self, folder: Path | None = None) -> list[str]:
        """The command that runs what follows it inside, in a folder or else in that of the sandbox."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        where = f"--wd={folder or self.folder}"
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", *user, where, "--"]

    def start(self, name: str, *command: str | Path, environment: dict[str, str] | None = None) -> None:
        """Start a process in the background, and write what it says to log/<name>.log."""
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
        """Run a command inside and return what it said; a failure is the caller's to judge.

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

    def wait_for(self, name: str, url: str, headers: dict[str, str] | None = None, seconds: float = PATIENCE) -> None:
        """Wait until a process answers a URL with 200.

        Raises:
            SandboxError: if it ends before, or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                raise SandboxError(f"{name} ended with {self.processes[name].returncode}\n{self.log(name)}")
            if self.fetch(url, headers) is not None:
                return
            time.sleep(0.2)
        raise SandboxError(f"{name} did not answer {url} in {seconds:.0f} s\n{self.log(name)}")

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> str | None:
        """What a URL inside answers, or None if it does not answer with 200."""
        lines = (f"{key}: {value}" for key, value in (headers or {}).items())
        result = self.run(sys.executable, "-c", _FETCH, url, *lines)
        return None if result.returncode else result.stdout

    def until(self, what: str, condition: Callable[[], T], seconds: float = PATIENCE, every: float = 0.5) -> T:
        """Wait until a condition holds and return its value.

        Raises:
            SandboxError: if it does not hold in time.
        """
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise SandboxError(f"waited {seconds:.0f} s until {what}; the last answer was {value!r}")
            time.sleep(every)
        return value

    def log(self, name: str, lines: int = LOG_LINES) -> str:
        """The last lines of a process' log."""
        file = self.folder / "log" / f"{name}.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End every process inside. The kernel does it, when the first one goes."""
        os.kill(self.pid, signal.SIGKILL)
        self._unshare.wait(20)
        for process in self.processes.values():
            process.wait(20)


_FETCH = """
import ssl, sys, urllib.request
headers = dict(line.split(": ", 1) for line in sys.argv[2:])
https = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
try:
    print(opener.open(urllib.request.Request(sys.argv[1], headers=headers), timeout=3).read().decode(), end="")
except OSError:
    sys.exit(1)
"""


def is_first_process(pid: int) -> bool:
    """Whether a process is the first one of a sandbox: after a restart of the machine its id may be somebody else's."""
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and INIT in command.read_text()


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]


def _only_child(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
