"""Run the real mise, which npm has for Linux on x86-64."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support import engines

MISE = engines.CACHE / "npm/node_modules/@jdxcode/mise-linux-x64/bin/mise"


def need_mise() -> None:
    """Skip a test where npm has no mise."""
    if not MISE.exists():
        pytest.skip("mise comes from npm for Linux on x86-64 only")


def mise_variables(repository: Path, home: Path) -> dict[str, str]:
    """Return variables with which mise runs tasks of a repository, with the tools on the path and no download."""
    settings = {"OFFLINE": "1", "AUTO_INSTALL": "0", "TASK_RUN_AUTO_INSTALL": "0", "TRUSTED_CONFIG_PATHS": repository}
    path = f"{Path(sys.executable).parent}:{engines.CACHE / 'bin'}:{os.environ['PATH']}"
    return {f"MISE_{name}": str(value) for name, value in settings.items()} | {"HOME": str(home), "PATH": path}
