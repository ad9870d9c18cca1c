"""List the changed files that no Application reads, and that somebody must apply by hand."""

from __future__ import annotations

from fnmatch import fnmatch

from gitops.tree import Tree

ROLES = "docs/installation.md, 3. Credentials"
REMOVAL = "docs/operations.md, Delete the AWS role of an add-on"
ACCESS = "docs/operations.md, Register a cluster"
BOTH = "apply what it adds before you merge, and what it removes after Argo CD has synced"
TERRAFORM = f"with Terraform or OpenTofu, {BOTH} ({ROLES})"
# What to do about a file that is new, changed or deleted, by the pattern of its path.
STEPS = {
    "infrastructure/policies/*/*.json": (
        f"new: create the AWS role before you merge ({ROLES})",
        f"changed: {BOTH} ({ROLES})",
        f"deleted: delete the AWS role after Argo CD has removed the add-on ({REMOVAL})",
    ),
    "infrastructure/trust/*/*.json": (
        f"new: create the AWS role before you merge ({ROLES})",
        f"changed: update the trust policy of the AWS role before you merge ({ROLES})",
        f"deleted: delete the AWS role after Argo CD has removed the add-on ({REMOVAL})",
    ),
    "infrastructure/*.tf": (f"new: {TERRAFORM}", f"changed: {TERRAFORM}", f"deleted: {TERRAFORM}"),
    "bootstrap/access-*.yaml": (
        f"new: apply it in the new cluster before you merge ({ACCESS})",
        f"changed: {BOTH} ({ACCESS})",
        f"deleted: delete its objects once nothing runs in that cluster ({ACCESS})",
    ),
}


def manual_steps(before: Tree, after: Tree, files: set[str]) -> dict[str, list[str]]:
    """Return what somebody must do by hand, each with the files that it is about.

    Args:
        before: The files of the one revision.
        after: The files of the other one.
        files: The files that differ.
    """
    steps: dict[str, list[str]] = {}
    for file in sorted(files):
        for pattern, (new, changed, deleted) in STEPS.items():
            if fnmatch(file, pattern) and file.count("/") == pattern.count("/"):
                is_there = [(tree.path / file).is_file() for tree in (before, after)]
                step = changed if all(is_there) else new if is_there[1] else deleted
                steps.setdefault(step, []).append(file)
    return steps
