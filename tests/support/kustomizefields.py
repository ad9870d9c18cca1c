"""Find the fields of Kustomize that take a path in the table of the scripts, with the form of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops.kustomizefields import KUSTOMIZATION, PLUGINS, Rule
from gitops.tools import GitOpsError

Shape = Callable[[str], Any]
# Every form in which a field of Kustomize can have a path.
SHAPES: dict[str, Shape] = {
    "{}": lambda path: path,
    "[{}]": lambda path: [path],
    "path: {}": lambda path: {"path": path},
    **{f"[{name}: {{}}]": lambda path, name=name: [{name: path}] for name in ("path", "env")},  # type: ignore[misc]
    **{f"[{name}: [{{}}]]": lambda path, name=name: [{name: [path]}] for name in ("files", "envs")},  # type: ignore[misc]
    "[files: [key={}]]": lambda path: [{"files": [f"key={path}"]}],
}


def places(rules: dict[str, Rule]) -> Iterator[tuple[str, str]]:
    """Return the fields of a table that take a path, with the form of each."""
    for name, rule in rules.items():
        for form, shape in SHAPES.items():
            try:
                paths = [reference.path for reference in rule(name, shape("PATH"))]
            except GitOpsError:
                continue
            if paths == ["PATH"]:
                yield name, form


IN_KUSTOMIZATIONS = list(places(KUSTOMIZATION))
IN_PLUGINS = [(kind, *place) for kind, rules in PLUGINS.items() for place in places(rules)]
