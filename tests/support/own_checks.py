"""Run the checks of a rendered repository in this process, with each chart downloaded and rendered once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops import checks, downloads
from gitops.checks.types import State
from gitops.tools import GitOpsError
from tests.support import engines
from tests.support.cluster.charts import chart_folder, documented_chart, platform_charts

Problems = dict[str, list[str]]
Validate = Callable[..., Problems]

# Kyverno takes minutes to build: the slow tier and the clusters evaluate the policies.
NEEDS_KYVERNO = "policies"


def failed_checks(repository: Path, *, is_kyverno_built: bool = False) -> Problems:
    """Return the checks that fail or are incomplete, with their reports.

    Args:
        repository: A rendered repository.
        is_kyverno_built: Whether to evaluate the policies, and nothing else; otherwise everything else is checked.
    """
    ids = [check.id for check in checks.all_checks() if (check.id == NEEDS_KYVERNO) is is_kyverno_built]
    with tempfile.TemporaryDirectory() as folder:
        # Other tests compare the folder with folders that are not Git clones.
        clone = Path(shutil.copytree(repository, Path(folder) / "clone"))
        subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)
        results = checks.run(clone, only=ids)
    failed = [result for result in results if result.state is State.FAILED or not result.is_complete]
    return {result.id: result.problems or [result.reason] for result in failed}


@contextmanager
def local_downloads(folder: Path) -> Iterator[None]:
    """Make `gitops` find its tools in the cache, and download from this machine only.

    Args:
        folder: An empty folder for links to tools, and for charts.
    """
    (folder / "kyverno").symlink_to(engines.CACHE / "bin/kyverno/kubectl-kyverno")
    manifests = engines.argocd_manifests() | engines.argocd_manifests(pinned_in="data-previous")
    known = (*platform_charts(), documented_chart())
    charts = {(chart.repository, chart.name, chart.version): chart for chart in known}

    def download_chart(repository: str, name: str, version: str, into: Path) -> Path:
        chart = charts.get((repository.rstrip("/"), name, version))
        if not chart:
            raise GitOpsError(f'chart "{name}" version "{version}" not found in {repository}')
        return chart_folder(chart, into)

    def download_file(url: str, into: Path) -> Path:
        if url not in manifests:
            raise GitOpsError(f"{url}: HTTP Error 404: Not Found")
        return manifests[url]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{engines.CACHE / 'bin'}:{os.environ['PATH']}")
        patch.setattr(downloads, "download_chart", download_chart)
        patch.setattr(downloads, "download_file", download_file)
        yield
