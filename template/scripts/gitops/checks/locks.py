"""Check that the tools are locked with checksums."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from gitops.checks.types import Note, NothingToCheckError, Repository, check
from gitops.tools import GitOpsError

CONFIGURATION = "mise.toml"
LOCK = "mise.lock"
CHECKSUM = re.compile(r"(sha256|blake3):[0-9a-f]{64}")


@check("locks", "Tools are locked with checksums", is_quick=True)
def locks(repository: Repository) -> Iterator[str]:
    """Find tools that mise.lock does not pin for each platform."""
    if CONFIGURATION not in repository.all_files:
        raise NothingToCheckError(f"there is no {CONFIGURATION}")
    if LOCK not in repository.all_files:
        yield Note(f"{LOCK} is missing, so downloaded tools are not verified: run mise lock, and commit the file")
        return
    configuration, lock = _read(repository, CONFIGURATION), _read(repository, LOCK)
    try:
        platforms = configuration["settings"]["lockfile_platforms"]
        for name, version in configuration["tools"].items():
            entries = [entry for entry in lock["tools"].get(name, []) if entry["version"] == version]
            if without := [platform for platform in platforms if not any(_has_sum(e, platform) for e in entries)]:
                yield f"{LOCK}: no checksum of {name} {version} for {', '.join(without)}: run mise lock"
    except (AttributeError, KeyError, TypeError):
        yield f"{LOCK} or {CONFIGURATION} has an unknown form: restore {CONFIGURATION} from Git, and run mise lock"


def _has_sum(entry: dict[str, Any], platform: str) -> bool:
    return bool(CHECKSUM.fullmatch(entry.get(f"platforms.{platform}", {}).get("checksum", "")))


def _read(repository: Repository, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads((repository.tree.path / name).read_text(errors="replace"))
    except tomllib.TOMLDecodeError as error:
        raise GitOpsError(f"{name}: {error}") from None
