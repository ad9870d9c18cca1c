"""What the rendered repository needs of the world outside: charts and Argo CD's manifests, under their real URLs."""

from __future__ import annotations

import sys
from pathlib import Path

import trustme

from tests import engines
from tests.cluster.charts import helm_repositories
from tests.cluster.kubernetes import write_certificate

WEB = Path(__file__).with_name("web.py")


def outside_world(folder: Path, authority: trustme.CA, port: int) -> list[str | Path]:
    """Put everything into the folder `web`, beside what is there already, and return the command that serves it.

    It is a proxy for https (web.py): clients need its address, and trust in the authority.
    """
    manifests = engines.argocd_manifests() | engines.argocd_manifests(pinned_in="data-previous")
    for url, source in (manifests | helm_repositories(folder / "charts")).items():
        target = folder / "web" / url.removeprefix("https://")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    hosts = {host.name for host in (folder / "web").iterdir()}
    write_certificate(authority.issue_cert(*hosts), folder / "web")
    return [sys.executable, WEB, str(port), folder / "web", folder / "web.crt", folder / "web.key"]
