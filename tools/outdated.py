"""Print which pinned GitHub actions and tools of mise.toml are behind, or are not what they name. Needs a network.

python -m tools.outdated
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKFLOWS = (".github/workflows", "template/.github/workflows")
PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v[\d.]+)$", re.MULTILINE)
VERSION = re.compile(r"refs/tags/(?:[a-z]+/)?(v?\d+\.\d+\.\d+)(\^\{\})?$")
TIMEOUT_SECONDS = 60
MISE = "template/mise.toml"
# The repositories whose tags are the versions of tools.
REPOSITORIES = {
    "dyff": "homeport/dyff",
    "editorconfig-checker": "editorconfig-checker/editorconfig-checker",
    "gitleaks": "gitleaks/gitleaks",
    "helm": "helm/helm",
    "kubeconform": "yannh/kubeconform",
    "kustomize": "kubernetes-sigs/kustomize",
    "kyverno": "kyverno/kyverno",
    "pre-commit": "pre-commit/pre-commit",
    "uv": "astral-sh/uv",
    "yamlfmt": "google/yamlfmt",
}


def released(repository: str, tags: str = "v*") -> dict[str, str]:
    """Return the commits of the versions that a repository of GitHub has, by version.

    Raises:
        subprocess.CalledProcessError: if GitHub cannot be reached.
    """
    command = ["git", "ls-remote", "--tags", f"https://github.com/{repository}", tags]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS).stdout
    commits = {}
    # An annotated tag has two lines: the tag, then its commit.
    for commit, name in (line.split("\t") for line in output.splitlines()):
        if match := VERSION.fullmatch(name):
            commits[match[1]] = commit
    return commits


def numbers(version: str) -> list[int]:
    """Return the numbers of a version, to compare it with others."""
    return [int(part) for part in version.removeprefix("v").split(".")]


def problems(root: Path) -> list[str]:
    """Return a line for each pin that is behind, or whose commit is not that of its version."""
    pins = {
        (match["action"], match["commit"], match["version"])
        for folder in WORKFLOWS
        for file in (root / folder).glob("*.y*ml*")
        for match in PIN.finditer(file.read_text())
    }
    lines = []
    for action, commit, version in sorted(pins):
        commits = released(action)
        newest = max(commits, key=numbers)
        if commits.get(version) != commit:
            lines.append(f"{action}: {commit} is not {version}")
        if newest != version:
            lines.append(f"{action}: {version} is pinned, {newest} is current ({commits[newest]})")
    return lines


def tool_problems(root: Path) -> list[str]:
    """Return a line for each tool of mise.toml that is behind, or whose version was never released."""
    lines = []
    for name, version in tomllib.loads((root / MISE).read_text())["tools"].items():
        # A repository may have several programs: the tags of kustomize begin with its name.
        tags = "kustomize/v*" if name == "kustomize" else "*"
        versions = sorted({known.removeprefix("v") for known in released(REPOSITORIES[name], tags)}, key=numbers)
        if version not in versions:
            lines.append(f"{name}: {version} is not a version of {REPOSITORIES[name]}")
        elif versions[-1] != version:
            lines.append(f"{name}: {version} is pinned, {versions[-1]} is current")
    return lines


if __name__ == "__main__":
    behind = [*problems(ROOT), *tool_problems(ROOT)]
    print("\n".join(behind) or "Every pinned action and tool is current.")
    sys.exit(bool(behind))
