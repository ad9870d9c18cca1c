"""Values of any type: the scripts report the problem, exit with the right status, and never crash."""

from __future__ import annotations

import copy
import json
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops import checks
from gitops.tools import unreadable
from tests.support.checkout import Checkout
from tests.support.hostile import CHECKS, FILES, OVERLAY, URL, application, repository
from tests.support.properties import up_to

SET = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "ApplicationSet",
    "metadata": {"name": "workloads", "annotations": {"a": "b"}},
    "spec": {
        "goTemplate": True,
        "generators": [{"git": {"repoURL": URL, "revision": "main", "directories": [{"path": "apps/workloads/*/o"}]}}],
        "syncPolicy": {"applicationsSync": "create-update"},
        "template": application("{{ .path.basename }}", "{{ .path.path }}"),
    },
}
PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "dev"},
    "spec": {"sourceRepos": ["*"], "destinations": [{"name": "*", "namespace": "*"}]},
}
ROUTE = {
    "apiVersion": "traefik.io/v1alpha1",
    "kind": "IngressRoute",
    "metadata": {"name": "route", "labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["x/y"]},
    "spec": {"routes": [{"match": "Host(`a.b`)", "kind": "Rule", "services": [{"name": "a", "port": 80}]}]},
}
ANSWERS = {"clusters": [{"name": "main", "kubernetes_version": "1.36"}], "environments": [{"name": "dev"}]}
DOCUMENTS: dict[str, Any] = {
    "argo/evil.yaml": json.loads(FILES["argo/evil.yaml"]),
    "argo/project.yaml": PROJECT,
    "argo/set.yaml": SET,
    f"{OVERLAY}/kustomization.yaml": {"resources": ["plain.yaml"], "images": [{"name": "a"}], "patches": []},
    f"{OVERLAY}/plain.yaml": ROUTE,
    ".copier-answers.yml": ANSWERS,
}
ODD: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    "\n",
    "../..",
    "-o",
    "{{ .x }}",
    [],
    [[]],
    [None],
    {},
    {"x": {}},
    {"": None},
    "a" * 999,
]
TEXTS = [
    "",
    "\x00",
    "\ufeffa: b",
    "- ",
    "a: &a [*a]",
    "[" * 5000,
    "{" * 5000,
    "a: 2001-13-45",
    "? {a: b}\n: c",
    "\ud7ff",
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of every value in a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in pairs for place in places(child, (*path, key)))]


@st.composite
def odd_files(draw: st.DrawFn) -> dict[str, bytes]:
    """Return files; one has a value of another type, or is not YAML."""
    name = draw(st.sampled_from(sorted(DOCUMENTS)))
    texts = {file: json.dumps(document).encode() for file, document in DOCUMENTS.items()}
    if draw(st.integers(0, 9)):
        holder = [copy.deepcopy(DOCUMENTS[name])]
        path: tuple[Any, ...] = (0, *draw(st.sampled_from(places(holder[0]))))
        *parents, last = path
        parent: Any = holder
        for key in parents:
            parent = parent[key]
        parent[last] = draw(st.sampled_from(ODD))
        texts[name] = json.dumps(holder[0]).encode()
    else:
        texts[name] = draw(st.sampled_from(TEXTS).map(lambda text: text.encode()) | st.binary(max_size=50))
    return texts


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("odd") / "clone")


@up_to(400)
@given(files=odd_files())
def test_no_value_of_any_type_ends_in_a_traceback(clone: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (clone / name).write_bytes(content)
    results = checks.run(clone, only=CHECKS)
    assert {result.id for result in results} == set(CHECKS)
    report = Checkout(clone, {}).script("blast_radius.py", "HEAD")
    assert report.returncode in (0, 1, 2), report.stderr
    if any(result.problems for result in results if result.id in ("files", "local", "builds")):
        assert report.returncode != 0, report.stdout
        assert "Nothing changes in any cluster." not in report.stdout
    assert "Traceback" not in report.stdout + report.stderr


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (TypeError("'int' object is not iterable"), "a file may have a value of the wrong type; check what changed"),
        (KeyError("spec"), "a file may have a value of the wrong type; check what changed"),
        (BrokenProcessPool("a process was killed"), "this may have nothing to do with your files; run it again"),
        (MemoryError(), "this may have nothing to do with your files; run it again"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_unexpected_error_blames_a_file_only_if_one_may_cause_it(error: Exception, advice: str) -> None:
    message = unreadable(error)
    assert message.startswith(f"unexpected {type(error).__name__} in ")
    assert advice in message
