"""What the go.mod files below tools/ say, and Go itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
CACHE = TOOLS.parent / ".cache"


def packages(folder: Path) -> list[str]:
    """Return the packages that the go.mod of a folder lists as tools."""
    text = (folder / "go.mod").read_text()
    blocks = re.findall(r"^tool \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return [*" ".join(blocks).split(), *re.findall(r"^tool ([^(\s]+)$", text, re.MULTILINE)]


def program(package: str) -> str:
    """Return the name that Go gives to the program of a package."""
    return re.sub(r"/v\d+$", "", package).rpartition("/")[2]


def pinned_version(package: str, folder: Path) -> str:
    """Return the version of the module that has a package, without the leading v; empty for a package of ours."""
    required = re.findall(r"^\t(\S+) v(\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    modules = [(module, version) for module, version in required if f"{package}/".startswith(f"{module}/")]
    return max(modules, default=("", ""))[1]


def downloaded(module: str, folder: Path) -> str:
    """Download a module in the version that the go.mod of a folder pins, and return where it is."""
    version = pinned_version(module, folder)
    return str(json.loads(go(folder, "mod", "download", "-json", f"{module}@v{version}"))["Dir"])


def go(folder: Path, *arguments: str, variables: dict[str, str] | None = None) -> str:
    """Run Go and return what it prints; its progress goes to the terminal."""
    command: list[str | Path] = [Path(sys.executable).with_name("go"), *arguments]
    environment = os.environ | (variables or {})
    result = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"go {' '.join(arguments)}: exit code {result.returncode}")
    return str(result.stdout)
