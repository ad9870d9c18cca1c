"""The real Traefik stops attacks by anonymous clients, each a file in tests/attacks/requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster.way_in import CLIENT, WayIn
from tests.support.repository import ROOT

ATTACKS = sorted((ROOT / "tests/attacks/requests").glob("*.yaml"))


def read(file: Path, host: str) -> dict[str, Any]:
    """Return an attack on a host."""
    return dict(yaml.safe_load(file.read_text().replace("HOST", host).replace("CLIENT", CLIENT)))


@pytest.mark.parametrize("file", ATTACKS, ids=lambda file: file.stem)
def test_a_request_does_no_harm(way_in: WayIn, file: Path) -> None:
    way = way_in.ways[0]
    attack = read(file, way.host)
    request, arrives = attack["request"], attack.get("arrives", {})
    answer = way_in.get(way.host, request.get("path", "/"), headers=request.get("headers"))
    assert answer.status == attack.get("refused", 200), f"{attack['about']} {answer}"
    assert answer.headers.items() >= attack.get("answer", {}).get("headers", {}).items()
    # The application returns the request in JSON.
    assert answer.headers.get("content-type") == (None if "refused" in attack else "application/json")
    if arrives:
        assert answer.json["path"] == arrives.get("path", answer.json["path"])
        seen = {name: ", ".join(values) for name, values in answer.json["headers"].items()}
        assert seen.items() >= arrives.get("headers", {}).items()
        assert {name.lower() for name in seen}.isdisjoint(map(str.lower, arrives.get("absent", [])))
