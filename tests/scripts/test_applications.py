"""Applications as Argo CD generates them: from Git directories and files, lists, and matrices of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops import builds, generators, gotemplates
from gitops.applications import Application, read_applications
from gitops.tools import GitOpsError
from gitops.tree import Tree

URL = "https://github.com/acme/platform.git"
Object = dict[str, Any]
Write = Callable[[dict[str, str]], Tree]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files, and return the tree that has them and a root application."""

    def tree(files: dict[str, str]) -> Tree:
        source = {"repoURL": URL, "path": "argo"}
        root = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "root"},
            "spec": {"source": source},
        }
        for name, text in ({"argo/root.yaml": json.dumps(root)} | files).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Tree(tmp_path, "working tree")

    return tree


def git(**settings: Any) -> Object:
    return {"git": {"repoURL": URL, "revision": "main"} | settings}


def directories(*patterns: str, **settings: Any) -> Object:
    return git(directories=[{"path": pattern} for pattern in patterns], **settings)


def files(*patterns: str, **settings: Any) -> Object:
    return git(files=[{"path": pattern} for pattern in patterns], **settings)


def matrix(first: Object, second: Object) -> Object:
    return {"matrix": {"generators": [first, second]}}


def application_set(generator: Object, template: Object) -> str:
    spec = {"goTemplate": True, "generators": [generator], "template": template}
    item = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"}, "spec": spec}
    return json.dumps(item)


ADDONS = {
    "apps/platform/traefik/addon.yaml": "chart: traefik\nversion: 41.3.0\n",
    "apps/platform/traefik/clusters/nonprod/values.yaml": "",
    "apps/platform/traefik/clusters/prod/values.yaml": "",
    "apps/platform/policies/clusters/prod/kustomization.yaml": "",
}
PLACES = directories("apps/platform/*/clusters/*", pathParamPrefix="place")
ADDON = files("apps/platform/{{ index .place.path.segments 2 }}/addon.yaml")


def test_a_matrix_reads_the_file_that_each_directory_names(write: Write) -> None:
    template = {
        "metadata": {"name": "{{ index .place.path.segments 2 }}-{{ .place.path.basename }}"},
        "spec": {"source": {"chart": "{{ .chart }}", "targetRevision": "{{ .version }}"}},
    }
    tree = write(ADDONS | {"argo/set.yaml": application_set(matrix(PLACES, ADDON), template)})
    applications = read_applications(tree)
    sources = {name: application.sources for name, application in applications.by_name.items() if name != "root"}
    assert sources == {
        f"traefik-{cluster}": [{"chart": "traefik", "targetRevision": "41.3.0"}] for cluster in ("nonprod", "prod")
    }
    assert (applications.problems, applications.unavailable) == ([], [])


def test_a_matrix_takes_its_path_from_the_second_generator_where_only_that_has_no_prefix(write: Write) -> None:
    (first, _) = generators.parameters_of(write(ADDONS), matrix(PLACES, ADDON))
    assert first["place"]["path"]["path"] == "apps/platform/traefik/clusters/nonprod"
    assert first["path"] == {
        "path": "apps/platform/traefik",
        "basename": "traefik",
        "basenameNormalized": "traefik",
        "segments": ["apps", "platform", "traefik"],
        "filename": "addon.yaml",
        "filenameNormalized": "addon.yaml",
    }


def test_the_first_generator_of_a_matrix_wins_unless_its_value_is_empty(write: Write) -> None:
    first = {"list": {"elements": [{"a": "1", "b": "", "map": {"x": "1"}}]}}
    second = {"list": {"elements": [{"a": "2", "b": "2", "map": {"x": "2", "y": "{{ .a }}"}}]}}
    assert generators.parameters_of(write({}), matrix(first, second)) == [
        {"a": "1", "b": "2", "map": {"x": "1", "y": "1"}}
    ]


def paths(parameters: list[Object]) -> list[str]:
    return [entry["path"]["path"] for entry in parameters]


def test_directories_match_part_by_part_and_hidden_ones_are_left_out(write: Write) -> None:
    tree = write({"a/x/f": "", "a/y/f": "", "a/.z/f": "", "a/x/deep/f": "", "b/x/f": ""})
    assert paths(generators.parameters_of(tree, directories("a/*"))) == ["a/x", "a/y"]
    excluding = git(directories=[{"path": "*/*"}, {"path": "b/*", "exclude": True}, {"path": "argo/*"}])
    assert paths(generators.parameters_of(tree, excluding)) == ["a/x", "a/y"]


def test_values_are_templates_of_the_other_parameters(write: Write) -> None:
    tree = write({"a/x/f": "", "a/y/f": ""})
    parameters = generators.parameters_of(tree, directories("a/*", values={"of": "in/{{ .path.basename }}", "no": ""}))
    assert [entry["values"] for entry in parameters] == [{"of": "in/x", "no": ""}, {"of": "in/y", "no": ""}]


