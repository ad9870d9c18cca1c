"""The rendered configuration of Argo CD agrees with the answers and guards what must not be deleted."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from gitops.applications import Application
from tests.support import engines
from tests.support.argocd import applications, objects
from tests.support.network_policies import argocd_cluster
from tests.support.repository import Document, Repository, examples, load, pick, render

KEEP = "Prune=false,Delete=false"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
GENERATE_PATHS = "argocd.argoproj.io/manifest-generate-paths"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
ENFORCE = "pod-security.kubernetes.io/enforce"
ADDONS = {"external-dns", "policies", "traefik"}
# Argo CD and its configuration.
OWN = ("argocd", "root")


def addons(repository: Repository) -> set[str]:
    """Return the names of the add-ons: those of every repository, and the chosen ones."""
    return ADDONS | {*repository.answers.get("addons", [])}


def argo(repository: Repository) -> list[Document]:
    """Return every manifest that the root application applies."""
    return [document for file in repository.files if file.parts[0] == "argo" for document in repository.read(str(file))]


def named(documents: list[Document], kind: str) -> dict[str, Document]:
    """Return the objects of a kind by name."""
    return {document["metadata"]["name"]: document for document in pick(documents, kind)}


def of_addons(repository: Repository) -> dict[str, Application]:
    """Return the Applications of the add-ons by name."""
    return {name: app for name, app in applications(repository).items() if app.spec["project"] in addons(repository)}


def test_projects_and_sets_are_those_of_the_answers(repository: Repository) -> None:
    environments = {environment["name"] for environment in repository.environments}
    assert named(argo(repository), "AppProject").keys() == {"bootstrap"} | addons(repository) | environments
    sets = {"charts", "config"} | {f"workloads-{name}" for name in environments}
    assert named(argo(repository), "ApplicationSet").keys() == sets
    assert named(argo(repository), "Application").keys() == {"root", "argocd"}


def test_every_source_is_this_repository_at_the_branch_of_the_answers_or_a_chart(repository: Repository) -> None:
    sources = [source for app in applications(repository).values() for source in app.sources if "chart" not in source]
    assert {source["repoURL"] for source in sources} == {repository.answers["repo_url"]}
    assert {source["targetRevision"] for source in sources} == {repository.answers.get("target_revision", "main")}


def test_clusters_are_addressed_by_name_only(repository: Repository) -> None:
    names = {cluster["name"] for cluster in repository.clusters}
    destinations = [app.spec["destination"] for name, app in applications(repository).items() if name not in OWN]
    for project in pick(argo(repository), "AppProject"):
        if project["metadata"]["name"] != "bootstrap":
            destinations += project["spec"]["destinations"]
    assert {frozenset(destination) for destination in destinations} == {frozenset({"name", "namespace"})}
    assert {destination["name"] for destination in destinations} <= names


def test_argocd_itself_does_not_depend_on_the_name_of_its_cluster(repository: Repository) -> None:
    by_address = {"server": "https://kubernetes.default.svc", "namespace": "argocd"}
    own = {name: app for name, app in applications(repository).items() if name in OWN}
    assert [app.spec["destination"] for app in own.values()] == [by_address] * len(OWN)
    (project,) = (p for p in pick(argo(repository), "AppProject") if p["metadata"]["name"] == "bootstrap")
    assert project["spec"]["destinations"] == [by_address]
    # The scripts use the name of the cluster anyway.
    assert {app.cluster for app in own.values()} == {argocd_cluster(repository)}


def test_projects_admit_every_url_of_a_repository_that_moves(template: Path, tmp_path: Path) -> None:
    urls = {"https://github.com/acme/a.git", "https://github.com/acme/b.git", "git@git.example.com:acme/c.git"}
    projects = []
    for number, url in enumerate(sorted(urls)):
        answers = examples()["minimal"] | {"repo_url": url, "additional_repo_urls": sorted(urls - {url}, reverse=True)}
        folder = render(template, answers, tmp_path / str(number))
        projects.append({file.name: file.read_text() for file in (folder / "argo/projects").iterdir()})
        for text in projects[-1].values():
            (project,) = load(text)
            assert urls <= {*project["spec"]["sourceRepos"]}
    # In either order: switching to the other URL changes no project.
    assert projects[0] == projects[1] == projects[2]


def test_each_overlay_becomes_one_application_named_like_its_namespace(repository: Repository) -> None:
    workloads = {app.sources[0]["path"]: app for app in applications(repository).values() if app.workload}
    assert workloads.keys() == {overlay for _, _, overlay in repository.overlays()}
    for workload, environment, overlay in repository.overlays():
        app, name = workloads[overlay], f"{workload['name']}-{environment['name']}"
        assert app.name == name
        assert app.spec["destination"] == {"name": environment["cluster"], "namespace": name}
        assert app.spec["project"] == environment["name"]
        assert app.spec["source"]["kustomize"] == {"namespace": name}
        assert {item["metadata"]["namespace"] for item in repository.build(overlay)} == {name}


def test_each_cluster_has_every_add_on_in_a_project_of_its_own(repository: Repository) -> None:
    expected = {}
    for cluster in repository.clusters:
        own = addons(repository) - {*cluster.get("provides", [])}
        for addon in own - {"policies"}:
            expected[f"{addon}-{cluster['name']}"] = (addon, cluster["name"], addon)
        for addon in own:
            expected[f"{addon}-config-{cluster['name']}"] = (addon, cluster["name"], addon)
    created = of_addons(repository)
    assert {name: (app.spec["project"], app.cluster, app.namespace) for name, app in created.items()} == expected


def test_charts_read_the_values_of_their_add_on_and_end_with_the_users_own(repository: Repository) -> None:
    for app in of_addons(repository).values():
        if "sources" in app.spec:
            chart, values = app.sources
            addon = app.spec["project"]
            assert values["ref"] == "values"
            assert chart["helm"]["releaseName"] == addon
            assert chart["helm"]["valueFiles"] == [
                f"$values/apps/platform/{addon}/values.yaml",
                f"$values/apps/platform/{addon}/clusters/{app.cluster}/values.yaml",
                f"$values/apps/platform/{addon}/clusters/{app.cluster}/overrides.yaml",
            ]


def has_definitions(own: list[Application]) -> bool:
    """Return whether the definitions of an add-on's chart can be had: a stand-in without its data has none."""
    source = next(source for app in own for source in app.sources if "chart" in source)
    name, version = source["chart"], source["targetRevision"]
    return bool(engines.chart(name, version) or engines.chart_data(name, version, "crds.yaml"))


