"""Check that the branch of a promotion changes only the images that its name refers to."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from pathlib import Path

from gitops.entries import REGULAR
from gitops.git import commit_of, copy_commit
from gitops.promotion import PREFIX, SKIPPED, Promotion, check_order, promoted
from gitops.revisions import file_at, files_at
from gitops.text import printable
from gitops.tools import GitOpsError, run

# The names of folders, environments and images in a branch name.
PART = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


def parse_branch(branch: str) -> Promotion | None:
    """Return the promotion that a branch is for; None for any other branch.

    Raises:
        GitOpsError: if the name only resembles that of a promotion: with similar letters, or with other parts.
    """
    word = PREFIX.rstrip("/")
    first = unicodedata.normalize("NFKC", branch).casefold().strip("/ ").partition("/")[0].strip()
    # Letters of another alphabet may look like these.
    if first != word and (first.isascii() or len(first) != len(word)):
        return None
    parts = branch.removeprefix(PREFIX).split("/")
    if not branch.startswith(PREFIX) or len(parts) not in (3, 4) or not all(map(PART.fullmatch, parts)):
        raise GitOpsError(
            f"{printable(branch)} is not a branch of a promotion: use {PREFIX}<workload>/<from>/<to>, or another name"
        )
    return Promotion(*parts)


def check_branch(promotion: Promotion, repository: Path, base: str, head: str) -> None:
    """Reject a branch that changes anything but the images that its name refers to.

    Raises:
        GitOpsError: if it does, if it goes back, or if it skips an environment that its commit does not name.
    """
    file = promotion.file(promotion.target)
    commits = {revision: commit_of(repository, revision) for revision in (base, head)}
    for revision, commit in commits.items():
        if not commit:
            raise GitOpsError(f"{printable(revision)} is not a commit of this clone: run git fetch")
    old, new = commits[base], commits[head]
    with tempfile.TemporaryDirectory() as folder:
        skipped = check_order(promotion, copy_commit(repository, old, Path(folder)), may_skip=True)
    trailer = f"--format=%(trailers:key={SKIPPED},valueonly)"
    stated = run("git", "log", trailer, f"{old}..{new}", folder=repository).split("\n")
    if skipped and ", ".join(skipped) not in stated:
        raise GitOpsError(
            f"this skips {', '.join(skipped)}: promote there first, or create the branch with "
            "scripts/promote.py --branch --skip-stages"
        )
    source, manifests = promotion.file(promotion.source), files_at(repository, old, promotion.manifests)
    expected, _ = promoted(promotion, file_at(repository, old, source), file_at(repository, old, file), manifests)
    changed = run("git", "diff", "--raw", "--no-renames", "--no-ext-diff", "-z", old, new, folder=repository)
    fields = changed.split("\0")[:-1]
    names = [printable(name) for name in fields[1::2] if name != file]
    if names:
        raise GitOpsError(f"a promotion changes only {file}, but this one also changes {', '.join(sorted(names))}")
    for modes in fields[::2]:
        before, after, *_, status = modes.removeprefix(":").split()
        if (before, after, status) != (REGULAR, REGULAR, "M"):
            raise GitOpsError(
                f"a promotion changes the content of {file}, and neither its type nor its mode (from {before} to "
                f"{after}): promote again: {promotion.title}"
            )
    if file_at(repository, new, file) != expected:
        raise GitOpsError(f"{file} is not what {promotion.source} runs in {base}; promote again: {promotion.title}")
