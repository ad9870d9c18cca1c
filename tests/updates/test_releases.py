"""People and bots change images in overlays; other updates keep them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from copier import VcsRef

from tests.support.repository import examples
from tests.support.updates.repository import Answers, Render, Repository

EXAMPLES = examples()

OVERLAY = "apps/workloads/*/overlays/*/kustomization.yaml"
DIGEST = f"sha256:{'9' * 64}"


def release_all(repository: Repository) -> dict[str, Any]:
    """Change every image and replica count, and return those of each overlay."""
    runs = {}
    for path in repository.path.glob(OVERLAY):
        lines = []
        for line in path.read_text().splitlines():
            for field, value in (("newTag", "v2026.11"), ("digest", DIGEST), ("count", "7")):
                if line.startswith(f"    {field}: "):
                    line = f"    {field}: {value}"
            lines.append(line)
        file = path.relative_to(repository.path).as_posix()
        repository.write(file, "\n".join(lines) + "\n")
        runs[file] = what_runs(repository, file)
    repository.commit()
    return runs


def what_runs(repository: Repository, file: str) -> Any:
    overlay = repository.yaml(file)
    return {field: overlay.get(field) for field in ("images", "replicas")}


def other_answers(answers: Answers) -> Answers:
    """Change everything about every component except its image and replicas, and add a workload."""
    workloads = deepcopy(answers["workloads"])
    names = [environment["name"] for environment in answers["environments"]]
    for workload in workloads:
        for part in workload.get("components", [workload]):
            part["env"] = part.get("env", {}) | {"ADDED": "yes"}
            part["writable_paths"] = ["/added"]
            part.pop("health", None)
            for name in workload.get("environments", names):
                override = part.setdefault("overrides", {}).setdefault(name, {})
                override["env"] = {"ADDED": name}
                override["resources"] = {"requests": {"memory": "32Mi"}}
    workloads.insert(0, {"name": "alpha", "image": "ghcr.io/acme/alpha:1.0.0"})
    first = {"name": "first", "cluster": "nonprod"}
    return {"workloads": workloads, "environments": [first, *answers["environments"]], "ci": "none"}


@pytest.mark.parametrize("change", ["a newer version", "other answers"])
def test_an_update_keeps_what_runs(change: str, history: list[str], render: Render) -> None:
    repository = render(EXAMPLES["stages"])
    runs = release_all(repository)
    if change == "a newer version":
        repository.update(history[-1])
    else:
        repository.update(VcsRef.CURRENT, other_answers(EXAMPLES["stages"]))
    assert repository.conflicts() == set()
    assert {file: what_runs(repository, file) for file in runs} == runs


SEEDED = [
    ".github/CODEOWNERS",
    "apps/platform/external-dns/clusters/nonprod/overrides.yaml",
    "apps/platform/policies/exceptions/kustomization.yaml",
    "apps/platform/traefik/clusters/prod/overrides.yaml",
]


def test_an_update_never_changes_seeded_files(next_version: str, render: Render) -> None:
    repository = render(EXAMPLES["stages"])
    for file in SEEDED:
        assert (repository.path / file).is_file(), file
        repository.write(file, "tuned: by hand\n")
    repository.commit()
    repository.update(next_version)
    assert {file: repository.text(file) for file in SEEDED} == dict.fromkeys(SEEDED, "tuned: by hand\n")
