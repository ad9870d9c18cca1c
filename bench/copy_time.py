"""Compare `copier copy` with a trivial template, by number of workloads. The difference is the cost of our logic.

The trivial template has our file names, so it writes the same files to the same paths. But each file is one line, and
the model that the names read is given as data. Both run in this process, in turn: Python's start and Copier's imports,
equal for both, would only flatter the ratio.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

import yaml

from bench.common import RUNS, SIZES, Answers, answers, commit, copy, snapshot

GOAL = 1.15


def trivial(template: Path, folder: Path) -> Path:
    """Copy a template's settings and file names, with one line in each file and no questions."""
    shutil.copytree(template / "template", folder / "template")
    for file in (folder / "template").rglob("*"):
        if file.is_file():
            file.write_text("one: line\n")
    settings = yaml.safe_load((template / "copier.yml").read_text())
    kept = ("_envops", "_exclude", "_min_copier_version", "_skip_if_exists", "_subdirectory", "_templates_suffix")
    (folder / "copier.yml").write_text(yaml.safe_dump({name: settings[name] for name in kept if name in settings}))
    return commit(folder)


def written(folder: Path) -> set[Path]:
    """Return the relative paths of all files in a folder."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def measure(ours: Path, plain: Path, data: Answers, scratch: Path) -> tuple[int, float, float]:
    """Return the number of files and the median seconds of our template and of the trivial one, which ran in turn."""
    seconds: list[float] = []
    plain_seconds: list[float] = []
    for run in range(RUNS):
        here, there = scratch / f"ours-{run}", scratch / f"plain-{run}"
        taken, computed = copy(ours, data, here)
        seconds.append(taken)
        plain_seconds.append(copy(plain, computed, there)[0])
        assert written(here) == written(there), "the trivial template writes other files"
    return len(written(here)), statistics.median(seconds), statistics.median(plain_seconds)


def main() -> None:
    """Print one line per size."""
    print(f"{'workloads':>9} {'files':>6} {'seconds':>8} {'trivial':>8} {'ratio':>6}   each further workload")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        ours = snapshot(scratch / "ours")
        plain = trivial(ours, scratch / "trivial")
        copy(ours, answers(1), scratch / "warm-up")
        before: tuple[int, int, float] | None = None
        for size in SIZES:
            (folder := scratch / str(size)).mkdir()
            files, seconds, plain_seconds = measure(ours, plain, answers(size), folder)
            line = f"{size:9} {files:6} {seconds:8.2f} {plain_seconds:8.2f} {seconds / plain_seconds:6.2f}"
            if before:
                more = size - before[0]
                line += f"   {(files - before[1]) / more:.1f} files, {(seconds - before[2]) / more * 1000:.0f} ms"
            print(line, flush=True)
            before = size, files, seconds
    print(f"Goal: a ratio of at most {GOAL}, and the same time for each further workload.")


if __name__ == "__main__":
    main()