def test_projects_of_add_ons_have_no_entry_that_is_not_used(repository: Repository) -> None:
    """The repository's own check finds missing entries: scripts/validate.py."""
    projects = named(argo(repository), "AppProject")
    unread: set[str] = set()
    for addon in addons(repository):
        own = [app for app in of_addons(repository).values() if app.spec["project"] == addon]
        spec = projects[addon]["spec"]
        assert {*spec["sourceRepos"]} == {source["repoURL"] for app in own for source in app.sources}
        placed = [(app, item) for app in own for item in objects(repository, app)]
        items = [item for _, item in placed]
        places = {(app.cluster, item["metadata"].get("namespace", app.namespace)) for app, item in placed}
        places |= {(app.cluster, app.namespace) for app in own}
        assert {(d["name"], d["namespace"]) for d in spec["destinations"]} == places
        kinds = {(item["apiVersion"].rpartition("/")[0], item["kind"]) for item in items}
        for entry in spec["clusterResourceWhitelist"]:
            if entry["kind"] != "Namespace":  # Argo CD itself creates it.
                names = [item["metadata"]["name"] for item in items if item["kind"] == entry["kind"]]
                if not names and entry["kind"] == "CustomResourceDefinition" and not has_definitions(own):
                    unread.add(addon)
                    continue
                assert any(fnmatchcase(name, entry["name"]) for name in names), entry
        for entry in spec.get("namespaceResourceWhitelist", []):
            assert (entry["group"], entry["kind"]) in kinds, entry
    if unread:
        pytest.skip(f"the definitions of {', '.join(unread)} cannot be had: no folder in GITOPS_TEMPLATE_DATA")


def test_a_project_without_kinds_for_namespaces_refuses_all_of_them(repository: Repository) -> None:
    spec = named(argo(repository), "AppProject")["policies"]["spec"]
    # An absent allowlist admits every kind.
    assert "namespaceResourceWhitelist" not in spec
    assert spec["namespaceResourceBlacklist"] == [{"group": "*", "kind": "*"}]


