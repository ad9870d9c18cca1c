"""Compare `copier update`, which adds a workload, with `copier copy`, by number of workloads."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from copier import VcsRef, run_update

from bench.common import RUNS, SIZES, Answers, answers, commit, copy, snapshot

GOAL = 3.2


def update(repository: Path, data: Answers) -> float:
    """Return the seconds of an update with other answers, at the same version of the template."""
    start = time.perf_counter()
    run_update(repository, data, vcs_ref=VcsRef.CURRENT, defaults=True, overwrite=True, quiet=True)
    return time.perf_counter() - start


def measure(template: Path, size: int, scratch: Path) -> tuple[float, float]:
    """Return the median seconds of an update that adds a workload, and of a copy. They run alternately."""
    seconds: list[float] = []
    copy_seconds: list[float] = []
    more = answers(size)
    for run in range(RUNS):
        repository = scratch / f"{size}-{run}"
        copy(template, answers(size - 1), repository)
        commit(repository)
        copy_seconds.append(copy(template, more, scratch / f"{size}-{run}-copy")[0])
        seconds.append(update(repository, {"workloads": more["workloads"]}))
    return statistics.median(seconds), statistics.median(copy_seconds)


def main() -> None:
    """Print one line per size."""
    print(f"{'workloads':>9} {'update':>8} {'copy':>8} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        template = snapshot(scratch / "template")
        copy(template, answers(1), scratch / "warm-up")
        for size in SIZES:
            seconds, copy_seconds = measure(template, size, scratch)
            print(f"{size:9} {seconds:8.2f} {copy_seconds:8.2f} {seconds / copy_seconds:6.2f}", flush=True)
    print(f"Goal: a ratio of at most {GOAL}.")


if __name__ == "__main__":
    main()
