"""Report moves of the root application: if it cannot read the new place, no later commit can move it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitops.admission import Notice
from gitops.objects import parse_objects
from gitops.projects import normalized_url
from gitops.revisions import file_of
from gitops.tools import GitOpsError
from gitops.tree import ROOT, Tree


def moves(before: Tree, after: Tree, places: set[str], clone: Path | None) -> Iterator[Notice]:
    """Return notices if Argo CD moves to another repository, branch or cluster.

    Args:
        before: One revision.
        after: The other one.
        places: The clusters of the Applications before.
        clone: A clone of the repository, to look for the branch.
    """
    own = after.argocd_cluster
    if before.argocd_cluster != own and own in places:
        text = f"Argo CD would mistake the cluster that it runs in for {own}, and sync neither of the two."
        fix = "Move it as docs/operations.md says, Move Argo CD to another cluster. A revert fixes this."
        yield Notice(f"{text} {fix}", heals=False, is_serious=True)
    try:
        old, new = before.root_source, after.root_source
    except GitOpsError:
        # The builds report this.
        return
    if normalized_url(old["repoURL"]) != normalized_url(new["repoURL"]):
        text = f"From now on Argo CD reads {new['repoURL']}: it must have this commit, and Argo CD must have access."
        yield Notice(f"{text} Push a revert to both repositories.", heals=False, is_serious=False)
    branches = old.get("targetRevision"), new.get("targetRevision")
    if branches[0] != branches[1]:
        is_there = clone is not None and _follows_itself(clone, str(branches[1]))
        text = f"From now on Argo CD reads the branch {branches[1]} instead of {branches[0]}."
        text += (
            ""
            if is_there
            else " If that branch lacks this commit, no later one can fix it: push it there before you merge."
        )
        yield Notice(f"{text} Push a revert to both branches.", heals=False, is_serious=not is_there)


def _follows_itself(clone: Path, branch: str) -> bool:
    """Whether a branch exists, and its root application follows it."""
    for revision in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
        for item in parse_objects(file_of(clone, revision, f"{ROOT}/root-application.yaml"), revision):
            source = item.get("spec", {}).get("source", {})
            if source.get("path") == ROOT and source.get("targetRevision") == branch:
                return True
    return False
