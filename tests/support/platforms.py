"""Check portability to Linux, macOS and Windows: names, lengths of paths, line endings, shell tools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops.entries import problems_of_names

# Windows allows 260 characters. Copier clones the template into a temporary folder below the user's.
LONGEST_PATH = 180
# So a rendered repository may be in a folder of 100 characters.
LONGEST_RENDERED_PATH = 150

# Features that bash 3.2 and the tools of macOS lack.
NOT_ON_MACOS = re.compile(
    r"\b(declare|local|typeset) -[a-zA-Z]*[An]|\b(mapfile|readarray|coproc|wait -n|tac|nproc|realpath|sha256sum)\b"
    r"|\$\{\w+(,|\^|@[A-Z])|&>>|\|&|;;?&|sed (-r|-i(?!\.))|grep -\w*P|readlink -f|date -d|stat -c|xargs -r|sort -V"
)
# An empty list is an unset variable in bash 3.2.
BARE_LIST = re.compile(r'(?<!\+)"\$\{\w+\[@\]\}"')


def only_on_linux(script: str) -> list[str]:
    """Return the lines of a shell script that do not work on macOS."""
    lines = [line for line in script.splitlines() if "command -v" not in line]
    return [line for line in lines if NOT_ON_MACOS.search(line) or BARE_LIST.search(line)]


def problems_of_paths(paths: Iterable[str], longest: int) -> Iterator[str]:
    """Return the paths that Windows or macOS cannot store: invalid, conflicting or too long."""
    paths = list(paths)
    yield from problems_of_names(paths)
    yield from (f"{path}: has {len(path)} of {longest} characters" for path in paths if len(path) > longest)


def problems_of_files(folder: Path) -> list[str]:
    """Return what Windows or macOS cannot store in a repository: names, long paths, links, other line endings."""
    files = [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
    problems = list(problems_of_paths((file.relative_to(folder).as_posix() for file in files), LONGEST_RENDERED_PATH))
    problems += [f"{file}: is a symbolic link" for file in files if file.is_symlink()]
    return problems + [f"{file}: has a carriage return" for file in files if b"\r" in file.read_bytes()]
