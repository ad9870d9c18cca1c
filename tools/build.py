"""Provide the engines that a go.mod below tools/ pins: copy installed ones, build the others.

Usage: python -m tools.build [--tidy] <folder>, where the folder is "." or an engine such as "traefik".
With --tidy, only update go.mod and go.sum of a folder that has cuts.toml. README.md explains the folders.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tools import cuts
from tools.installed import copy_installed
from tools.modules import CACHE, TOOLS, go, packages, pinned_version, program

# The compiler ends before it has to collect its garbage, unless a package is large.
COMPILER_MEMORY = {"GOGC": "off", "GOMEMLIMIT": "1500MiB"}
BUILD_OPTIONS = ["-trimpath", "-gcflags=all=-dwarf=false"]


def main() -> None:
    """Provide the programs of a folder, and record the time."""
    *options, name = sys.argv[1:]
    folder = TOOLS / name
    if options == ["--tidy"]:
        cuts.tidy(folder)
        return
    target = CACHE / "bin" / name
    target.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    missing = [package for package in packages(folder) if not copy_installed(package, folder, target)]
    if missing:
        build(missing, folder, target)
    built = " ".join(program(package) for package in missing) or "nothing"
    note = f"{time.monotonic() - start:.0f} s, built {built}"
    (target / ".built").write_text(f"{note}\n")
    print(f"{folder.relative_to(TOOLS.parent)}: {note}", flush=True)


def build(missing: list[str], folder: Path, target: Path) -> None:
    """Build packages from source, after applying cuts.toml."""
    print(f"{folder.relative_to(TOOLS.parent)}: building {' '.join(map(program, missing))}", flush=True)
    source = cuts.prepared(folder) if (folder / "cuts.toml").exists() else folder
    flags = ["-ldflags", f"-s -w {linker_variables(folder)}"]
    go(source, "build", *BUILD_OPTIONS, *flags, "-o", f"{target}/", *missing, variables=COMPILER_MEMORY)


def linker_variables(folder: Path) -> str:
    """Return the linker flags that set the version of Kubernetes, which charts and clients read."""
    if folder.name != "kubernetes":
        return ""
    version = pinned_version("k8s.io/kubernetes", folder)
    values = {"gitVersion": f"v{version}", "gitMajor": version.split(".")[0], "gitMinor": version.split(".")[1]}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())


if __name__ == "__main__":
    main()
