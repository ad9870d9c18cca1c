"""Predict what Argo CD will do, with the scripts of the rendered repository."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.cluster.api import Object
from tests.support.cluster.sandbox import Sandbox

EXPECT = """
import json, shutil, sys, tempfile
from pathlib import Path
sys.path.insert(0, "scripts")
from gitops.applications import read_applications
from gitops.builds import build
from gitops.tree import Tree
with tempfile.TemporaryDirectory() as folder:
    # Building changes the files.
    tree = Tree(Path(shutil.copytree(".", Path(folder, "copy"), ignore=shutil.ignore_patterns(".git"))), "the files")
    found = read_applications(tree)
    applications = {name: [a.manifest, build(tree, a)] for name, a in found.by_name.items()}
    print(json.dumps([applications, found.problems], default=str))
"""


class Expected(NamedTuple):
    """An Application, and the objects that it applies. Values of Secrets are hidden."""

    manifest: Object
    objects: list[Object]

    @property
    def namespace(self) -> str:
        """Return the namespace of its objects."""
        return str(self.manifest["spec"]["destination"]["namespace"])

    @property
    def namespace_labels(self) -> dict[str, str]:
        """Return the labels that it sets on its namespace."""
        managed = self.manifest["spec"]["syncPolicy"].get("managedNamespaceMetadata", {})
        return dict(managed.get("labels", {}))


def run(sandbox: Sandbox, repository: Path, *command: str) -> Any:
    """Return what a script of a rendered repository prints as JSON."""
    result = sandbox.run(sys.executable, *command, folder=repository)
    assert result.stdout, result.stderr
    return json.loads(result.stdout)


def applications(sandbox: Sandbox, repository: Path) -> dict[str, Expected]:
    """Return the Applications that the scripts expect, by name; they must have no problem with any."""
    expected, problems = run(sandbox, repository, "-c", EXPECT)
    assert problems == []
    return {name: Expected(*parts) for name, parts in expected.items()}
