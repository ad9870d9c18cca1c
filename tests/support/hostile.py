"""A small repository that an attacker changes, and traps that show whether anything was executed or fetched."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

URL = "https://github.com/acme/platform.git"
OVERLAY = "apps/workloads/evil/overlays/dev"
# All checks that read what Argo CD reads. The others run their own programs on the build.
CHECKS = ("conflicts", "answers", "files", "local", "folders", "builds", "hosts", "own", "projects")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata:\n  key: value\n"


def application(name: str, path: str, **source: Any) -> dict[str, Any]:
    """Return an Application."""
    spec = {
        "project": "dev",
        "source": {"repoURL": URL, "path": path, "targetRevision": "main"} | source,
        "destination": {"name": "main", "namespace": name},
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}, "spec": spec}


FILES = {
    "argo/root.yaml": json.dumps(application("root", "argo", directory={"recurse": True})),
    "argo/evil.yaml": json.dumps(application("evil-dev", OVERLAY, kustomize={"namespace": "evil-dev"})),
    f"{OVERLAY}/kustomization.yaml": "resources: [plain.yaml]\n",
    f"{OVERLAY}/plain.yaml": CONFIG_MAP,
    ".yamllint.yml": "rules: {}\n",
}


@dataclass
class Traps:
    """The traces that an attack would leave.

    Attributes:
        file: A file that only an executed command writes.
        url: The address of a server that must get no request.
        requests: The requests that it received.
    """

    file: Path
    url: str
    requests: list[str] = field(default_factory=list)

    @property
    def sprung(self) -> list[str]:
        """Return the traces of an attack: none if all is well."""
        return [*self.requests, *([str(self.file)] if self.file.exists() else [])]


@contextmanager
def traps(folder: Path) -> Iterator[Traps]:
    """Serve a manifest that must not be fetched."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            result.requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONFIG_MAP.replace("plain", "fetched").encode())

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        result = Traps(folder / "executed", f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield result
        server.shutdown()


def hostile_paths(traps: Traps, repository: Path) -> dict[str, str]:
    """Return hostile paths, by what is wrong with them."""
    upload = f"?ref=--upload-pack=(touch%20{traps.file})%3Bgit-upload-pack%20{repository}%20%23"
    return {
        "a command": f"file:///x{upload}",
        "a command behind git::": f"git::file:///x{upload}",
        "a command behind an upper case scheme": f"FILE:///x{upload}",
        "a file by http": f"{traps.url}/a.yaml",
        "a repository by http": f"{traps.url}/acme/x.git?ref=main",
        "a repository by ssh": "git@127.0.0.1:acme/x.git",
        "a host without a scheme": "github.com/acme/x",
        "a local repository": f"file://{repository}",
        "an absolute path": str(repository / "README.md"),
        "a path out of the repository": "../" * 12 + "etc/hostname",
        "a path to a link": "link.yaml",
        "nothing": "",
    }


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def repository(path: Path) -> Path:
    """Return a clone with the small repository, committed."""
    write(path, FILES)
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "Start"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    return path
