"""Another add-on is a folder, an entry in the table, and its name in lists. Everything else is derived."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.argocd import applications, objects
from tests.support.own_checks import Validate
from tests.support.repository import Repository, examples, render, snapshot

# The same chart again, under another name and in a shared namespace.
ADDON = "second-dns"
CHART = {
    "chart": "external-dns",
    "repository": "https://kubernetes-sigs.github.io/external-dns/",
    "version": "1.22.0",
    "namespace": "kube-system",
}
ENTRY = {
    "description": "Records of a second zone",
    "optional": True,
    "requests": {"cpu": 10, "memory": 64, "pods": 1},
    "kinds": ["Service", "ServiceAccount", "apps/Deployment"],
    "cluster_kinds": {
        "apiextensions.k8s.io/CustomResourceDefinition": ["*.externaldns.k8s.io"],
        "rbac.authorization.k8s.io/ClusterRole": [f"{ADDON}-external-dns"],
        "rbac.authorization.k8s.io/ClusterRoleBinding": [f"{ADDON}-external-dns-viewer"],
    },
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the template with an additional add-on."""
    template = snapshot(tmp_path_factory.mktemp("extended"))
    folder = template / "template/apps/platform" / ADDON
    cluster = folder / f"clusters/[% yield cluster from model.clusters_of['{ADDON}'] %][[ cluster.name ]][% endyield %]"
    cluster.mkdir(parents=True)
    (folder / "addon.yaml").write_text("".join(f"{key}: {value}\n" for key, value in CHART.items()))
    (folder / "values.yaml").write_text("provider:\n  name: aws\npolicy: upsert-only\n")
    for name in ("values.yaml", "overrides.yaml"):
        (cluster / name).write_text("{}\n")
    table = template / "hooks/addons.json"
    table.write_text(json.dumps(json.loads(table.read_text()) | {ADDON: ENTRY}))
    schema = template / "hooks/answers.schema.json"
    schema.write_text(
        after(
            schema.read_text(),
            '"addon": {\n      "type": "string",\n      "x-repair": "lower",\n      "enum": [',
            f'"{ADDON}", ',
        )
    )
    left_out = f"""  - "[% if '{ADDON}' not in model.addon_names %]/apps/platform/{ADDON}[% endif %]"\n"""
    settings = template / "copier.yml"
    settings.write_text(after(settings.read_text(), "_exclude:\n", left_out))
    return template


def after(text: str, place: str, addition: str) -> str:
    """Return a text with an addition after a place that occurs once."""
    assert text.count(place) == 1
    return text.replace(place, f"{place}{addition}")


@pytest.fixture(scope="module")
def repository(extended: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return the example with two clusters, rendered from it."""
    answers = examples()["stages"] | {"addons": [ADDON]}
    return Repository("extended", render(extended, answers, tmp_path_factory.mktemp("repository") / "r"), answers)


def test_a_further_add_on_runs_in_every_cluster_and_passes_the_repositorys_checks(
    repository: Repository, validate: Validate
) -> None:
    created = [app for app in applications(repository).values() if app.spec["project"] == ADDON]
    assert {(app.name, app.cluster, app.namespace) for app in created} == {
        (f"{ADDON}-{cluster['name']}", cluster["name"], "kube-system") for cluster in repository.clusters
    }
    assert all(objects(repository, app) for app in created)
    assert validate(repository.path) == {}


def test_a_namespace_that_an_add_on_shares_gets_no_labels(repository: Repository) -> None:
    """A Pod Security label on kube-system would stop the pods of the cluster itself."""
    for app in applications(repository).values():
        if app.namespace == "kube-system":
            assert "managedNamespaceMetadata" not in app.spec["syncPolicy"]
    kinds = repository.one(f"argo/projects/{ADDON}.yaml")["spec"]["clusterResourceWhitelist"]
    assert "Namespace" not in {entry["kind"] for entry in kinds}


def test_a_further_add_on_changes_no_other_file_but_those_that_name_all_add_ons(
    repository: Repository, stages: Repository
) -> None:
    own = {file for file in repository.files if ADDON in str(file)}
    assert {*repository.files} - own == {*stages.files}
    changed = {
        str(file) for file in stages.files if (repository.path / file).read_bytes() != (stages.path / file).read_bytes()
    }
    assert changed == {
        ".copier-answers.schema.json",  # Which names the answers may have.
        ".copier-answers.yml",
        "apps/platform/policies/base/own.yaml",
        "bootstrap/access-nonprod.yaml",  # What Argo CD may do in the other cluster.
        "bootstrap/preflight.sh",
        "README.md",
        "docs/sizing.md",
        "renovate.json5",
    }


def test_a_further_add_on_is_left_out_where_it_is_not_chosen(
    extended: Path, stages: Repository, tmp_path: Path
) -> None:
    path = render(extended, stages.answers, tmp_path / "repository")
    files = {file.relative_to(path) for file in path.rglob("*") if file.is_file()}
    assert files == {*stages.files}
    changed = {str(file) for file in files if (path / file).read_bytes() != (stages.path / file).read_bytes()}
    # The names that the answers may have, and the template's path.
    assert changed == {".copier-answers.schema.json", ".copier-answers.yml"}


def test_a_folder_inside_a_clusters_folder_is_no_application(stages: Repository, tmp_path: Path) -> None:
    """Argo CD's file patterns match slashes: it would look for a cluster of that name, and the set would fail."""
    path = Path(shutil.copytree(stages.path, tmp_path / "repository"))
    component = path / "apps/platform/policies/clusters/prod/component/kustomization.yaml"
    component.parent.mkdir()
    component.write_text("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n")
    assert applications(Repository("nested", path, stages.answers)).keys() == applications(stages).keys()
