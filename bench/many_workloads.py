"""Count what Argo CD builds for a commit to one of many workloads, with and without manifest-generate-paths.

A commit to one workload must build that workload only. A test proves it; this benchmark shows the savings.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.common import commit, snapshot
from tests.support.cluster import layout, sandbox
from tests.support.cluster.builds import Builds
from tests.support.cluster.scaling import scale
from tests.support.cluster.stack import Stack
from tests.support.repository import Repository, examples, render

ANNOTATION = "argocd.argoproj.io/manifest-generate-paths"
ENVIRONMENTS = ("dev", "prod")
WORKLOADS = 50
# A long interval, for slow machines.
POLL_SECONDS = 120
QUIET_SECONDS = 10


def answers() -> dict[str, Any]:
    """Return answers for workloads of which nothing but their number matters: without a port, they need no route."""
    workloads = [{"name": f"w{n:02}", "image": "example.com/worker:1.0.0", "replicas": 1} for n in range(WORKLOADS)]
    return examples()["minimal"] | {"environments": list(ENVIRONMENTS), "workloads": workloads}


@contextmanager
def running() -> Iterator[Stack]:
    """Start a cluster with all workloads in it."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as temporary:
        template = snapshot(Path(temporary) / "template")
        repository = commit(render(template, answers(), Path(temporary) / "rendered"))
        scale(repository, ["main"], 0)
        folder = Path(temporary) / "stack"
        stack = Stack(folder, Repository("many", repository, answers()), poll_seconds=POLL_SECONDS)
        try:
            stack.install()
            stack.settle()
            yield stack
        finally:
            stack.close()


def release(stack: Stack, workload: str, version: int) -> tuple[int, set[str], float]:
    """Release one workload to dev; return the builds, what was built, and the seconds until all were compared."""
    builds, file = Builds(stack, QUIET_SECONDS), layout.kustomization(workload, "dev")
    stack.checkout.edit(file, f'newTag: "{version}"', f'newTag: "{version + 1}"')
    start = time.monotonic()
    stack.publish(f"Release {workload} {version + 1} to dev")
    stack.settle()
    seconds = time.monotonic() - start
    return builds.number(), builds.applications(), seconds


def without_annotation(stack: Stack) -> None:
    """Take the annotation out of the sets of workloads, and wait until no Application has it."""
    for environment in ENVIRONMENTS:
        file = stack.checkout.work / layout.workloads_set(environment)
        text = re.sub(rf"^ +{ANNOTATION}: .*\n", "        unused: annotation\n", file.read_text(), flags=re.MULTILINE)
        file.write_text(text)
    stack.publish("Do without the annotation")

    def is_gone() -> bool:
        items = [i for name, i in stack.argo.applications.items() if name.endswith(ENVIRONMENTS)]
        return not any(ANNOTATION in item["metadata"].get("annotations", {}) for item in items)

    stack.until("no workload has the annotation", is_gone)
    stack.settle()


def main() -> None:
    """Print one line with the annotation, and one without."""
    if reason := sandbox.missing():
        sys.exit(f"no clusters on this machine: {reason}")
    print(
        f"{'annotation':>12} {'builds':>8} {'built':>8} {'seconds':>8}   of {WORKLOADS * len(ENVIRONMENTS)} workloads"
    )
    with running() as stack:
        for version, label in ((1, "with"), (2, "without")):
            if label == "without":
                without_annotation(stack)
            number, built, seconds = release(stack, "w07", version)
            print(f"{label:>12} {number:8} {len(built):8} {seconds:8.1f}", flush=True)


if __name__ == "__main__":
    main()
