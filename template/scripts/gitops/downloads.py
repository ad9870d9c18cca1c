"""Download charts and manifests once per process, and compute their digests."""

from __future__ import annotations

import hashlib
import http.client
import re
import tarfile
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
# Argo CD's manifest is 2 MB. A chart with its dependencies is less than 1 MB, and unpacks to some 10 MB.
MAXIMUM_BYTES = 32 * 2**20
MAXIMUM_UNPACKED_BYTES = 256 * 2**20
# One version. A range, such as 1.x, becomes another version without a commit.
EXACT_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII)
CHART_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*", re.ASCII)
CHART_REPOSITORY = re.compile(r"(https://)?[0-9A-Za-z][0-9A-Za-z.-]*(:[0-9]+)?(/[0-9A-Za-z._~%-]*)*", re.ASCII)
# How to fix the name, version or repository of a chart that is not downloaded.
ADVICE = {
    "name": "use letters, digits, dots, hyphens and underscores",
    "version": "name one version, such as 1.2.3: a range changes without a commit",
    "repository": "use https://host/path, or host/path of an OCI registry",
}
# Helm's messages when it cannot reach a server, or a server or proxy cannot answer.
UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection re(fused|set)|i/o timeout|proxyconnect|TLS handshake timeout|deadline exceeded"
    r"|x509|EOF$|: (403|407|429|5\d\d) \w"
)
# Status codes of a server that has no such file. Any other error may pass, or belongs to a proxy.
MISSING = (404, 410)
_lock = threading.Lock()
_results: dict[tuple[str, ...], Path | GitOpsError] = {}


def chart(repository: str, name: str, version: str) -> Path:
    """Return the folder of a chart.

    Raises:
        UnavailableError: if Helm is missing, or the repository cannot be reached.
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


def chart_digest(repository: str, name: str, version: str) -> str | None:
    """Return the digest of a chart's archive, as the repository's index lists it; None if there is no archive.

    Raises:
        UnavailableError: if Helm is missing, or the repository cannot be reached.
        GitOpsError: if the repository has no such chart.
    """
    archives = list(chart(repository, name, version).parent.glob("*.tgz"))
    return f"sha256:{checksum(archives[0])}" if len(archives) == 1 else None


def checksum(file: Path) -> str:
    """Return the SHA-256 checksum of a file, as `sha256sum` prints it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def download_chart(repository: str, name: str, version: str, folder: Path) -> Path:
    """Download a chart into a folder, keep its archive, and return the folder of the chart."""
    for field, value, grammar in (
        ("name", name, CHART_NAME),
        ("version", version, EXACT_VERSION),
        ("repository", repository, CHART_REPOSITORY),
    ):
        if not grammar.fullmatch(value):
            raise GitOpsError(f"{value!r} is not the {field} of a chart: {ADVICE[field]}")
    target = folder / digest([repository, name, version])
    target.mkdir(parents=True, exist_ok=True)
    source = [f"--repo={repository}", "--", name] if "://" in repository else ["--", f"oci://{repository}/{name}"]
    try:
        run("helm", "pull", f"--version={version}", f"--destination={target}", *source, online=True)
    except UnavailableError:
        raise
    except GitOpsError as error:
        if UNREACHABLE.search(str(error)):
            raise _unreachable(repository, str(error).rpartition(": ")[2]) from None
        raise
    _unpack(next(target.glob("*.tgz")), target)
    if not (target / name / "Chart.yaml").is_file():
        raise GitOpsError(f"the archive of chart {name} {version} has no {name}/Chart.yaml")
    return target / name


def _unpack(archive: Path, target: Path) -> None:
    try:
        with tarfile.open(archive) as files:
            size = 0
            for member in files:
                size += member.size
                if size > MAXIMUM_UNPACKED_BYTES:
                    raise GitOpsError(f"{archive.name} unpacks to more than {MAXIMUM_UNPACKED_BYTES} bytes")
                files.extract(member, target, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise GitOpsError(f"{archive.name} cannot be unpacked: {error}") from None


def download_file(url: str, folder: Path) -> Path:
    """Download a file into a folder, and return its path."""
    if not url.startswith("https://"):
        raise GitOpsError(f"{url} is not downloaded: use https")
    target = folder / f"{digest(url)}.yaml"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            content = response.read(MAXIMUM_BYTES + 1)
    except urllib.error.HTTPError as error:
        if error.code in MISSING:
            raise GitOpsError(f"{url}: {error}") from None
        raise _unreachable(url, str(error)) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise _unreachable(url, getattr(reason, "strerror", None) or str(reason)) from None
    if len(content) > MAXIMUM_BYTES:
        raise GitOpsError(f"{url} has more than {MAXIMUM_BYTES} bytes")
    target.write_bytes(content)
    return target


def _unreachable(url: str, reason: str) -> UnavailableError:
    host = url.removeprefix("https://").partition("/")[0]
    fix = f"check the network, and HTTPS_PROXY if there is a proxy ({' '.join(reason.split())})"
    return UnavailableError(f"{host} cannot be reached", fix)


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
