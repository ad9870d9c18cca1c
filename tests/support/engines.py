"""Run the real engines, pinned in tools/: the ones that Argo CD and the clusters use.

`make tools` builds and downloads them. After that only charts need the network, once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
# Charts that come with a Go module: the module, and the folder of tools/ that pins it.
CHART_MODULES = {
    "descheduler": ("sigs.k8s.io/descheduler", "data"),
    "external-dns": ("sigs.k8s.io/external-dns", "data"),
    "metrics-server": ("sigs.k8s.io/metrics-server", "kubernetes"),
}
CHART_REPOSITORIES = {
    "aws-load-balancer-controller": "https://aws.github.io/eks-charts",
    "external-secrets": "https://charts.external-secrets.io",
    "traefik": "https://traefik.github.io/charts",
}
PULL_SECONDS = 20


class EngineError(AssertionError):
    """An engine rejected its input; the message is its own."""


def kustomize_build(path: Path, remotes: dict[str, Path] | None = None) -> list[Manifest]:
    """Return what `kustomize build` builds from a folder, with local files instead of remote resources."""
    named = {url: file for url, file in (remotes or {}).items() if url in (path / "kustomization.yaml").read_text()}
    if not named:
        return _parse(_run(_engine("kustomize"), "build", path))
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(path, Path(temporary) / "copy"))
        text = (copy / "kustomization.yaml").read_text()
        for index, (url, file) in enumerate(named.items()):
            shutil.copy(file, copy / f"remote-{index}.yaml")
            text = text.replace(url, f"remote-{index}.yaml")
        (copy / "kustomization.yaml").write_text(text)
        return kustomize_build(copy)


def argocd_manifests(pinned_in: str = "data") -> dict[str, Path]:
    """Return the install manifest of the Argo CD that a go.mod below tools/ pins: its URL, and its path."""
    folder = go_module("github.com/argoproj/argo-cd/v3", pinned_in=pinned_in)
    version = folder.name.partition("@")[2]
    url = f"https://raw.githubusercontent.com/argoproj/argo-cd/{version}/manifests/install.yaml"
    return {url: folder / "manifests/install.yaml"}


def helm_template(chart: Path, values: list[Path], kube_version: str, name: str, namespace: str) -> list[Manifest]:
    """Render a chart as Argo CD does, with its CRDs. Helm's own default for the version is an old Kubernetes."""
    # Argo CD passes the kinds that the cluster serves; without this one, Traefik's chart falls back to policy/v1beta1.
    options = ["--include-crds", "--api-versions", "policy/v1/PodDisruptionBudget"]
    options += ["--kube-version", kube_version, "--namespace", namespace]
    for file in values:
        options += ["--values", str(file)]
    return _parse(_run(_engine("helm"), "template", name, chart, *options))


def pinned_version(module: str, folder: str) -> str:
    """Return the version of a module that the go.mod in a folder of tools/ pins, such as v1.2.3."""
    text = (ROOT / "tools" / folder / "go.mod").read_text()
    versions = re.findall(rf"^(?:require |\t){re.escape(module)} (v\S+)", text, re.MULTILINE)
    if len(versions) != 1:
        raise EngineError(f"tools/{folder}/go.mod pins {module} {len(versions)} times")
    return str(versions[0])


@cache
def go_module(path: str, version: str | None = None, pinned_in: str = "data") -> Path:
    """Return the folder of a module that a go.mod below tools/ pins. A version, if given, must be the pinned one."""
    pinned = pinned_version(path, pinned_in)
    if version not in (None, pinned):
        raise EngineError(f"{path}: {version} is wanted, tools/{pinned_in}/go.mod pins {pinned}")
    go, folder = Path(sys.executable).with_name("go"), ROOT / "tools" / pinned_in
    return Path(json.loads(_run(go, "mod", "download", "-json", f"{path}@{pinned}", cwd=folder))["Dir"])


