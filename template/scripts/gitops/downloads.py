"""Download charts and manifests once per process."""

from __future__ import annotations

import re
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gitops.objects import digest
from gitops.tools import GitOpsError, UnavailableError, run

TIMEOUT_SECONDS = 60
# What Helm says of a server that it does not reach.
UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection re(fused|set)|i/o timeout|proxyconnect|TLS handshake timeout|deadline exceeded"
)
_lock = threading.Lock()
_results: dict[tuple[str, ...], Path | GitOpsError] = {}


def chart(repository: str, name: str, version: str) -> Path:
    """Return the folder of a chart.

    Raises:
        UnavailableError: if its repository cannot be reached.
        GitOpsError: if the repository has no such chart.
    """
    return _once((repository, name, version), lambda: download_chart(repository, name, version, _folder()))


def file(url: str) -> Path:
    """Return the file at a URL.

    Raises:
        UnavailableError: if the server cannot be reached.
        GitOpsError: if it has no such file.
    """
    return _once((url,), lambda: download_file(url, _folder()))


def download_chart(repository: str, name: str, version: str, folder: Path) -> Path:
    """Download a chart below a folder, and return its own."""
    target = folder / digest([repository, name, version])
    source = [name, "--repo", repository] if "://" in repository else [f"oci://{repository}/{name}"]
    try:
        run("helm", "pull", *source, "--version", version, "--untar", "--untardir", str(target))
    except UnavailableError:
        raise
    except GitOpsError as error:
        if UNREACHABLE.search(str(error)):
            raise UnavailableError(f"chart {name} {version} cannot be downloaded from {repository}") from None
        raise
    return target / name


def download_file(url: str, folder: Path) -> Path:
    """Download a file into a folder, and return its path."""
    target = folder / f"{digest(url)}.yaml"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            target.write_bytes(response.read())
    except urllib.error.HTTPError as error:
        raise GitOpsError(f"{url}: {error}") from None
    except OSError as error:
        raise UnavailableError(f"{url} cannot be downloaded: {error}") from None
    return target


def _once(key: tuple[str, ...], download: Callable[[], Path]) -> Path:
    with _lock:
        if key not in _results:
            try:
                _results[key] = download()
            except GitOpsError as error:
                _results[key] = error
    result = _results[key]
    if isinstance(result, GitOpsError):
        raise result
    return result


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="gitops-")


def _folder() -> Path:
    return Path(_temporary().name)
