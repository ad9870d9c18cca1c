"""Promote images: have an environment run the images that an earlier one runs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitops.images import read_images, with_images
from gitops.tools import GitOpsError
from gitops.tree import WORKLOADS, Tree

PREFIX = "promote/"
# The line of a commit's message that says which environments it skips on purpose.
SKIPPED = "Skipped-environments"


@dataclass(frozen=True)
class Promotion:
    """What is promoted: all images of a workload, those of one of its components, or one of them."""

    workload: str
    source: str
    target: str
    component: str = ""

    @property
    def branch(self) -> str:
        """The branch of its pull request."""
        return PREFIX + "/".join(filter(None, (self.workload, self.source, self.target, self.component)))

    @property
    def title(self) -> str:
        """The subject of its commit."""
        return f"Promote {self.component or self.workload} from {self.source} to {self.target}"

    def file(self, environment: str) -> str:
        """Return the file with the images of an environment."""
        return f"{WORKLOADS}/{self.workload}/overlays/{environment}/kustomization.yaml"

    @property
    def manifests(self) -> str:
        """The pattern of the manifests of its components, each called like its component."""
        return f"{WORKLOADS}/{self.workload}/base/*.yaml"


def promoted(
    promotion: Promotion, source_text: str, target_text: str, manifests: Collection[str]
) -> tuple[str, list[str]]:
    """Return the target's file with the images of the source's, and the images that it has no entry for.

    Only the image of a sidecar, or of a job, may lack an entry: a component may have it in one environment alone.

    Args:
        promotion: What is promoted.
        source_text: The text of the source's file.
        target_text: The text of the target's file.
        manifests: The files of its components.

    Raises:
        GitOpsError: if it must not or cannot be done.
    """
    source = read_images(source_text, promotion.file(promotion.source))
    target = read_images(target_text, promotion.file(promotion.target))
    owners = _owners(source.images, [PurePosixPath(file).stem for file in manifests])
    names = [name for name in source.images if promotion.component in ("", name, owners[name])]
    missing = [name for name in names if name not in target.images and owners[name] not in ("", name)]
    names = [name for name in names if name not in missing]
    if not names and not missing:
        raise GitOpsError(f"{promotion.workload} has no image {promotion.component}; use {_one_of(source.images)}")
    for name in names:
        if name not in target.images:
            raise GitOpsError(f"{promotion.file(promotion.target)} has no image {name}: add it there first")
        if source.images[name].is_mutable:
            raise GitOpsError(
                f"{source.images[name].reference} can be another image tomorrow: "
                f"deploy a fixed version to {promotion.source} first"
            )
    return with_images(target, source, names), missing


def _owners(images: Iterable[str], components: list[str]) -> dict[str, str]:
    """Return images, each with the component whose pods or jobs run it; empty if that is not known.

    `web` and `web-exporter` are images of the component `web`, unless there is a component `web-exporter`.
    """
    return {
        image: max((name for name in components if f"{image}-".startswith(f"{name}-")), key=len, default="")
        for image in images
    }


def check_order(promotion: Promotion, tree: Tree, may_skip: bool, running: Collection[str] | None = None) -> list[str]:
    """Return the environments that are skipped. Refuse to go back, or to skip one. Without answers there is no order.

    Args:
        promotion: What is promoted.
        tree: The files with the environments.
        may_skip: Whether environments may be skipped.
        running: The environments in which the workload runs; all that have files if it is None.

    Raises:
        GitOpsError: if the workload, an environment, or their order is wrong.
    """
    workloads = sorted(folder.name for folder in (tree.path / WORKLOADS).glob("*") if (folder / "overlays").is_dir())
    if promotion.workload not in workloads:
        raise GitOpsError(f"there is no workload {promotion.workload}{_suggestion(promotion.workload, workloads)}")
    folders = sorted(folder.parent.name for folder in tree.path.glob(promotion.file("*")))
    for stage in (promotion.source, promotion.target):
        if stage not in folders:
            raise GitOpsError(f"{promotion.workload} does not run in {stage}{_suggestion(stage, folders)}")
    environments = [e.get("name") if isinstance(e, dict) else e for e in tree.answers.get("environments") or []]
    stages = [name for name in environments if name in folders]
    if not {promotion.source, promotion.target} <= set(stages):
        return []
    source, target = stages.index(promotion.source), stages.index(promotion.target)
    if source >= target:
        raise GitOpsError(f"{promotion.target} does not come after {promotion.source}; to roll back, use git revert")
    skipped = [name for name in stages[source + 1 : target] if running is None or name in running]
    if skipped and not may_skip:
        raise GitOpsError(f"this skips {', '.join(skipped)}: promote there first, or add --skip-stages")
    return skipped


def check_merged(promotion: Promotion, revision: str, merged: str, text: str) -> None:
    """Refuse a source whose images differ from those that run.

    Args:
        promotion: What is promoted.
        revision: The revision that Argo CD follows.
        merged: The text of the source's file there.
        text: The text of the source's file in the working tree.

    Raises:
        GitOpsError: if an image differs.
    """
    file = promotion.file(promotion.source)
    images = [{i.fields["name"]: i.reference for i in read_images(t, file).images.values()} for t in (merged, text)]
    if images[0] != images[1]:
        raise GitOpsError(
            f"the images in {file} differ from {revision}: {promotion.source} runs only what is merged. "
            "Merge the change, or revert it"
        )


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else f"; use {_one_of(names)}" if names else ""


def _one_of(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
