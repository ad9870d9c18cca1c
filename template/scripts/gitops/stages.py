"""Compare the images of what is new with those that the environment before it runs.

Answers have the images of the first day, and releases move them in overlays. So whatever is rendered later, such as the
overlay of one more environment, starts with an image that nobody may run any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops.applications import Application
from gitops.builds import build_or_error
from gitops.changes import Change, Pair, Side
from gitops.objects import Object, containers, load_yaml, repository_of
from gitops.tools import GitOpsError
from gitops.tree import WORKLOADS, Tree

# Returns the last content of a file that is not in a revision any more; empty if that is not known.
History = Callable[[str], str]


def overlay_file(workload: str, environment: str) -> str:
    """Return the file that has the images of a workload in an environment."""
    return f"{WORKLOADS}/{workload}/overlays/{environment}/kustomization.yaml"


def environments(tree: Tree) -> list[str]:
    """Return the environments in the order of promotion; none if the repository has no answers."""
    listed = tree.answers.get("environments")
    entries = listed if isinstance(listed, list) else []
    return [str(entry.get("name") if isinstance(entry, dict) else entry) for entry in entries]


def earlier(order: list[str], environment: str) -> list[str]:
    """Return the environments before one of them, the nearest first."""
    return order[: order.index(environment)][::-1] if environment in order else []


def images_of(text: str, name: str) -> set[str]:
    """Return the images that a kustomization sets."""
    documents = load_yaml(text, name)
    entries = documents[0].get("images") if documents and isinstance(documents[0], dict) else None
    return {_reference(entry) for entry in entries or [] if isinstance(entry, dict) and entry.get("name")}


def differing(images: set[str], others: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Return the images that others have in another version only, each with theirs."""
    for image in sorted(images - others):
        versions = sorted(other for other in others if repository_of(other) == repository_of(image))
        if versions:
            yield image, versions


def advice(image: str, place: str, versions: list[str], workload: str, source: str, target: str) -> str:
    """Return what to do about an image that differs from what an earlier environment runs."""
    return f"{image}: {place} runs {', '.join(versions)}: run scripts/promote.py {workload} {source} {target}"


def _reference(entry: dict[str, Any]) -> str:
    tag = f":{entry['newTag']}" if entry.get("newTag") is not None else ""
    digest = f"@{entry['digest']}" if entry.get("digest") else ""
    return f"{entry.get('newName') or entry['name']}{tag}{digest}"


def _images(items: list[Object]) -> set[str]:
    return {str(container["image"]) for item in items for container in containers(item)}


class Stages:
    """The environments of workloads at two revisions."""

    def __init__(self, before: Tree, after: Tree, old: dict[str, Application], history: History) -> None:
        self.before = before
        self.after = after
        self.old = old
        self.history = history
        self.order = environments(after)

    def add_images(self, change: Change, pair: Pair, before: Side, after: Side) -> None:
        """Say with which images new objects start, and how they differ from what runs before them."""
        _, new = pair
        if not new or not new.workload or change.what not in ("added", "changed"):
            return
        added = {key: item for key, item in after.objects.items() if key not in before.objects}
        images = _images(list(added.values()))
        change.images = sorted(images) if change.what == "added" else []
        predecessor = self._predecessor(change, new)
        if not predecessor:
            if change.what == "added":
                self._compare_with_history(change, new, images)
            return
        built = build_or_error(self.before, predecessor)
        if isinstance(built, GitOpsError):
            return
        if change.what != "added":
            names = {(item["kind"], item["metadata"]["name"]) for item in built}
            kept = [item for item in added.values() if (item["kind"], item["metadata"]["name"]) in names]
            images = _images(kept) - _images(list(before.objects.values()))
        for image, versions in differing(images, _images(built)):
            if predecessor.name == change.renamed:
                file = overlay_file(new.workload, new.environment)
                change.outdated.append(f"{image}: {predecessor.name} runs {', '.join(versions)}: write it to {file}")
            else:
                place, names_of = predecessor.environment, (new.workload, predecessor.environment, new.environment)
                change.outdated.append(advice(image, place, versions, *names_of))

    def _predecessor(self, change: Change, new: Application) -> Application | None:
        """Return the Application that a new one continues, or that of its workload in the environment before."""
        if change.what == "added" and change.renamed in self.old:
            return self.old[change.renamed]
        by_environment = {a.environment: a for a in self.old.values() if a.workload == new.workload}
        found = [name for name in earlier(self.order, new.environment) if name in by_environment]
        return by_environment[found[0]] if found else None

    def _compare_with_history(self, change: Change, new: Application, images: set[str]) -> None:
        """Compare with what an Application ran before it was taken out."""
        file = overlay_file(new.workload, new.environment)
        try:
            earlier_images = images_of(self.history(file), file)
        except GitOpsError:
            return
        for image, versions in differing(images, earlier_images):
            change.outdated.append(f"{image}: when it was taken out, it ran {', '.join(versions)}: write it to {file}")