@cache
def chart(name: str, version: str) -> Path | None:
    """Return the folder of a chart: in its Go module, else named by a variable, else pulled. None if unavailable."""
    if name in CHART_MODULES:
        module, pinned_in = CHART_MODULES[name]
        folder = go_module(module, pinned_in=pinned_in) / "charts" / name
    elif given := os.environ.get(chart_variable(name)):
        folder = Path(given)
    else:
        return _pulled(name, version)
    found = yaml.safe_load((folder / "Chart.yaml").read_text())["version"]
    if found != version:
        raise EngineError(f"chart {name} {version} is wanted, but {folder} has {found}")
    return folder


def chart_variable(name: str) -> str:
    """Return the environment variable that names the folder of a chart."""
    return f"{name.upper().replace('-', '_')}_CHART"


def chart_data(name: str, version: str, file: str) -> Path | None:
    """Return a file of a chart from the folder GITOPS_TEMPLATE_DATA, or None if it is missing."""
    data = Path(os.environ.get("GITOPS_TEMPLATE_DATA", ""))
    files = (data / "charts" / f"{name}-{version}" / file, data / f"{name}-{version}.{file}")
    return next((found for found in files if found.is_file()), None)


def helm_package(chart: Path, folder: Path, url: str) -> None:
    """Package a chart into a folder, and index the folder as the chart repository that is served under a URL."""
    _run(_engine("helm"), "package", chart, "--destination", folder)
    _run(_engine("helm"), "repo", "index", folder, "--url", url)


def values_schema(name: str, version: str) -> Schema | None:
    """Return the schema of a chart's values: from the chart, else from the folder GITOPS_TEMPLATE_DATA, else None."""
    folder = chart(name, version)
    file = folder / "values.schema.json" if folder else chart_data(name, version, "values.schema.json")
    return json.loads(file.read_text()) if file and file.exists() else None


def yamlfmt(folder: Path) -> str:
    """Return what yamlfmt would change in a folder, with the folder's rules: nothing if it is formatted."""
    result = _start(_engine("yamlfmt"), "-conf", ".yamlfmt", "-lint", "-quiet", ".", cwd=folder)
    return (result.stdout + result.stderr) if result.returncode else ""


def editorconfig(folder: Path) -> str:
    """Return violations of the .editorconfig of a folder."""
    result = _start(_engine("editorconfig-checker"), "-no-color", cwd=folder)
    return (result.stdout + result.stderr) if result.returncode else ""


def _engine(name: str) -> Path:
    for folder in (Path(sys.executable).parent, CACHE / "bin"):
        if (binary := folder / name).exists():
            return binary
    raise EngineError(f"{name} is not built yet: run `make tools`")


def _run(*command: str | Path, cwd: Path | None = None, timeout: float | None = None) -> str:
    result = _start(*command, cwd=cwd, timeout=timeout)
    if result.returncode:
        raise EngineError(f"{' '.join(map(str, command))}\n{result.stderr or result.stdout}")
    return result.stdout


def _start(
    *command: str | Path, cwd: Path | None = None, stdin: str = "", timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    # The user's own helm configuration and plugins must not change a result.
    homes = {f"HELM_{kind}_HOME": str(CACHE / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
    environment = os.environ | homes
    return subprocess.run(
        command, cwd=cwd, input=stdin, timeout=timeout, env=environment, capture_output=True, text=True, check=False
    )


def _parse(text: str) -> list[Manifest]:
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def _made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, created completely or not at all: tests run in several processes."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary) / folder.name
            made.mkdir()
            make(made)
            try:
                made.rename(folder)
            except OSError:  # Another process was faster.
                assert folder.exists()
    return folder


def _pulled(name: str, version: str) -> Path | None:
    def pull(folder: Path) -> None:
        options = ["--repo", CHART_REPOSITORIES[name], "--version", version, "--untar", "--untardir", str(folder)]
        _run(_engine("helm"), "pull", name, *options, cwd=folder, timeout=PULL_SECONDS)

    try:
        return _made_once(CACHE / "charts" / f"{name}-{version}", pull) / name
    except (EngineError, subprocess.TimeoutExpired):
        return None
