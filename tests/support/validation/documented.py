"""Apply the patches in docs/operations.md to a workload with the fields that they change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.support import engines

Object = dict[str, Any]


def patches(page: Path) -> str:
    """Return the patches of a page below the heading about patching a generated workload."""
    section = page.read_text().partition("## Patch a generated workload\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    return str(block)


def answers(given: Object) -> Object:
    """Return answers with a workload that has everything that the documented patches change."""
    environment = {"DB_HOST": "db.local", "DEBUG": "true"}
    fields = {"env": environment, "health": "/healthz", "writable_paths": ["/scratch"]}
    return given | {"workloads": [given["workloads"][0] | fields]}


def built(repository: Path, block: str) -> list[Object]:
    """Return the objects of the only workload in its first environment, with patches that name `<component>`."""
    overlay, *_ = sorted(repository.glob("apps/workloads/*/overlays/*"))
    kustomization = overlay / "kustomization.yaml"
    original = kustomization.read_text()
    assert "\npatches:" not in original
    kustomization.write_text(original + block.replace("<component>", overlay.parts[-3]))
    try:
        return engines.kustomize_build(overlay)
    finally:
        kustomization.write_text(original)
