"""Serve what a rendered repository downloads, charts and Argo CD's manifests, under their real URLs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.support import engines
from tests.support.cluster.charts import documented_repository, helm_repositories
from tests.support.cluster.credentials import write_certificate

WEB = Path(__file__).with_name("web.py")


def outside_world(folder: Path, authority: trustme.CA, port: int) -> list[str | Path]:
    """Add everything to the folder `web`, and return the command that serves it.

    It is a proxy for https (web.py): clients need its address, and trust in the authority.
    """
    manifests = engines.argocd_manifests() | engines.argocd_manifests(pinned_in="data-previous")
    charts = folder / "charts"
    for url, source in (manifests | helm_repositories(charts) | documented_repository(charts)).items():
        target = folder / "web" / url.removeprefix("https://")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    hosts = {host.name for host in (folder / "web").iterdir()}
    write_certificate(authority.issue_cert(*hosts), folder / "web")
    return [sys.executable, WEB, str(port), folder / "web", folder / "web.crt", folder / "web.key"]


@contextmanager
def shell(folder: Path) -> Iterator[dict[str, str]]:
    """Return the variables of a shell with the tools of a rendered repository, and access to the outside world only.

    Args:
        folder: An empty folder, its home.
    """
    # Built as a plugin of kubectl; mise installs it under its own name.
    (folder / "bin").mkdir()
    (folder / "bin/kyverno").symlink_to(engines.CACHE / "bin/kyverno/kubectl-kyverno")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(outside_world(folder, authority, port), stderr=subprocess.DEVNULL) as web:
        try:
            deadline = time.monotonic() + 60
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert web.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield {
                "PATH": f"{folder / 'bin'}:{engines.CACHE / 'bin'}:{os.environ['PATH']}",
                "HOME": str(folder),
                "HTTPS_PROXY": f"http://127.0.0.1:{port}",
                "SSL_CERT_FILE": str(folder / "authority.pem"),
                "GIT_CONFIG_NOSYSTEM": "1",
            }
        finally:
            web.kill()
