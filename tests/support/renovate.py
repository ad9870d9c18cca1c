"""Run the real Renovate without a network: return what it finds in a repository, and what it would open."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import engines
from tests.support.checkout import committed
from tests.support.repository import render

RENOVATE = engines.CACHE / "npm/node_modules/renovate"
ANSWERS = Path(__file__).with_name("renovate_answers.mjs")
# RE2 is a faster engine. Without a token, Renovate does not query GitHub.
HARMLESS = {"RE2 not usable, falling back to RegExp", "GitHub token is required for some dependencies"}
Found = dict[str, dict[str, list[dict[str, Any]]]]
Releases = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Update:
    """A pull request that Renovate would open.

    Attributes:
        file: The file that it changes.
        dependency: The dependency that it updates.
        version: The new version, or the kind of update if only a digest changes.
        is_pending: Whether it waits, without a branch.
        branch: The branch of its request.
    """

    file: str
    dependency: str
    version: str
    is_pending: bool
    branch: str


def node(script: Path, *arguments: str | Path, folder: Path, stdin: str = "", **variables: str) -> str:
    """Run a JavaScript file and return what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
    command = [Path(sys.executable).with_name("node"), script, *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment | variables, input=stdin, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr
    return result.stdout


def _run(path: Path, until: str, **variables: str) -> list[dict[str, Any]]:
    output = node(RENOVATE / "dist/renovate.js", "--platform=local", f"--dry-run={until}", folder=path, **variables)
    entries = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    problems = {entry["msg"] for entry in entries if entry["level"] >= 40} - HARMLESS
    # It logs this for a release without a timestamp.
    assert not {problem for problem in problems if "releaseTimestamp" not in problem}, problems
    return entries


def extract(path: Path) -> Found:
    """Return what Renovate finds in a repository: dependencies by manager and file."""
    (files,) = [entry["packageFiles"] for entry in _run(path, "extract") if "packageFiles" in entry]
    return {manager: {f["packageFile"]: f["deps"] for f in found} for manager, found in files.items()}


def look_up(path: Path, releases: Releases) -> tuple[Found, list[Update]]:
    """Return the dependencies that Renovate looks up in a repository, and what it would open.

    Args:
        path: The repository.
        releases: The releases of each package with their timestamps. Renovate gets a timestamp only where its data
            source can read one.
    """
    variables = {"RENOVATE_FOLDER": str(RENOVATE), "RENOVATE_RELEASES": json.dumps(releases)}
    token = {"RENOVATE_GITHUB_COM_TOKEN": "token", "NODE_OPTIONS": f"--import={ANSWERS}"}
    entries = _run(path, "lookup", **variables, **token)
    (files,) = [entry["config"] for entry in entries if entry["msg"] == "packageFiles with updates"]
    found: Found = {}
    for manager, package_files in files.items():
        found[manager] = {f["packageFile"]: [d for d in f["deps"] if not d.get("skipReason")] for f in package_files}
    return found, list(_updates(found))


def _updates(found: Found) -> Iterator[Update]:
    for files in found.values():
        for file, dependencies in files.items():
            for dependency in dependencies:
                for update in dependency["updates"]:
                    is_digest = update["updateType"] == "digest"
                    version = "digest" if is_digest else str(update["newValue"])
                    is_pending = bool(update.get("pendingChecks"))
                    yield Update(file, dependency["depName"], version, is_pending, update["branchName"])


def published(template: Path, answers: dict[str, Any], path: Path) -> Path:
    """Render a repository as if from the template's URL, and commit it."""
    file = render(template, answers, path) / ".copier-answers.yml"
    text = re.sub(r"^_(commit|src_path):.*\n", "", file.read_text(), flags=re.MULTILINE)
    file.write_text(f"{text}_commit: v1.0.0\n_src_path: https://github.com/acme/template.git\n")
    return committed(path)


def next_version(version: str) -> str:
    """Return the version after another one."""
    if "-rc." in version:
        return version.partition("-rc.")[0]
    return re.sub(r"\d+(?=\D*$|-)", lambda match: str(int(match[0]) + 1), version, count=1)


def _release(dependency: dict[str, Any], version: str) -> str:
    """Return the published name of a version."""
    pattern = dependency.get("extractVersion", "^(?<version>.+)$")
    return re.sub(r"\(\?<version>.+\)", version, pattern.strip("^$")).replace("\\", "").replace("?", "")


def releases_of(found: Found, timestamp: str) -> Releases:
    """Return one newer release of every dependency, published at a given time."""
    releases: Releases = {}
    for files in found.values():
        for dependency in (d for dependencies in files.values() for d in dependencies if d.get("currentValue")):
            known = releases.setdefault(str(dependency["packageName"]), {})
            version = str(dependency["currentValue"])
            known[_release(dependency, version)] = "2020-01-01T00:00:00Z"
            known[_release(dependency, next_version(version))] = timestamp
    return releases
