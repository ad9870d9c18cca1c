"""The scripts compute the hash in generated names like Kustomize."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.hashes import name_without_hash
from gitops.objects import parse_objects
from tests.support import engines
from tests.support.properties import up_to

TRAPS = [
    "2020-01-01",
    "12:30",
    "0o7",
    "1_000",
    "=",
    "<<",
    "y",
    "null",
    "~",
    "",
    " ",
    "1.0",
    "0x1f",
    "<&>",
    "\u2028é\U0001f600",
    "\\\"'",
]
KEYS = st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True).filter(lambda key: key.strip("."))
VALUES = st.sampled_from(TRAPS) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)


@up_to(6)
@given(data=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), binary=st.binary(max_size=4))
def test_a_generated_name_is_recognized_whatever_the_content(
    data: dict[str, str], binary: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("generated")
    files = [f"{key}={key}.file" for key in data]
    for key, value in data.items():
        (folder / f"{key}.file").write_text(value)
    (folder / "binary").write_bytes(b"\xff" + binary)
    generators = {
        "configMapGenerator": [{"name": "config", "files": [*files, "own-binary=binary"]}, {"name": "empty"}],
        "secretGenerator": [
            {"name": "secret", "files": files},
            {"name": "tls", "type": "kubernetes.io/tls", "files": files},
        ],
    }
    (folder / "kustomization.yaml").write_text(json.dumps(generators | {"namePrefix": "own-", "namespace": "any"}))
    built = parse_objects(engines._run(engines._engine("kustomize"), "build", cwd=folder), "built")
    names = sorted(name_without_hash(item) for item in built)
    assert names == ["own-config", "own-empty", "own-secret", "own-tls"]
    for item in built:
        changed = item | {"data": {"another": "value"}}
        assert name_without_hash(changed) == item["metadata"]["name"]


def test_a_name_that_looks_generated_is_an_ordinary_name() -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app-config-v2bcdfghjk"}, "data": {"a": "1"}}
    assert name_without_hash(item) == "app-config-v2bcdfghjk"
    assert name_without_hash(item | {"kind": "Deployment"}) == "app-config-v2bcdfghjk"
