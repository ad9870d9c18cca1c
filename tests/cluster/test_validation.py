"""Our rules and the real API server agree: both accept an object, or both reject it.

The namespace has no policies and no Pod Security: only Kubernetes' own validation rejects objects there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cluster.stack import Stack
from tests.support.properties import up_to
from tests.support.repository import Document, examples, render
from tests.support.validation import bases, changes, documented, judge, patches

# It belongs to no environment, so no policy checks it.
NAMESPACE = "validation"
BATCH = 100
Compare = Callable[[list[Document]], list[str]]


@pytest.fixture(scope="module")
def compare(installed: Stack, downloads: None) -> Iterator[Compare]:
    """Return a function that compares our verdicts with the API server's, and returns the differences."""

    def compare(items: list[Document]) -> list[str]:
        placed = [item | {"metadata": item["metadata"] | {"namespace": NAMESPACE}} for item in items]
        verdicts = zip(placed, judge.refusals(placed), installed.argocd.api.refusals(*placed), strict=True)
        return [
            f"{item['kind']}: ours {ours}, the API server's {refusal!r}: {item}"
            for item, ours, refusal in verdicts
            if bool(ours) != bool(refusal)
        ]

    with installed.argocd.applied({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}):
        yield compare


def test_every_kind_is_accepted_with_all_that_it_may_have(compare: Compare) -> None:
    items = [*bases.workloads(), *bases.others()]
    assert judge.refusals(items) == [[] for _ in items]
    assert compare(items) == []


@up_to(6)
@given(seed=st.integers(0, 2**32))
def test_a_change_of_any_field_has_one_verdict(compare: Compare, seed: int) -> None:
    random, valid = Random(seed), [*bases.workloads(), *bases.others()]
    chosen = [random.choice(valid) for _ in range(BATCH)]
    assert compare([changes.changed(item, judge.schema_of(item), random) for item in chosen]) == []


@up_to(3)
@given(seed=st.integers(0, 2**32))
def test_a_patched_workload_has_one_verdict(compare: Compare, workload: Document, seed: int) -> None:
    seeds = [seed + number for number in range(BATCH)]
    with TemporaryDirectory() as folder:
        assert compare(patches.patched(workload, seeds, Path(folder))) == []


@pytest.fixture(scope="module")
def patched(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a workload that has everything that users patch."""
    answers = documented.answers(examples()["minimal"])
    return render(template, answers, tmp_path_factory.mktemp("patched") / "repository")


@pytest.fixture(scope="module")
def workload(patched: Path) -> Document:
    """Return its Deployment, with a container called tool."""
    (deployment,) = [item for item in documented.built(patched, "") if item["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["name"] = "tool"
    return deployment


def test_the_documented_patches_are_accepted(installed: Stack, patched: Path) -> None:
    items = documented.built(patched, documented.patches(patched / "docs/operations.md"))
    assert installed.argocd.api.refusals(*map(tracked, items)) == ["" for _ in items]


def tracked(item: Document) -> Document:
    """Return an object of a workload as Argo CD applies it, because the policies check that."""
    namespace = item["metadata"]["namespace"]
    identity = f"{namespace}:x/{item['kind']}:{namespace}/{item['metadata']['name']}"
    annotations = item["metadata"].get("annotations", {}) | {"argocd.argoproj.io/tracking-id": identity}
    return item | {"metadata": item["metadata"] | {"annotations": annotations}}
