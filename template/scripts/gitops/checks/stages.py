"""Check that new overlays start with the images that run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch

from gitops.checks.types import Note, NothingToCheckError, Repository, check
from gitops.clone import followed_revision
from gitops.revisions import file_at, files_at, last_content
from gitops.stages import advice, differing, earlier, environments, images_of, overlay_file
from gitops.strictyaml import read_text
from gitops.tools import GitOpsError

PATTERN = overlay_file("*", "*")


@check("stages", "New overlays have the images of the environment before them", is_quick=True)
def stages(repository: Repository) -> Iterator[str]:
    """Find overlays that are not merged yet, and start with another image than an earlier environment runs."""
    files = [file for file in repository.tree.files if fnmatch(file, PATTERN)]
    if not files:
        raise NothingToCheckError("there is no overlay to check")
    try:
        revision, order = followed_revision(repository.tree, repository.path), environments(repository.tree)
    except GitOpsError as error:
        raise NothingToCheckError(str(error)) from None
    running = set(files_at(repository.path, revision, PATTERN))
    for file in files:
        if file not in running:
            # The check of builds reports a file that cannot be read.
            with suppress(GitOpsError):
                yield from _notes(repository, revision, file, running, order)


def _notes(repository: Repository, revision: str, file: str, running: set[str], order: list[str]) -> Iterator[Note]:
    """Compare the images of a new overlay with the environment before it, or with those before it was removed."""
    workload, target = file.split("/")[2], file.split("/")[4]
    images = images_of(read_text(repository.tree.path / file, file), file)
    for source in earlier(order, target):
        earlier_file = overlay_file(workload, source)
        if earlier_file in running:
            others = images_of(file_at(repository.path, revision, earlier_file), earlier_file)
            for image, versions in differing(images, others):
                yield Note(f"{file}: {advice(image, source, versions, workload, source, target)}")
            return
    for image, versions in differing(images, images_of(last_content(repository.path, revision, file), file)):
        yield Note(f"{file}: {image}: before it was removed, it ran {', '.join(versions)}")
