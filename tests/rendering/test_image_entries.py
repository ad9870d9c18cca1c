"""Each program runs the image of its answer, even if a component has the name of another's image."""

from __future__ import annotations

from pathlib import Path

from tests.support import engines
from tests.support.cases import cases
from tests.support.repository import render

CASE = "images-called-like-components"


def test_no_entry_replaces_the_image_of_another_one(template: Path, tmp_path: Path) -> None:
    (case,) = (case for case in cases("valid") if case.name == CASE)
    (workload,) = case.answers["workloads"]
    expected = {part["name"]: part["image"] for part in workload["components"]}
    expected |= {own["name"]: own["image"] for part in workload["components"] for own in part.get("sidecars", [])}
    path = render(template, case.answers, tmp_path / "repository")
    built = engines.kustomize_build(path / f"apps/workloads/{workload['name']}/overlays/dev")
    pods = [item["spec"]["template"]["spec"] for item in built if item["kind"] == "Deployment"]
    containers = [c for pod in pods for c in pod["containers"] + pod.get("initContainers", [])]
    assert {container["name"]: container["image"] for container in containers} == expected
