"""Check that an entry of `images` changes only the images of its own name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import repository_of
from gitops.stages import images_of, overlay_file
from gitops.strictyaml import read_text
from gitops.tools import GitOpsError

PATTERN = overlay_file("*", "*")
# Faster than parsing YAML, which only overlays whose names are also images need.
NAMES = re.compile(r"\b(name|newName): *[\"']?([^\s\"',}]+)")


@check("entries", "Entries of images change their own images", is_quick=True)
def entries(repository: Repository) -> Iterator[str]:
    """Find entries that replace the image of an earlier entry: Kustomize applies them one after the other."""
    files = [file for file in repository.files if fnmatch(file, PATTERN)]
    if not files:
        raise NothingToCheckError("there is no overlay to check")
    for file in files:
        # The check of builds reports a file that cannot be read.
        with suppress(GitOpsError):
            text = read_text(repository.tree.path / file, file)
            found = NAMES.findall(text)
            if {name for field, name in found if field == "name"} & {name for field, name in found if field != "name"}:
                yield from (f"{file}: {problem}" for problem in _problems(list(images_of(text, file).items())))


def _problems(images: list[tuple[str, str]]) -> Iterator[str]:
    for number, (name, image) in enumerate(images):
        for later, other in images[number + 1 :]:
            if later == repository_of(image) and other != image:
                yield (
                    f"images: {name} would run {other} in place of {image}, since the entry {later} comes later: move "
                    f"{later} above {name}, or write docker.io/library/{later} as newName of {name}"
                )
