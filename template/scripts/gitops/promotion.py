"""Promote images: run the images of one environment in the next one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitops.images import read_images, with_images
from gitops.stages import environments
from gitops.text import all_of, suggestion
from gitops.tools import GitOpsError
from gitops.tree import WORKLOADS, Tree

PREFIX = "promote/"
# The line of a commit message that lists the environments that it skips on purpose.
SKIPPED = "Skipped-environments"


@dataclass(frozen=True)
class Promotion:
    """A promotion of all images of a workload, of the images of one component, or of one image."""

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
    """Return the target's file with the source's images, and the images for which the target has no entry.

    Only the image of a sidecar or of a job may lack an entry: a component can have it in some environments only.

    Args:
        promotion: What is promoted.
        source_text: The text of the source's file.
        target_text: The text of the target's file.
        manifests: The files of its components.

    Raises:
        GitOpsError: if the promotion is not allowed or not possible.
    """
    source = read_images(source_text, promotion.file(promotion.source))
    target = read_images(target_text, promotion.file(promotion.target))
    owners = _owners(source.images, [PurePosixPath(file).stem for file in manifests])
    names = [name for name in source.images if promotion.component in ("", name, owners[name])]
    missing = [name for name in names if name not in target.images and owners[name] not in ("", name)]
    names = [name for name in names if name not in missing]
    if not names and not missing:
        raise GitOpsError(
            f"{promotion.workload} has no image {promotion.component}{suggestion(promotion.component, source.images)}"
        )
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
    """Return the component whose pods or jobs run each image; empty if it is unknown.

    `web` and `web-exporter` are images of the component `web`, unless there is a component `web-exporter`.
    """
    return {
        image: max((name for name in components if f"{image}-".startswith(f"{name}-")), key=len, default="")
        for image in images
    }


def check_names(promotion: Promotion, tree: Tree) -> list[str]:
    """Return the environments that a workload has folders for, in the order of promotion if there are answers.

    Raises:
        GitOpsError: if there is no such workload or environment.
    """
    workloads = sorted(folder.name for folder in (tree.path / WORKLOADS).glob("*") if (folder / "overlays").is_dir())
    order = environments(tree)
    folders = sorted({folder.parent.name for folder in tree.path.glob(f"{WORKLOADS}/*/overlays/*/kustomization.yaml")})
    known = order or folders
    if promotion.workload not in workloads:
        if promotion.workload in known:
            raise GitOpsError(f"{promotion.workload} is an environment: name the workload first, then <from> and <to>")
        hint = suggestion(promotion.workload, workloads) if workloads else f": {WORKLOADS} has none yet"
        raise GitOpsError(f"there is no workload {promotion.workload}{hint}")
    if promotion.source == promotion.target:
        raise GitOpsError(f"{promotion.source} is given twice: name the environment to promote from, and the next one")
    own = [file.parent.name for file in sorted(tree.path.glob(promotion.file("*")))]
    own.sort(key=lambda name: known.index(name) if name in known else len(known))
    for stage in (promotion.source, promotion.target):
        if stage not in {*known, *own}:
            raise GitOpsError(f"there is no environment {stage}{suggestion(stage, known)}")
        if stage not in own:
            where = f"it runs in {all_of(own)}" if own else "it has no overlay yet"
            raise GitOpsError(f"{promotion.workload} does not run in {stage}; {where}")
    return own


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
    own, order = check_names(promotion, tree), environments(tree)
    stages = [name for name in order if name in own]
    if not {promotion.source, promotion.target} <= set(stages):
        return []
    source, target = stages.index(promotion.source), stages.index(promotion.target)
    if source > target:
        raise GitOpsError(
            f"{promotion.target} does not come after {promotion.source} (the order is {', '.join(order)}); "
            "to roll back, use git revert"
        )
    skipped = [name for name in stages[source + 1 : target] if running is None or name in running]
    if skipped and not may_skip:
        raise GitOpsError(f"this skips {', '.join(skipped)}: promote there first, or add --skip-stages")
    return skipped


def check_merged(promotion: Promotion, revision: str, merged: str, text: str) -> None:
    """Refuse a source whose images in the working tree differ from those that run.

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
