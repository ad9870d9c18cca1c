"""Check what Git stores besides the content of files: names, modes, links, submodules and attributes.

Argo CD rejects or interprets some of them, and a review of the content does not show it.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitops.text import printable

REGULAR, EXECUTABLE, LINK, SUBMODULE, SPECIAL = "100644", "100755", "120000", "160000", "special"
# Folders that Argo CD builds from.
BUILT = ("apps", "argo", "bootstrap")
# Folders without executable and hidden files.
PLAIN = ("apps", "argo", "bootstrap/argocd")
# The only hidden file that no tool interprets.
KEPT = ".gitkeep"
OVERRIDES = re.compile(r"\.argocd-(source.*\.yaml|allow-concurrency)")
ATTRIBUTES = re.compile(
    r"-?(text|diff|merge|binary|delta|whitespace)|!\w+|text=auto|eol=(lf|crlf)|(diff|merge|whitespace)=[\w,-]+"
    r"|-?(linguist|gitlab)-[\w-]+(=\S+)?"
)
LARGE = re.compile(rb"version https://git-lfs\.github\.com/spec/")
# Argo CD skips files in argo/ that contain this text, and evaluates files with these suffixes.
SKIPPED = b"+argocd:skip-file-rendering"
JSONNET = (".jsonnet", ".libsonnet")

# Names that Windows reserves for devices, with any extension, and characters that it does not allow.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]|[. ]$')


@dataclass(frozen=True)
class Entry:
    """An entry of Git: a file, a link or a submodule.

    Attributes:
        name: Its path from the root of the repository.
        mode: Its mode as Git writes it, or `special` for what Git cannot store.
        content: Returns its content, or the target of a link.
    """

    name: str
    mode: str
    content: Callable[[], bytes]

    @property
    def is_readable(self) -> bool:
        """Whether it is an ordinary file with an ordinary name."""
        return self.mode in (REGULAR, EXECUTABLE) and self.is_named_plainly

    @property
    def is_named_plainly(self) -> bool:
        """Whether its name means the same on every platform."""
        is_path = not any(part.lower() in ("", ".", "..", ".git") for part in self.name.split("/"))
        return is_path and printable(self.name) == self.name and "\\" not in self.name

    @property
    def overrides(self) -> bool:
        """Whether Argo CD reads it in place of the Application's own fields."""
        return bool(OVERRIDES.fullmatch(PurePosixPath(self.name).name))


def problems(entry: Entry) -> Iterator[str]:
    """Return why an entry must not be in a repository that Argo CD reads."""
    name = printable(entry.name)
    path = PurePosixPath(entry.name)
    if not entry.is_named_plainly:
        yield f"{name}: the name has a part or a character that is not allowed, such as a line break: rename it"
    if entry.overrides:
        yield f"{name}: Argo CD reads this instead of the Application: delete it, and change the kustomization"
    elif _is_below(path, PLAIN) and any(part.startswith(".") for part in path.parts) and path.name != KEPT:
        yield f"{name}: hidden files are not allowed in {path.parts[0]}/: delete it, or rename it"
    if entry.mode == LINK:
        yield from _problems_of_link(entry, name, path)
    elif entry.mode == SUBMODULE or path.name == ".gitmodules":
        yield f"{name}: submodules are not allowed: copy the files that you need"
    elif entry.mode == SPECIAL:
        yield f"{name}: this is neither a file nor a folder: delete it"
    elif entry.mode not in (REGULAR, EXECUTABLE):
        yield f"{name}: Git's mode {entry.mode} is not allowed here"
    elif entry.mode == EXECUTABLE and _is_below(path, PLAIN):
        yield f"{name}: files in {path.parts[0]}/ must not be executable: run git update-index --chmod=-x, or chmod -x"
    if entry.is_readable:
        yield from _problems_of_content(entry, name, path)


def problems_of_names(names: Iterable[str]) -> Iterator[str]:
    """Return the names that Windows or macOS cannot store, alone or together."""
    spellings: dict[str, str] = {}
    for name in sorted(
        {place.as_posix() for file in names for place in (PurePosixPath(file), *PurePosixPath(file).parents)}
    ):
        part = name.rpartition("/")[2]
        if part and (DEVICE.fullmatch(part) or NOT_ON_WINDOWS.search(part)) and name != ".":
            yield f"{name}: Windows cannot store this name, so a clone there fails: rename it"
        other = spellings.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            yield f"{name}: macOS and Windows cannot store both this and {other}: rename one of them"


def _is_below(path: PurePosixPath, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _problems_of_link(entry: Entry, name: str, path: PurePosixPath) -> Iterator[str]:
    target = entry.content().decode("utf-8", "replace")
    shown = printable(target)
    if _is_below(path, BUILT):
        yield f"{name}: symbolic links are not allowed in {path.parts[0]}/ (it points to {shown}): copy the file"
        return
    # Argo CD's rule: no part of the path leaves the repository. One such link stops all applications.
    place = path.parent.as_posix()
    for part in [""] if target.startswith("/") else target.split("/"):
        place = posixpath.normpath(f"{place}/{part}") if part else ".." if target.startswith("/") else place
        if place == ".." or place.startswith("../"):
            yield (
                f"{name}: the link points outside the repository, to {shown}: Argo CD stops all applications; delete it"
            )
            return


def _problems_of_content(entry: Entry, name: str, path: PurePosixPath) -> Iterator[str]:
    if path.name == ".gitattributes":
        for number, line in enumerate(entry.content().decode("utf-8", "replace").splitlines(), 1):
            pattern, *attributes = line.split() or [""]
            unknown = [a for a in attributes if not ATTRIBUTES.fullmatch(a)]
            if not pattern.startswith("#") and (unknown or pattern.startswith(("[attr]", '"'))):
                shown = printable(unknown[0] if unknown else pattern)
                yield f"{name}:{number}: remove {shown}: Argo CD would not read the content that the checks read"
    if _is_below(path, BUILT) and LARGE.match(entry.content()):
        yield f"{name}: Git LFS is not supported: commit the file itself"
    if path.is_relative_to("argo"):
        if path.suffix in JSONNET:
            yield f"{name}: Jsonnet is not supported in argo/: commit the YAML that it generates"
        if SKIPPED in entry.content():
            yield f"{name}: remove {SKIPPED.decode()}: Argo CD would skip this file"
