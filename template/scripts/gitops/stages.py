"""Compare the images of new overlays with those that the previous environment runs.

The answers have the first images of a workload, and releases change them in overlays. So an overlay that is rendered
later, such as that of a new environment, can start with an outdated image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gitops.applications import Application
from gitops.builds import build_or_error
from gitops.changes import Change, Pair, Side
from gitops.objects import Object, containers, kind_and_name, load_yaml, repository_of
from gitops.strictyaml import read_text
from gitops.tools import GitOpsError
from gitops.tree import WORKLOADS, Tree

# Returns the last content of a file that was deleted; empty if it is unknown.
History = Callable[[str], str]
# Images by the entry of a kustomization, or by the container of an object.
Images = dict[str, str]


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


def images_of(text: str, name: str) -> Images:
    """Return the images that a kustomization sets, by their names there."""
    documents = load_yaml(text, name)
    entries = documents[0].get("images") if documents and isinstance(documents[0], dict) else None
    named = [entry for entry in entries or [] if isinstance(entry, dict) and entry.get("name")]
    return {str(entry["name"]): _reference(entry) for entry in named}


def differing(images: Images, others: Images) -> list[tuple[str, list[str]]]:
    """Return the images that others have only in other versions, each with these.

    A container is compared with the one of its name, since sidecars can have one image in two versions.
    """
    result = {}
    for name, image in sorted(images.items(), key=lambda entry: entry[1]):
        same = others.get(name, "")
        known = {same} if repository_of(same) == repository_of(image) else set(others.values())
        versions = sorted(other for other in known if repository_of(other) == repository_of(image))
        if versions and image not in versions:
            result[image, *versions] = (image, versions)
    return list(result.values())


def advice(image: str, place: str, versions: list[str], workload: str, source: str, target: str) -> str:
    """Return the advice for an image that differs from the one of an earlier environment."""
    return f"{image}: {place} runs {', '.join(versions)}: run scripts/promote.py {workload} {source} {target}"


def _reference(entry: dict[str, Any]) -> str:
    tag = f":{entry['newTag']}" if entry.get("newTag") is not None else ""
    digest = f"@{entry['digest']}" if entry.get("digest") else ""
    return f"{entry.get('newName') or entry['name']}{tag}{digest}"


def _images(items: Iterable[Object]) -> Images:
    return {
        f"{kind_and_name(item)}/{container.get('name')}": str(container["image"])
        for item in items
        for container in containers(item)
    }


class Stages:
    """The environments of workloads at two revisions."""

    def __init__(self, before: Tree, after: Tree, old: dict[str, Application], history: History) -> None:
        self.before = before
        self.after = after
        self.old = old
        self.history = history
        self.order = environments(after)

    def add_images(self, change: Change, pair: Pair, before: Side, after: Side) -> None:
        """Add the images of new objects, and how they differ from those of the previous environment."""
        _, new = pair
        if not new or not new.workload or change.what not in ("added", "changed"):
            return
        running = _images(before.objects.values())
        images = {name: image for name, image in _images(after.objects.values()).items() if name not in running}
        change.images = sorted(set(images.values())) if change.what == "added" else []
        predecessor = self._predecessor(change, new)
        if not predecessor:
            if change.what == "added":
                self._compare_with_history(change, new)
            return
        built = build_or_error(self.before, predecessor)
        if isinstance(built, GitOpsError):
            return
        others = _images(built)
        if change.what != "added":
            images = {n: i for n, i in images.items() if n in others and i not in running.values()}
        for image, versions in differing(images, others):
            if predecessor.name == change.renamed:
                file = overlay_file(new.workload, new.environment)
                change.outdated.append(f"{image}: {predecessor.name} runs {', '.join(versions)}: write it to {file}")
            else:
                place, names_of = predecessor.environment, (new.workload, predecessor.environment, new.environment)
                change.outdated.append(advice(image, place, versions, *names_of))

    def _predecessor(self, change: Change, new: Application) -> Application | None:
        """Return the Application that a new one continues, or that of its workload in the previous environment."""
        if change.what == "added" and change.renamed in self.old:
            return self.old[change.renamed]
        by_environment = {a.environment: a for a in self.old.values() if a.workload == new.workload}
        found = [name for name in earlier(self.order, new.environment) if name in by_environment]
        return by_environment[found[0]] if found else None

    def _compare_with_history(self, change: Change, new: Application) -> None:
        """Compare with the images that an Application ran before it was removed."""
        file = overlay_file(new.workload, new.environment)
        try:
            earlier_images = images_of(self.history(file), file)
            images = images_of(read_text(self.after.path / file, file), file) if earlier_images else {}
        except GitOpsError:
            return
        for image, versions in differing(images, earlier_images):
            change.outdated.append(f"{image}: before it was removed, it ran {', '.join(versions)}: write it to {file}")