def test_environments_admit_namespaces_of_their_own_only(repository: Repository) -> None:
    projects = named(argo(repository), "AppProject")
    others = ["argocd", "kube-system", "default", "traefik", "external-dns"]
    others += [f"shop-{environment['name']}" for environment in repository.environments]
    for environment in repository.environments:
        spec = projects[environment["name"]]["spec"]
        patterns = {entry["name"] for entry in spec["clusterResourceWhitelist"] if entry["kind"] == "Namespace"}
        patterns |= {destination["namespace"] for destination in spec["destinations"]}
        admitted = {name for name in others if any(fnmatchcase(name, pattern) for pattern in patterns)}
        assert admitted == {f"shop-{environment['name']}"}
        assert {entry["kind"] for entry in spec["clusterResourceWhitelist"]} == {"Namespace"}


def test_every_policy_is_bound_and_denies(repository: Repository) -> None:
    (app, *_) = [app for name, app in of_addons(repository).items() if name.startswith("policies-config-")]
    items = objects(repository, app)
    policies = named(items, "ValidatingAdmissionPolicy")
    bindings = {item["spec"]["policyName"]: item["spec"] for item in pick(items, "ValidatingAdmissionPolicyBinding")}
    assert bindings.keys() == policies.keys() != set()
    for name, policy in policies.items():
        assert bindings[name]["validationActions"] == ["Deny"]
        assert bindings[name]["matchResources"] == policy["spec"]["matchConstraints"]
        assert policy["spec"]["failurePolicy"] == "Fail"


def test_commits_refresh_only_the_applications_that_they_touch(repository: Repository) -> None:
    for app in applications(repository).values():
        paths = app.generate_paths
        if app.workload:
            # An overlay may read all of it: a component, the base, another overlay.
            assert paths == (None if app.workload in repository.releasing else [f"apps/workloads/{app.workload}"])
        elif app.spec["project"] in addons(repository):
            folder = f"apps/platform/{app.spec['project']}"
            own = {f"{folder}/values.yaml", f"{folder}/clusters/{app.cluster}"} if "sources" in app.spec else {folder}
            assert {*(paths or [])} == own
        else:
            assert paths == [app.sources[0]["path"]]
        assert all((repository.path / path).exists() for path in paths or [])


def test_protected_environments_and_add_ons_are_guarded_against_deletion(repository: Repository) -> None:
    documents = argo(repository)
    sets, projects = named(documents, "ApplicationSet"), named(documents, "AppProject")
    is_guarded = {("charts", None): True, ("config", None): True} | {
        ("charts", addon): True for addon in addons(repository)
    }
    is_guarded |= {(f"workloads-{e['name']}", e["name"]): e["protected"] for e in repository.environments}
    for (set_name, project_name), guarded in is_guarded.items():
        application_set = sets[set_name]
        items = [application_set] + ([projects[project_name]] if project_name else [])
        options = {item["metadata"].get("annotations", {}).get(SYNC_OPTIONS) for item in items}
        policy = application_set["spec"].get("syncPolicy", {})
        finalizers = application_set["spec"]["template"]["metadata"].get("finalizers", [])
        if guarded:
            assert options == {KEEP}
            assert application_set["metadata"]["finalizers"] == [FINALIZER]
            assert policy == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}
            assert finalizers == []
        else:
            assert options == {None}
            assert policy == {}
            assert finalizers == [FINALIZER]


def test_root_and_argocd_have_no_finalizer_and_are_never_pruned(repository: Repository) -> None:
    for application in pick(argo(repository), "Application"):
        assert "finalizers" not in application["metadata"]
        assert application["metadata"]["annotations"][SYNC_OPTIONS] == KEEP


def test_every_application_applies_on_the_server_side_and_tries_again(repository: Repository) -> None:
    for app in applications(repository).values():
        policy = app.spec["syncPolicy"]
        assert "ServerSideApply=true" in policy["syncOptions"]
        assert policy["automated"]["selfHeal"] is True
        assert policy["retry"]["limit"] != 0


def test_namespaces_of_workloads_and_charts_enforce_pod_security(repository: Repository) -> None:
    for app in applications(repository).values():
        if app.workload or "sources" in app.spec:
            policy = app.spec["syncPolicy"]
            assert policy["managedNamespaceMetadata"]["labels"][ENFORCE] == "restricted"
            assert "CreateNamespace=true" in policy["syncOptions"]
