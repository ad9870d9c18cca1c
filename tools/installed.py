"""Find installed programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.modules import pinned_version, program

# Arguments that print the version of a program. Other programs are always built.
VERSION_ARGUMENTS = {
    "actionlint": ["-version"],
    "dyff": ["version"],
    "editorconfig-checker": ["-version"],
    "gitleaks": ["version"],
    "helm": ["version", "--short"],
    "kubeconform": ["-v"],
    "kubectl": ["version", "--client"],
    "kustomize": ["version"],
    "kyverno": ["version"],
    "traefik": ["version"],
}


def copy_installed(package: str, folder: Path, target: Path) -> bool:
    """Copy an installed program of exactly the pinned version, and return whether there is one.

    Copy instead of linking, because the installed program may be upgraded later.
    """
    name, version = program(package).removeprefix("kubectl-"), pinned_version(package, folder)
    if name not in VERSION_ARGUMENTS or not version:
        return False
    copy = target / program(package)
    for candidate in candidates(name, version):
        shutil.copy(candidate, copy)
        if prints_version(copy, VERSION_ARGUMENTS[name], version):
            print(f"{name} {version}: {candidate}", flush=True)
            return True
        copy.unlink()
    return False


def candidates(name: str, version: str) -> list[Path]:
    """Return paths of a program: on the PATH, or installed by mise in an inactive version.

    A program of mise on the PATH may be a link to mise, which selects the version by the folder.
    """
    found = [path for path in [Path(shutil.which(name) or "/nowhere").resolve()] if path.name != "mise"]
    if mise := shutil.which("mise"):
        result = subprocess.run([mise, "where", f"{name}@{version}"], capture_output=True, text=True, check=False)
        installed = Path(result.stdout.strip())
        if result.returncode == 0 and installed.is_dir():
            found += [path for pattern in (name, f"*/{name}") for path in installed.glob(pattern)]
    return [path for path in found if path.is_file() and os.access(path, os.X_OK)]


def prints_version(binary: Path, arguments: list[str], version: str) -> bool:
    """Return whether a program prints a version."""
    try:
        result = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(re.search(rf"(?<![\w.-])v?{re.escape(version)}(?![\w.-])", result.stdout + result.stderr))
