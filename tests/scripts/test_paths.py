"""Every field of Kustomize that takes a path: nothing in it is executed or fetched, by any of the scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops import kustomizations, references
from gitops.checks import State, run
from gitops.comparison import compare
from gitops.git import copy_commit, copy_working_tree
from tests.support.hostile import CONFIG_MAP, OVERLAY, Traps, hostile_paths, repository, traps, write
from tests.support.kustomizefields import IN_KUSTOMIZATIONS, IN_PLUGINS, SHAPES


def in_kustomization(name: str, form: str, path: str) -> dict[str, str]:
    """Return the files of an overlay whose kustomization has a path in a field."""
    return {"kustomization.yaml": json.dumps({"resources": ["plain.yaml"]} | {name: SHAPES[form](path)})}


def in_plugin(kind: str, name: str, form: str, path: str) -> dict[str, str]:
    """Return the files of an overlay with a transformer that has a path in a field."""
    field = "generators" if kind.endswith("Generator") else "transformers"
    plugin = {"apiVersion": "builtin", "kind": kind, "metadata": {"name": "any"}, name: SHAPES[form](path)}
    return {
        "kustomization.yaml": json.dumps({"resources": ["plain.yaml"], field: ["plugin.yaml"]}),
        "plugin.yaml": json.dumps(plugin),
    }


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("hostile") / "clone")


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traps]:
    with traps(tmp_path_factory.mktemp("traps")) as result:
        yield result


def assert_refused(clone: Path, trap: Traps, files: dict[str, str], what: str) -> None:
    """Assert that both scripts reject an overlay, and that nothing is executed or fetched."""
    write(clone / OVERLAY, {"plain.yaml": CONFIG_MAP} | files)
    states = {result.id: result for result in run(clone, only=["local", "builds"])}
    assert states["local"].state is State.FAILED, what
    assert states["builds"].state is State.FAILED, what
    assert all(": not built: " in problem for problem in states["builds"].problems), states["builds"].problems
    report = compare(copy_commit(clone, "HEAD", folder(clone, "b")), copy_working_tree(clone, folder(clone, "a")))
    assert report.status == 2, what
    assert any(": not built: " in problem for problem in report.problems), report.problems
    assert trap.sprung == [], what


def folder(clone: Path, name: str) -> Path:
    """Return a new empty folder beside the clone."""
    number = len(list(clone.parent.iterdir()))
    result = clone.parent / f"{name}-{number}"
    result.mkdir()
    return result


@pytest.fixture(autouse=True)
def _cleaned(clone: Path) -> Iterator[None]:
    yield
    for file in (clone / OVERLAY).iterdir():
        file.unlink()


@pytest.mark.parametrize(("name", "form"), IN_KUSTOMIZATIONS)
def test_no_field_of_a_kustomization_leads_out_of_the_repository(
    clone: Path, trap: Traps, name: str, form: str
) -> None:
    for what, path in hostile_paths(trap, clone).items():
        (clone / OVERLAY / "link.yaml").unlink(missing_ok=True)
        (clone / OVERLAY / "link.yaml").symlink_to("plain.yaml")
        assert_refused(clone, trap, in_kustomization(name, form, path), f"{name}: {what}")


@pytest.mark.proof
@pytest.mark.parametrize(("kind", "name", "form"), IN_PLUGINS)
def test_no_field_of_a_transformer_leads_out_of_the_repository(
    clone: Path, trap: Traps, kind: str, name: str, form: str
) -> None:
    for what, path in hostile_paths(trap, clone).items():
        assert_refused(clone, trap, in_plugin(kind, name, form, path), f"{kind}.{name}: {what}")


OTHER_FILES = {
    "another name of the file": {"kustomization.yml": '{"resources": ["PATH"]}'},
    "two files": {"kustomization.yaml": '{"resources": ["plain.yaml"]}', "Kustomization": '{"resources": ["PATH"]}'},
    "another case": {"kustomization.yaml": '{"Resources": ["PATH"]}'},
    "a letter that folds to another": {"kustomization.yaml": '{"re\u017fources": ["PATH"]}'},
    "another case below": {"kustomization.yaml": '{"resources": ["plain.yaml"], "patches": [{"PATH": "PATH"}]}'},
    "a key twice": {"kustomization.yaml": "resources: [plain.yaml]\nresources: [PATH]\n"},
    "a second document": {"kustomization.yaml": "resources: [plain.yaml]\n---\nresources: [PATH]\n"},
    "a merge key": {"kustomization.yaml": "metadata: &a\n  name: x\n<<: *a\nresources: [plain.yaml]\n"},
    "a tag": {"kustomization.yaml": "resources: !!set {plain.yaml}\n"},
    "a line break of Unicode": {"kustomization.yaml": "resources: [plain.yaml] # x\u2028components: [PATH]\n"},
    "an inline transformer": {
        "kustomization.yaml": json.dumps(
            {"resources": ["plain.yaml"], "transformers": ["apiVersion: builtin\nkind: PatchTransformer\npath: PATH\n"]}
        )
    },
    "a generated transformer": {
        "kustomization.yaml": '{"resources": ["plain.yaml"], "transformers": ["."]}',
    },
    "a transformer of somebody else": {
        "kustomization.yaml": '{"resources": ["plain.yaml"], "transformers": ["plugin.yaml"]}',
        "plugin.yaml": '{"apiVersion": "example.com/v1", "kind": "Own", "metadata": {"name": "own"}}',
    },
    "a chart": {
        "kustomization.yaml": '{"resources": ["plain.yaml"], "helmCharts": [{"name": "x", "repo": "PATH"}]}',
    },
    "a list that is none": {"kustomization.yaml": '{"resources": "plain.yaml"}'},
    "no text": {"kustomization.yaml": '{"resources": [1]}'},
    "no map": {"kustomization.yaml": "[resources]"},
    "nothing": {"kustomization.yaml": ""},
    "no YAML": {"kustomization.yaml": "{"},
    "an endless alias": {"kustomization.yaml": "resources: &a [*a]\n"},
    "a flood of aliases": {
        "kustomization.yaml": "resources: [bomb.yaml]\n",
        "bomb.yaml": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    },
}


@pytest.mark.parametrize("what", OTHER_FILES)
def test_what_is_read_differently_or_not_at_all_is_refused(clone: Path, trap: Traps, what: str) -> None:
    (clone / OVERLAY / "kustomization.yaml").unlink(missing_ok=True)
    files = {name: text.replace('"PATH"]', f'"{trap.url}/a.yaml"]') for name, text in OTHER_FILES[what].items()}
    files = {name: text.replace("[PATH]", f"[{trap.url}/a.yaml]") for name, text in files.items()}
    assert_refused(clone, trap, files, what)


GOOD_PATHS = {
    "resources": ["plain.yaml", "./more.yaml", "part"],
    "components": ["component/"],
    "patches": [{"path": "patch.yaml"}, {"patch": CONFIG_MAP}],
    "configMapGenerator": [{"name": "made", "files": ["key=data.bin", "data.bin"], "literals": ["url=https://x.y/?a"]}],
    "transformers": ["labels.yaml"],
}


def test_paths_in_the_repository_are_built(clone: Path, trap: Traps, tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": json.dumps(GOOD_PATHS),
        "plain.yaml": CONFIG_MAP,
        "more.yaml": CONFIG_MAP.replace("plain", "more"),
        "patch.yaml": CONFIG_MAP.replace("value", "patched"),
        "data.bin": "*a & *b",
        "labels.yaml": '{"apiVersion": "builtin", "kind": "LabelTransformer", "metadata": {"name": "any"}}',
        "part/kustomization.yml": "resources: [part.yaml]\n",
        "part/part.yaml": CONFIG_MAP.replace("plain", "part"),
        "component/Kustomization": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: a-\n",
    }
    write(tmp_path / OVERLAY, files)
    built = kustomizations.build(tmp_path, tmp_path / OVERLAY, "evil-dev")
    assert sorted(item["metadata"]["name"].rpartition("-made-")[0] or item["metadata"]["name"] for item in built) == [
        "a",
        "a-more",
        "a-part",
        "a-plain",
    ]


def test_another_workload_is_out_of_reach(tmp_path: Path) -> None:
    write(tmp_path, {"apps/workloads/shop/base/kustomization.yaml": "namePrefix: a\n"})
    write(tmp_path / OVERLAY, {"kustomization.yaml": "resources: [../../../shop/base]\n"})
    (problem,) = references.read(tmp_path, OVERLAY).problems
    assert "../../../shop/base is outside apps/workloads/evil: copy it there" in problem


def test_only_the_bootstrap_names_a_manifest_elsewhere_and_only_the_known_one(tmp_path: Path) -> None:
    known = "https://raw.githubusercontent.com/argoproj/argo-cd/v3.6.1/manifests/install.yaml"
    for folder, url, problems in (
        ("bootstrap/argocd", known, 0),
        ("bootstrap/argocd", f"{known}?ref=x", 1),
        ("bootstrap/argocd", known.replace("argoproj", "mallory"), 1),
        ("bootstrap/other", known, 1),
    ):
        write(tmp_path, {f"{folder}/kustomization.yaml": f"resources: ['{url}']\n"})
        assert len(references.read(tmp_path, folder).problems) == problems, url
