"""Check that protected files have a code owner. It only notes problems, since people decide who owns what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from gitops.checks.types import Note, Repository, check
from gitops.codeowners import CodeOwners, read_github, read_gitlab
from gitops.tree import PLATFORM, ROOT, WORKLOADS, Tree

# Where each service looks for the file: the first that exists counts.
GITHUB = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
GITLAB = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
# A change of one of these can change every cluster, or disable the checks.
FOLDERS = (".github/", ".gitlab/", f"{ROOT}/", "bootstrap/", f"{PLATFORM}/policies/", f"{PLATFORM}/", "scripts/")
FILES = (".gitlab-ci.yml", "CODEOWNERS", "docs/CODEOWNERS", "mise.lock", "mise.toml", "renovate.json5")


@check("owners", "What is protected has a code owner", is_quick=True)
def owners(repository: Repository) -> Iterator[str]:
    """Find protected files that everyone with merge rights can change."""
    name, code_owners = _code_owners(repository.tree)
    environments = _protected_environments(repository.tree)
    without = {
        area
        for file in repository.all_files
        if (area := _area(file, environments)) and not (code_owners and code_owners.has_owner(file))
    }
    if without:
        subject = f"{name} names no owner" if name else "There is no CODEOWNERS file, and so no owner"
        yield Note(
            f"{subject} of {', '.join(sorted(without))}. "
            "Everyone with merge rights can change these: docs/operations.md, Who approves what"
        )


def _code_owners(tree: Tree) -> tuple[str, CodeOwners | None]:
    """Return the file that counts, and its rules."""
    is_gitlab = ".gitlab-ci.yml" in tree.files
    read: Callable[[str], CodeOwners] = read_gitlab if is_gitlab else read_github
    for name in GITLAB if is_gitlab else GITHUB:
        if name in tree.files:
            return name, read((tree.path / name).read_text(errors="replace"))
    return "", None


def _protected_environments(tree: Tree) -> set[str]:
    """Return the environments whose ApplicationSet preserves workloads when it is deleted."""
    return {
        str(item["metadata"]["name"]).removeprefix("workloads-")
        for item in tree.root_objects
        if item.get("kind") == "ApplicationSet"
        and item["spec"].get("syncPolicy", {}).get("preserveResourcesOnDeletion")
    }


def _area(file: str, environments: set[str]) -> str:
    """Return how a message names the place of a protected file; empty if it is not protected."""
    if file in FILES:
        return file
    parts = PurePosixPath(file).parts
    if file.startswith(f"{WORKLOADS}/"):
        # The overlay of every environment builds on the folders beside it.
        folder, environment = "".join(f"{part}/" for part in parts[3:-1][:1]), "".join(parts[4:-1][:1])
        if folder != "overlays/":
            return f"{WORKLOADS}/*/{folder}"
        return f"{WORKLOADS}/*/overlays/{environment}/" if environment in environments else ""
    return next((folder for folder in FOLDERS if file.startswith(folder)), "")
