"""Share answers of any size, the committed template, and timed copies among benchmarks."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from copier import run_copy

Answers = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
SIZES = (10, 30, 100)
RUNS = 3


def answers(workloads: int) -> Answers:
    """Return answers for three environments and a mix of workloads: public, of two components, without a port."""
    kinds = (
        lambda name: {"name": name, "image": f"ghcr.io/acme/{name}:1.0.0", "port": 8080},
        lambda name: {
            "name": name,
            "components": [
                {"name": "web", "image": f"ghcr.io/acme/{name}-web:1.0.0", "port": 8080, "public": True},
                {"name": "api", "image": f"ghcr.io/acme/{name}-api:1.0.0", "port": 9000, "public": False},
            ],
        },
        lambda name: {"name": name, "image": f"ghcr.io/acme/{name}:1.0.0", "args": ["--queue", name]},
    )
    return {
        "repo_url": "https://github.com/acme/platform-gitops.git",
        "domain": "example.com",
        "acm_certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-1111-2222-3333-444455556666",
        "environments": ["dev", "staging", "prod"],
        "workloads": [kinds[number % len(kinds)](f"service{number:03}") for number in range(workloads)],
    }


def snapshot(folder: Path) -> Path:
    """Copy the template as it stands in the working tree, committed, so that Copier takes it as a clean one."""
    folder.mkdir()
    shutil.copy(ROOT / "copier.yml", folder)
    for name in ("hooks", "template"):
        shutil.copytree(ROOT / name, folder / name)
    return commit(folder)


def commit(folder: Path) -> Path:
    """Make a folder a Git repository of one commit."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    for command in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message=Snapshot")):
        subprocess.run(("git", "-C", folder, *command), check=True)
    return folder


def copy(template: Path, data: Answers, target: Path) -> tuple[float, Answers]:
    """Render into a new folder; return the seconds, and all answers with what was computed from them."""
    start = time.perf_counter()
    worker = run_copy(str(template), target, data, defaults=True, quiet=True, vcs_ref="HEAD")
    return time.perf_counter() - start, dict(worker.answers.combined)
