"""Compare scripts/validate.py with plain Kustomize builds of all overlays, by number of workloads."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.common import RUNS, SIZES, answers, commit, copy, snapshot
from tests.support.cluster.world import shell

GOAL = 1.5


def build_all(repository: Path, environment: dict[str, str]) -> float:
    """Return the seconds that all builds take."""

    def build(folder: Path) -> None:
        subprocess.run(["kustomize", "build", folder], env=environment, check=True, stdout=subprocess.DEVNULL)

    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(build, repository.glob("apps/workloads/*/overlays/*")))
    return time.perf_counter() - start


def validate(repository: Path, environment: dict[str, str]) -> float:
    """Return the seconds that validation takes."""
    start = time.perf_counter()
    command: list[str | Path] = [sys.executable, repository / "scripts/validate.py"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print one line per size."""
    print(f"{'workloads':>9} {'validate':>8} {'builds':>8} {'ratio':>6}   goal {GOAL}")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        template = snapshot(scratch / "template")
        (scratch / "world").mkdir()
        with shell(scratch / "world") as environment:
            for size in SIZES:
                repository = scratch / str(size)
                copy(template, answers(size), repository)
                commit(repository)
                pairs = [(validate(repository, environment), build_all(repository, environment)) for _ in range(RUNS)]
                seconds, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
                print(f"{size:9} {seconds:8.2f} {bare:8.2f} {seconds / bare:6.2f}", flush=True)


if __name__ == "__main__":
    main()
