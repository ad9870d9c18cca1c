"""Check that downloads have the content that was reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gitops import downloads
from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import Object, load_yaml
from gitops.references import BOOTSTRAP, MANIFEST_URL
from gitops.tools import GitOpsError
from gitops.tree import PLATFORM

MANIFEST, CHECKSUM = "install.yaml", "checksums.txt"
# As `sha256sum install.yaml` prints it.
CHECKSUM_LINE = re.compile(r"([0-9a-f]{64}) [ *]install\.yaml\n?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The section with the commands that compute a checksum or a digest.
HOW = "docs/operations.md, Check what is downloaded"


@check("downloads", "Argo CD's manifest has the checksum that is recorded")
def manifests(repository: Repository) -> Iterator[str]:
    """Find a manifest of Argo CD whose content differs from the one that was reviewed."""
    folder = repository.tree.path / BOOTSTRAP
    resources = _resources(folder)
    yield from (
        f"{BOOTSTRAP}/kustomization.yaml: {name} is not Argo CD's manifest, the only download: copy it into the folder"
        for name in resources
        if "://" in name and not MANIFEST_URL.fullmatch(name)
    )
    sources = [name for name in resources if name == MANIFEST or MANIFEST_URL.fullmatch(name)]
    if len(sources) != 1:
        yield f"{BOOTSTRAP}/kustomization.yaml: {len(sources)} resources are Argo CD's manifest: name one ({HOW})"
        return
    recorded = folder / CHECKSUM
    line = CHECKSUM_LINE.fullmatch(recorded.read_text(errors="replace")) if recorded.is_file() else None
    if not line:
        yield f"{BOOTSTRAP}/{CHECKSUM} has no line `<sha256>  {MANIFEST}`: compute it ({HOW})"
        return
    file = folder / MANIFEST
    if sources[0] != MANIFEST:
        file = downloads.file(sources[0])
    elif not file.is_file():
        yield f"{BOOTSTRAP}/{MANIFEST} is missing: download it ({HOW})"
        return
    if (found := downloads.checksum(file)) != line[1]:
        yield (
            f"{sources[0]}: its checksum is {found}, but {BOOTSTRAP}/{CHECKSUM} has {line[1]}. If you changed the "
            f"version, record its checksum; if not, somebody replaced the file: do not merge or sync ({HOW})"
        )


@check("charts", "Charts have the digests that are recorded")
def charts(repository: Repository) -> Iterator[str]:
    """Find charts whose content differs from the one that was reviewed, and charts without a fixed version."""
    unrecorded = []
    for file in sorted((repository.tree.path / PLATFORM).glob("*/addon.yaml")):
        name = file.relative_to(repository.tree.path).as_posix()
        addon = _addon(file, name)
        repository_url, chart, version = (str(addon.get(field, "")) for field in ("repository", "chart", "version"))
        recorded = addon.get("digest")
        if not downloads.EXACT_VERSION.fullmatch(version):
            yield f"{name}: version {version!r} is not one version: name one, such as 1.2.3"
        elif recorded is None:
            unrecorded.append(f"{chart} {version}")
        elif not isinstance(recorded, str) or not DIGEST.fullmatch(recorded):
            yield f"{name}: digest {recorded!r} is not `sha256:` and 64 hexadecimal digits: correct it ({HOW})"
        elif (found := downloads.chart_digest(repository_url, chart, version)) != recorded:
            yield (
                f"{name}: the archive of chart {chart} {version} has the digest {found}, not {recorded}. If you "
                "changed the version, record its digest; if not, somebody replaced the chart: do not merge or sync "
                f"({HOW})"
            )
    if unrecorded:
        raise NothingToCheckError(f"no digest is recorded for {', '.join(unrecorded)}: {HOW}")


def _resources(folder: Path) -> list[str]:
    file = folder / "kustomization.yaml"
    if not file.is_file():
        raise GitOpsError(f"{BOOTSTRAP} has no kustomization.yaml: restore it from the template under this name")
    documents = load_yaml(file.read_text(), f"{BOOTSTRAP}/{file.name}")
    content = documents[0] if documents and isinstance(documents[0], dict) else {}
    return [str(name) for field in ("resources", "bases", "components") for name in content.get(field) or []]


def _addon(file: Path, name: str) -> Object:
    documents = load_yaml(file.read_text(), name)
    return documents[0] if documents and isinstance(documents[0], dict) else {}
