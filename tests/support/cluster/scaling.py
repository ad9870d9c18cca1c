"""Scale time: where only order and overlap matter, a copy of a rendered repository waits seconds, not minutes.

The ratios do not change, and tests/rendering/test_figures.py asserts the real figures.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.support.cluster import layout

# Traefik's pods must be ready for 60 s, and take up to 180 s to stop: 1 to 3.
MIN_READY_SECONDS, GRACE_SECONDS = 2, 6
# The first pause between Argo CD's attempts; each is twice as long as the one before.
PAUSE, SCALED_PAUSE = "10s", "1s"


def scale(repository: Path, clusters: list[str], min_ready_seconds: int) -> None:
    """Scale the pauses between Argo CD's attempts, and the time that Traefik's pods must be ready."""
    for file in sorted((repository / "argo").rglob("*.yaml")):
        text = re.sub(rf"(?m)^( +duration: ){PAUSE}$", rf"\g<1>{SCALED_PAUSE}", file.read_text())
        file.write_text(text)
    for cluster in clusters:
        tune_traefik(repository, cluster, {"deployment": {"minReadySeconds": min_ready_seconds}})


def tune_traefik(repository: Path, cluster: str, values: dict[str, object]) -> None:
    """Write values into the file with users' settings of Traefik."""
    (repository / layout.overrides("traefik", cluster)).write_text(yaml.safe_dump(values))