def test_files_match_across_folders_as_git_lists_them(write: Write) -> None:
    tree = write({"a/x/f.yaml": "v: 1", "a/x/deep/f.yaml": "v: 2", "a/y/f.yaml": "v: 3", "f.yaml": "v: 4"})
    every = files("a/*/f.yaml")
    assert paths(generators.parameters_of(tree, every)) == ["a/x/deep", "a/x", "a/y"]
    excluding = git(files=[{"path": "a/*/f.yaml"}, {"path": "a/x/deep/*", "exclude": True}])
    assert [entry["v"] for entry in generators.parameters_of(tree, excluding)] == [1, 3]
    assert [entry["v"] for entry in generators.parameters_of(tree, files("a/x"))] == [2, 1]


def test_a_file_makes_one_application_per_entry_of_a_list_and_one_if_it_is_empty(write: Write) -> None:
    tree = write({"list.yaml": "- v: 1\n- v: 2\n", "_Empty File.yaml": "", "text.yaml": "just text"})
    entries = generators.parameters_of(tree, files("list.yaml", pathParamPrefix="at"))
    assert [(entry["v"], entry["at"]["path"]["filename"]) for entry in entries] == [(1, "list.yaml"), (2, "list.yaml")]
    (empty,) = generators.parameters_of(tree, files("_Empty File.yaml"))
    assert empty["path"]["filenameNormalized"] == "empty-file.yaml"
    with pytest.raises(GitOpsError, match=r"text\.yaml is neither a map nor a list of maps"):
        generators.parameters_of(tree, files("text.yaml"))


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        ({"clusters": {}}, "its generator clusters is not supported here"),
        ({"list": {"elements": []}, "selector": {}}, "its generator list is not supported here"),
        (git(directories=[{"path": "*"}], template={"spec": {}}), "its generator git is not supported here"),
        ({"git": {"repoURL": "https://example.com", "files": []}}, "https://example.com is another repository"),
    ],
)
def test_what_is_not_supported_is_refused(write: Write, generator: Object, message: str) -> None:
    with pytest.raises(GitOpsError, match=message):
        generators.parameters_of(write({}), generator)


def test_a_set_that_cannot_be_expanded_and_a_name_twice_are_problems(write: Write) -> None:
    twice = application_set({"list": {"elements": [{}, {}]}}, {"metadata": {"name": "same"}, "spec": {}})
    unknown = application_set({"clusters": {}}, {"metadata": {"name": "x"}, "spec": {}})
    problems = read_applications(write({"argo/a.yaml": twice, "argo/b.yaml": unknown})).problems
    assert problems == [
        "working tree: ApplicationSet set: its generator clusters is not supported here",
        "working tree: two Applications have the name same",
    ]


def test_simple_templates_are_filled_as_helm_fills_them() -> None:
    parameters = {"name": "a", "path": {"segments": ["x", "y"], "basename": "y"}, "number": 41}
    simple = ["{{ .name }}-{{.path.basename}}", "{{ index .path.segments 1 }}"]
    by_helm = ["{{ .number }}", "{{ .name | upper }}", '{{ printf "%s" .name }}']
    template = {"{{ .name }}": simple, "others": by_helm}
    expected = {"a": ["a-y", "y"], "others": ["41", "A", "a"]}
    assert gotemplates.fill(template, [parameters]) == [expected]
    assert gotemplates._fill_by_helm([(text, parameters) for text in simple]) == ["a-y", "y"]
    assert [gotemplates._fill_simple(text, parameters) for text in by_helm] == [None, None, None]


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(GitOpsError, match=r"\{\{ \.other \}\} refers to a parameter that does not exist"):
        gotemplates.fill("{{ .other }}", [{"name": "a"}])


def chart_application(**helm: Any) -> Application:
    """Return an Application with a chart in another repository, and its values in this one."""
    chart = {"repoURL": "https://example.com/charts", "chart": "any", "targetRevision": "1", "helm": helm}
    spec = {"sources": [chart, {"repoURL": URL, "ref": "values"}], "destination": {"name": "main"}}
    return Application({"metadata": {"name": "any"}, "spec": spec}, is_kept=False)


def value_files(tree: Tree, application: Application) -> list[str]:
    found = builds.value_files(tree, application, application.sources[0])
    return [file.relative_to(tree.path).as_posix() for file in found]


def test_values_files_come_from_the_source_with_their_ref(write: Write) -> None:
    tree = write({"values.yaml": "a: 1"})
    assert value_files(tree, chart_application(valueFiles=["$values/values.yaml"])) == ["values.yaml"]
    with pytest.raises(GitOpsError, match="no source has the ref other"):
        value_files(tree, chart_application(valueFiles=["$other/values.yaml"]))


def test_a_missing_values_file_is_an_error_unless_the_application_ignores_it(write: Write) -> None:
    tree, names = write({"values.yaml": "a: 1"}), ["$values/missing.yaml", "$values/values.yaml"]
    with pytest.raises(GitOpsError, match=r"missing\.yaml does not exist"):
        value_files(tree, chart_application(valueFiles=names))
    assert value_files(tree, chart_application(valueFiles=names, ignoreMissingValueFiles=True)) == ["values.yaml"]
