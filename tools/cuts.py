"""Build engines in part: README.md has the reasons."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

from tools.modules import CACHE, downloaded, go


def prepared(folder: Path) -> Path:
    """Copy a go.mod and the modules in cuts.toml into the cache, and apply the cuts there.

    A pattern that matches nothing is an error: the new version of the engine needs new cuts.
    """
    source = CACHE / "src" / folder.name
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(folder, source)
    for number, (module, files) in enumerate(tomllib.loads((folder / "cuts.toml").read_text()).items()):
        copy = source / f"module-{number}"
        copy_module(module, folder, copy)
        for name, patterns in files.items():
            cut(copy / name, patterns)
        go(source, "mod", "edit", f"-replace={module}=./{copy.name}")
    return source


def tidy(folder: Path) -> None:
    """Update the requirements of an engine to what its source needs after the cuts."""
    source = prepared(folder)
    go(source, "mod", "tidy", "-e")  # Tests of modules may need modules that were cut.
    modules = tomllib.loads((folder / "cuts.toml").read_text())
    for module in modules:
        go(source, "mod", "edit", f"-dropreplace={module}")
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(source / name, folder / name)
    for module in modules:
        downloaded(module, folder)  # This puts its checksum back into go.sum.


def copy_module(module: str, folder: Path, copy: Path) -> None:
    """Copy a module, writable, with our replacements of packages.

    Leave out its requirements, because the go.mod of the folder lists all versions. Otherwise Go would read the go.mod
    of every module that the cuts made unnecessary.
    """
    original = downloaded(module, folder)
    shutil.copytree(original, copy, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("*_test.go"))
    for directory in [copy, *(path for path in copy.rglob("*") if path.is_dir())]:
        directory.chmod(0o755)
    kept = re.findall(r"^(?:module|go) .*$", (copy / "go.mod").read_text(), re.MULTILINE)
    (copy / "go.mod").write_text("\n".join(kept) + "\n")
    ours = folder / "replaced" / module
    for package in {file.parent for file in ours.rglob("*.go")}:
        destination = copy / package.relative_to(ours)
        shutil.rmtree(destination)
        shutil.copytree(package, destination)


def cut(file: Path, patterns: list[str]) -> None:
    """Delete all matches of regular expressions from a file. Each must match at least once."""
    text = file.read_text()
    for pattern in patterns:
        text, count = re.subn(pattern, "", text, flags=re.MULTILINE)
        if not count:
            raise SystemExit(f"cuts.toml: {pattern!r} matches nothing in {file}")
    file.write_text(text)
