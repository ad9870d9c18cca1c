"""Run Argo CD's own code that generates manifests, as a process that serves one request per line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import engines

KUBERNETES_VERSION = "1.36.0"


class RefusedError(Exception):
    """Argo CD rejected the source; the message is its own."""


@dataclass(frozen=True)
class Manifests:
    """The process."""

    process: subprocess.Popen[str]

    def build(self, root: Path, application: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the objects that Argo CD would apply. It may change the files below the root.

        Raises:
            RefusedError: if it rejects the source.
        """
        request = {"root": str(root), "application": application, "kubeVersion": KUBERNETES_VERSION}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(request)}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["error"]:
            raise RefusedError(answer["error"].replace(str(root), ""))
        return answer["objects"] or []


@contextmanager
def manifests(folder: Path) -> Iterator[Manifests]:
    """Start the process, with only the tools that it runs on its PATH."""
    binary = engines.CACHE / "bin/argocd/controllers"
    tools = folder / "bin"
    tools.mkdir()
    for name in ("helm", "kustomize"):
        found = [
            place / name for place in (Path(sys.executable).parent, engines.CACHE / "bin") if (place / name).exists()
        ]
        (tools / name).symlink_to(found[0])
    (tools / "git").symlink_to(shutil.which("git") or "/usr/bin/git")
    homes = {f"HELM_{kind}_HOME": str(folder / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
    environment = {"PATH": str(tools), "HOME": str(folder), "TMPDIR": str(folder)} | homes
    environment |= {"ARGOCD_BINARY_NAME": "argocd-manifests", "ARGOCD_PLUGINSOCKFILEPATH": str(folder), "GOGC": "400"}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [binary], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        yield Manifests(process)
        assert process.stdin
        process.stdin.close()
