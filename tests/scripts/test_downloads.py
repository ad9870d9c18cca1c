"""The checks reject changed content under the same URL or version before the merge."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from gitops import checks, downloads
from gitops.tools import GitOpsError
from tests.support import engines
from tests.support.checkout import Checkout

KUSTOMIZATION, CHECKSUM = "bootstrap/argocd/kustomization.yaml", "bootstrap/argocd/checksums.txt"
ADDON = "apps/platform/external-dns/addon.yaml"
((URL, MANIFEST),) = engines.argocd_manifests().items()
EXTERNAL_DNS = ("https://kubernetes-sigs.github.io/external-dns/", "external-dns", "1.22.0")
OTHER = "sha256:" + "0" * 64
# Tests of this folder replace it.
ORIGINAL = downloads.download_chart


def result(checkout: Checkout, identifier: str) -> checks.Result:
    """Run one check."""
    (found,) = checks.run(checkout.path, only=[identifier])
    assert found.is_complete
    return found


def one_problem(checkout: Checkout, identifier: str) -> str:
    """Return the only problem of a check."""
    found = result(checkout, identifier)
    assert found.state is checks.State.FAILED
    (problem,) = found.problems
    return problem


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that serves another manifest under the URL of Argo CD's."""

    def serve(text: str) -> None:
        file = tmp_path / "served.yaml"
        file.write_text(text)
        monkeypatch.setitem(downloads._results, (URL,), file)

    return serve


def test_the_pinned_manifest_passes(checkout: Checkout) -> None:
    assert result(checkout, "downloads").state is checks.State.OK


def test_other_bytes_under_the_url_are_refused(checkout: Checkout, served: Callable[[str], None]) -> None:
    text = MANIFEST.read_text() + "# one line more\n"
    served(text)
    problem = one_problem(checkout, "downloads")
    assert problem.startswith(f"{URL}: its checksum is {hashlib.sha256(text.encode()).hexdigest()}, but {CHECKSUM} has")
    assert "do not merge or sync" in problem


def vendor(checkout: Checkout, text: str) -> None:
    """Copy a manifest into the repository, instead of downloading it."""
    checkout.write("bootstrap/argocd/install.yaml", text)
    checkout.replace(KUSTOMIZATION, f"- {URL}", "- install.yaml")


def test_a_copied_manifest_passes_without_a_network(checkout: Checkout, served: Callable[[str], None]) -> None:
    served("")
    vendor(checkout, MANIFEST.read_text())
    assert result(checkout, "downloads").state is checks.State.OK


