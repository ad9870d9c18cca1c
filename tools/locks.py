"""Lock what rendered repositories download: Python packages of the scripts, and the tools in mise.toml, with checksums.

Usage: python -m tools.locks [--check]

Without an option it writes the locks, for which it needs PyPI and GitHub. --check names what is missing in them, and
needs no network. `make release` runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.modules import CACHE, TOOLS

TEMPLATE = TOOLS.parent / "template"
MISE = CACHE / "npm/node_modules/@jdxcode/mise-linux-x64/bin/mise"
INDEX = "https://pypi.org/simple"
PACKAGES = "https://files.pythonhosted.org/packages/"
HEADER = re.compile(r"^# /// script\n(?P<lines>(?:#.*\n)+?)# ///$", re.MULTILINE)
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


def main() -> int:
    """Write the locks or check them, and return the exit status."""
    if sys.argv[1:] != ["--check"]:
        write()
    problems = [*script_problems(TEMPLATE / "scripts"), *tool_problems(TEMPLATE)]
    print("\n".join(problems) or "Every lock is complete.")
    return 1 if problems else 0


def write() -> None:
    """Write every lock anew."""
    # A mirror that this machine uses must not get into the locks.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "MISE_"))}
    uv = Path(sys.executable).with_name("uv")
    for script in sorted((TEMPLATE / "scripts").glob("*.py")):
        subprocess.run([uv, "lock", "--no-config", "--quiet", "--script", script], check=True, env=environment)
    subprocess.run(
        [MISE, "lock"], cwd=TEMPLATE, check=True, env=environment | {"MISE_TRUSTED_CONFIG_PATHS": str(TEMPLATE)}
    )


def header(script: Path) -> dict[str, Any]:
    """Return what a script says of its dependencies."""
    match = HEADER.search(script.read_text())
    return tomllib.loads(re.sub(r"^# ?", "", match["lines"], flags=re.MULTILINE)) if match else {}


def normalized(requirement: str) -> str:
    """Write the name of a package as locks do."""
    name, operator, version = requirement.partition("==")
    return re.sub(r"[-_.]+", "-", name).lower() + operator + version


def script_problems(folder: Path) -> Iterator[str]:
    """Find scripts that do not pin their dependencies, or whose lock is missing, incomplete or of another index."""
    for script in sorted(folder.glob("*.py")):
        wanted, lock = header(script), script.with_name(f"{script.name}.lock")
        dependencies = wanted.get("dependencies", [])
        yield from (f"{script.name}: pin {name} with ==" for name in dependencies if "==" not in name)
        if not lock.exists():
            yield f"{lock.name} is missing: run make locks"
            continue
        content = tomllib.loads(lock.read_text())
        locked = [entry["name"] + entry.get("specifier", "") for entry in content["manifest"]["requirements"]]
        if sorted(locked) != sorted(map(normalized, dependencies)) or content["requires-python"] != wanted.get(
            "requires-python"
        ):
            yield f"{lock.name} is of another header of {script.name}: run make locks"
        for package in content["package"]:
            if package["source"] != {"registry": INDEX}:
                yield f"{lock.name}: {package['name']} does not come from {INDEX}"
            for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]:
                if not CHECKSUM.fullmatch(file.get("hash", "")) or not file["url"].startswith(PACKAGES):
                    yield f"{lock.name}: {file['url']} has no checksum, or is not below {PACKAGES}"


def tool_problems(folder: Path) -> Iterator[str]:
    """Find tools of mise.toml that mise.lock does not pin with a checksum for each platform."""
    lock = folder / "mise.lock"
    if not lock.exists():
        yield "mise.lock is missing: run make locks on a machine that reaches GitHub"
        return
    configuration = tomllib.loads((folder / "mise.toml").read_text())
    entries = tomllib.loads(lock.read_text()).get("tools", {})
    for name, version in configuration["tools"].items():
        (entry, *others) = entries.get(name, [{}])
        if others or entry.get("version") != version:
            yield f"mise.lock does not have exactly {name} {version}: run make locks"
            continue
        for platform in configuration["settings"]["lockfile_platforms"]:
            asset = entry.get(f"platforms.{platform}", {})
            if not CHECKSUM.fullmatch(asset.get("checksum", "")) or not asset.get("url", "").startswith("https://"):
                yield f"mise.lock has no checksum of {name} {version} for {platform}"


if __name__ == "__main__":
    sys.exit(main())
