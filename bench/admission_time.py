"""Compare the times of API requests with and without the admission policies."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.common import RUNS, snapshot
from tests.support import engines, policies
from tests.support.cases import minimal
from tests.support.cluster import layout, sandbox
from tests.support.cluster.stack import Stack
from tests.support.repository import Repository, render

REQUESTS = 100
OBJECTS: dict[str, dict[str, Any]] = {
    "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tool"}},
    "Service": policies.service(),
    "Deployment": policies.maker(),
}


def request_ms(stack: Stack, item: dict[str, Any]) -> float:
    """Return the median milliseconds of a request."""
    times = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        (complaints,) = stack.argocd.api.objections(item, manager="bench")
        times.append(time.perf_counter() - start)
        assert not complaints, complaints
    return statistics.median(times) * 1000


def main() -> None:
    """Print one line per kind."""
    if reason := sandbox.missing():
        sys.exit(f"No clusters on this machine: {reason}")
    answers = minimal()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        scratch = Path(temporary)
        rendered = render(snapshot(scratch / "template"), answers, scratch / "rendered")
        stack = Stack(scratch / "stack", Repository("bench", rendered, answers))
        try:
            folder, *_ = sorted((rendered / layout.policies("")).iterdir())
            found = engines.kustomize_build(folder)
            labels = {"pod-security.kubernetes.io/enforce": "restricted", "environment": "dev"}
            stack.argocd.apply(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tool-dev", "labels": labels}}
            )
            print(f"{'request':>12} {'without':>8} {'with':>8} {'ratio':>6}   median ms")
            for kind, item in OBJECTS.items():
                tracked = {"argocd.argoproj.io/tracking-id": f"tool-dev:x/{kind}:tool-dev/tool"}
                placed = item | {"metadata": item["metadata"] | {"namespace": "tool-dev", "annotations": tracked}}
                pairs = []
                for _ in range(RUNS):
                    without = request_ms(stack, placed)
                    with stack.argocd.applied(*found):
                        # The API server takes policies into account after a moment.
                        time.sleep(2)
                        pairs.append((without, request_ms(stack, placed)))
                    time.sleep(2)
                bare, policed = (statistics.median(side) for side in zip(*pairs, strict=True))
                print(f"{kind:>12} {bare:8.2f} {policed:8.2f} {policed / bare:6.2f}", flush=True)
        finally:
            stack.close()


if __name__ == "__main__":
    main()