BREAKS: dict[str, tuple[Callable[[Checkout], None], str]] = {
    "a changed copy": (
        lambda c: vendor(c, MANIFEST.read_text().replace("argocd-server", "argocd-surfer")),
        "install.yaml: its checksum is",
    ),
    "a missing copy": (
        lambda c: c.replace(KUSTOMIZATION, f"- {URL}", "- install.yaml"),
        "bootstrap/argocd/install.yaml is missing: download it",
    ),
    "another version": (lambda c: c.replace(KUSTOMIZATION, "v3.6.1", "v3.6.2"), "404"),
    "no checksum": (lambda c: (c.path / CHECKSUM).unlink(), f"{CHECKSUM} has no line"),
    "half a checksum": (lambda c: c.write(CHECKSUM, "7be2  install.yaml\n"), f"{CHECKSUM} has no line"),
    "two checksums": (
        lambda c: c.write(CHECKSUM, f"{'0' * 64}  install.yaml\n" * 2),
        f"{CHECKSUM} has no line",
    ),
    "a branch": (
        lambda c: c.replace(KUSTOMIZATION, "v3.6.1/manifests", "master/manifests"),
        "is not Argo CD's manifest",
    ),
    "another repository": (
        lambda c: c.replace(KUSTOMIZATION, "/argoproj/argo-cd/v3", "/mallory/argo-cd/v3"),
        "is not Argo CD's manifest",
    ),
    "one download more": (
        lambda c: c.replace(KUSTOMIZATION, f"- {URL}", f"- {URL}\n  - https://example.com/more.yaml"),
        "https://example.com/more.yaml is not Argo CD's manifest",
    ),
    "a repository of Git": (
        lambda c: c.replace(KUSTOMIZATION, f"- {URL}", "- https://github.com/argoproj/argo-cd//manifests?ref=v3.6.1"),
        "is not Argo CD's manifest",
    ),
    "two manifests": (
        lambda c: c.replace(KUSTOMIZATION, f"- {URL}", f"- {URL}\n  - {URL}"),
        "2 resources are Argo CD's manifest",
    ),
    "another file name": (
        lambda c: (c.path / KUSTOMIZATION).rename(c.path / "bootstrap/argocd/kustomization.yml").touch(),
        "bootstrap/argocd has no kustomization.yaml",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_argocd_is_made_of_cannot_be(checkout: Checkout, what: str) -> None:
    attack, message = BREAKS[what]
    attack(checkout)
    problems = result(checkout, "downloads").problems
    assert any(message in problem for problem in problems), problems


def test_a_chart_without_a_recorded_digest_is_named(checkout: Checkout) -> None:
    found = result(checkout, "charts")
    assert found.state is checks.State.SKIPPED
    assert found.reason.startswith("no digest is recorded for external-dns 1.22.0, traefik 41.3.0: ")


@pytest.fixture
def chart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Serve a chart, and return the digest of its archive."""
    archive = tmp_path / "external-dns-1.22.0.tgz"
    archive.write_bytes(b"the archive")
    shutil.copytree(downloads.chart(*EXTERNAL_DNS), tmp_path / "external-dns")
    monkeypatch.setitem(downloads._results, EXTERNAL_DNS, tmp_path / "external-dns")
    return f"sha256:{downloads.checksum(archive)}"


def test_a_chart_with_its_recorded_digest_passes(checkout: Checkout, chart: str) -> None:
    checkout.replace(ADDON, "version: 1.22.0\n", f"version: 1.22.0\ndigest: {chart}\n")
    assert result(checkout, "charts").reason.startswith("no digest is recorded for traefik 41.3.0: ")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (f"version: 1.22.0\ndigest: {OTHER}\n", f"has the digest sha256:[0-9a-f]{{64}}, not {OTHER}"),
        ("version: 1.22.0\ndigest: 0000\n", "digest 0 is not `sha256:` and 64 hexadecimal digits"),
        (f"version: 1.22.0\ndigest: {OTHER.upper()}\n", "is not `sha256:` and 64 hexadecimal digits"),
        ("version: 1.x\n", "version '1.x' is not one version"),
        ('version: ">=1.22.0"\n', "version '>=1.22.0' is not one version"),
        ('version: "*"\n', "is not one version"),
        ("version: --output-dir=/tmp\n", "is not one version"),
    ],
)
def test_a_chart_cannot_have(checkout: Checkout, chart: str, lines: str, message: str) -> None:
    checkout.replace(ADDON, "version: 1.22.0\n", lines)
    found = checks.run(checkout.path, only=["charts"])[0]
    assert found.state is checks.State.FAILED
    assert len(found.problems) == 1
    assert re.search(message, found.problems[0]), found.problems


@pytest.mark.parametrize(
    ("repository", "name", "version"),
    [
        ("https://charts.example.com", "--output-dir=/tmp", "1.2.3"),
        ("https://charts.example.com", "../chart", "1.2.3"),
        ("https://charts.example.com", "chart", "--plain-http"),
        ("https://charts.example.com", "chart", "1.2.3\n"),
        ("http://charts.example.com", "chart", "1.2.3"),
        ("file:///etc", "chart", "1.2.3"),
        ("--repo=x", "chart", "1.2.3"),
        ("https://user:password@charts.example.com", "chart", "1.2.3"),
    ],
)
def test_helm_is_not_asked_for(
    repository: str, name: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "run", lambda *_: pytest.fail("Helm was asked"))
    with pytest.raises(GitOpsError, match=r"is not the (name|version|repository) of a chart"):
        ORIGINAL(repository, name, version, tmp_path)


def pulled(monkeypatch: pytest.MonkeyPatch, folder: Path, *members: tarfile.TarInfo) -> Path:
    """Download a chart whose archive has these members."""

    def pull(*command: str, online: bool) -> str:
        assert online
        (destination,) = (part.partition("=")[2] for part in command if part.startswith("--destination="))
        with tarfile.open(f"{destination}/chart-1.2.3.tgz", "w:gz") as archive:
            for member in members:
                archive.addfile(member, BytesIO(b" " * member.size))
        return ""

    monkeypatch.setattr(downloads, "run", pull)
    return ORIGINAL("https://charts.example.com", "chart", "1.2.3", folder)


def member(name: str, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """Return a file of an archive, or a link."""
    info = tarfile.TarInfo(name)
    info.size = size
    if link:
        info.type, info.linkname = tarfile.SYMTYPE, link
    return info


def test_a_chart_is_unpacked_beside_its_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chart = pulled(monkeypatch, tmp_path, member("chart/Chart.yaml", 3))
    assert (chart / "Chart.yaml").read_text() == "   "
    assert [file.name for file in chart.parent.glob("*.tgz")] == ["chart-1.2.3.tgz"]


@pytest.mark.parametrize(
    "members",
    [
        [member("chart/Chart.yaml"), member("../outside", 1)],
        [member("chart/Chart.yaml"), member("chart/link", link="/etc/passwd")],
        [member("chart/Chart.yaml"), member("chart/link", link="../../../outside")],
        [member("other/Chart.yaml")],
        [],
    ],
    ids=["a path that leaves", "an absolute link", "a link that leaves", "another chart", "nothing"],
)
def test_an_archive_cannot_have(
    members: list[tarfile.TarInfo], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(GitOpsError):
        pulled(monkeypatch, tmp_path / "charts", *members)
    assert not (tmp_path / "outside").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(downloads, "MAXIMUM_UNPACKED_BYTES", 1000)
    with pytest.raises(GitOpsError, match="unpacks to more than 1000 bytes"):
        pulled(monkeypatch, tmp_path, member("chart/Chart.yaml", 600), member("chart/values.yaml", 600))
    assert not list(tmp_path.rglob("values.yaml"))
