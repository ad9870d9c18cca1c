"""Git sees everything that is rendered, created by hand, or left by an update."""

from __future__ import annotations

import pytest

from tests.support.repository import examples
from tests.support.updates.repository import Render
from tests.support.updates.versions import git

EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES)
def test_git_keeps_all_that_is_rendered_and_sees_all_that_an_update_leaves(example: str, render: Render) -> None:
    repository = render(EXAMPLES[example])
    repository.write("README.md.rej")
    assert "!! " not in git(repository.path, "status", "--porcelain", "--ignored")


def test_git_keeps_workloads_whatever_they_are_called(render: Render) -> None:
    repository = render(EXAMPLES["minimal"])
    for name in ("build", "dist", "env", "key", "kubeconfig", "kubeconfig-viewer", "secrets", "tmp", "vendor"):
        repository.write(f"apps/workloads/{name}/base/{name}.yaml")
    assert "!! " not in git(repository.path, "status", "--porcelain", "--ignored")
