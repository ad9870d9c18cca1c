"""What Argo CD is given: that it agrees with itself, with the answers, and with what the repository builds."""

from __future__ import annotations

import base64
import hashlib
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests import engines
from tests.conftest import Document, Repository, pick
from tests.rendering.charts import rendered_charts

KEEP = "Prune=false,Delete=false"
CLUSTER_SCOPED = {
    *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
}


def argo(repository: Repository) -> list[Document]:
    """Every manifest that the root application applies."""
    return [document for file in repository.files if file.parts[0] == "argo" for document in repository.read(str(file))]


def named(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in pick(documents, kind)}


def expand(value: Any, variables: dict[str, str]) -> Any:
    """An ApplicationSet's template with the two kinds of Go expressions that it uses filled in."""
    if isinstance(value, dict):
        return {key: expand(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, variables) for item in value]
    if isinstance(value, str):
        value = re.sub(r"\{\{ index \.path\.segments 2 \}\}", lambda _: variables["path"].split("/")[2], value)
        value = re.sub(r"\{\{ \.path\.path \}\}", lambda _: variables["path"], value)
        value = re.sub(r"\{\{ \.(\w+) \}\}", lambda match: variables[match[1]], value)
        assert "{{" not in value, value
    return value


def workload_applications(repository: Repository) -> list[tuple[Document, str]]:
    """The Applications that the ApplicationSets of the environments make, with the overlay of each."""
    applications = []
    sets = named(argo(repository), "ApplicationSet")
    for environment in repository.environments:
        spec = sets[f"workloads-{environment['name']}"]["spec"]
        (directory,) = spec["generators"][0]["git"]["directories"]
        for path in sorted(repository.path.glob(directory["path"])):
            overlay = str(path.relative_to(repository.path))
            applications.append((expand(spec["template"], {"path": overlay}), overlay))
    return applications


def platform_applications(repository: Repository) -> list[Document]:
    """The Applications that the ApplicationSet of the platform makes."""
    spec = named(argo(repository), "ApplicationSet")["platform"]["spec"]
    addons, clusters = (generator["list"]["elements"] for generator in spec["generators"][0]["matrix"]["generators"])
    return [expand(spec["template"], addon | cluster) for addon in addons for cluster in clusters]


def policy_applications(repository: Repository) -> list[Document]:
    """The Applications that the ApplicationSet of the policies makes."""
    spec = named(argo(repository), "ApplicationSet")["policies"]["spec"]
    ((elements,),) = [generator["list"].values() for generator in spec["generators"]]
    return [expand(spec["template"], element) for element in elements]


def admits(project: Document, application: Document, document: Document) -> str:
    """Why a project refuses an object, by the rules of Argo CD's AppProject; empty if it admits it."""
    spec, destination = project["spec"], application["spec"]["destination"]
    group, _, _ = document["apiVersion"].rpartition("/")
    entry = {"group": group, "kind": document["kind"]}
    if document["kind"] in CLUSTER_SCOPED:
        if not any(
            allowed.items() >= entry.items() and fnmatchcase(document["metadata"]["name"], allowed.get("name", "*"))
            for allowed in spec["clusterResourceWhitelist"]
        ):
            return f"cluster-scoped {entry} {document['metadata']['name']}"
        return ""
    namespace = document["metadata"].get("namespace", destination["namespace"])
    if entry not in spec["namespaceResourceWhitelist"]:
        return f"kind {entry}"
    if not any(
        d["name"] == destination["name"] and fnmatchcase(namespace, d["namespace"]) for d in spec["destinations"]
    ):
        return f"destination {destination['name']} {namespace}"
    return ""


def test_all_manifests_are_valid(repository: Repository) -> None:
    assert engines.kubeconform(argo(repository), repository.clusters[0]["kubernetes_version"]) == []


def test_projects_and_sets_are_those_of_the_answers(repository: Repository) -> None:
    environments = {environment["name"] for environment in repository.environments}
    assert named(argo(repository), "AppProject").keys() == {"bootstrap", "platform"} | environments
    assert named(argo(repository), "ApplicationSet").keys() == {"platform", "policies"} | {
        f"workloads-{name}" for name in environments
    }
    assert named(argo(repository), "Application").keys() == {"root", "argocd"}


def test_everything_reads_this_repository_at_the_branch_of_the_answers(repository: Repository) -> None:
    def sources(value: Any) -> list[Document]:
        if isinstance(value, dict):
            here = [value] if "repoURL" in value and "addon" not in value and "chart" not in value else []
            return here + [found for item in value.values() for found in sources(item)]
        return [found for item in value for found in sources(item)] if isinstance(value, list) else []

    found = sources(argo(repository))
    assert {source["repoURL"] for source in found} == {repository.answers["repo_url"]}
    revisions = {source.get("targetRevision", source.get("revision")) for source in found}
    assert revisions == {repository.answers.get("target_revision", "main")}


def test_clusters_are_addressed_by_name_only(repository: Repository) -> None:
    known = {cluster["name"] for cluster in repository.clusters}
    applications = [application for application, _ in workload_applications(repository)]
    applications += platform_applications(repository) + policy_applications(repository)
    applications += pick(argo(repository), "Application")
    assert {application["spec"]["destination"]["name"] for application in applications} <= known
    for project in pick(argo(repository), "AppProject"):
        for destination in project["spec"]["destinations"]:
            assert destination.keys() == {"name", "namespace"} and destination["name"] in known


def test_each_overlay_becomes_one_application_named_like_its_namespace(repository: Repository) -> None:
    made = {overlay: application for application, overlay in workload_applications(repository)}
    assert made.keys() == {overlay for _, _, overlay in repository.overlays()}
    for workload, environment, overlay in repository.overlays():
        application, name = made[overlay], f"{workload['name']}-{environment['name']}"
        assert application["metadata"]["name"] == name
        assert application["spec"]["destination"] == {"name": environment["cluster"], "namespace": name}
        assert application["spec"]["project"] == environment["name"]
        assert application["spec"]["source"]["kustomize"] == {"namespace": name}
        (documents,) = {document["metadata"]["namespace"] for document in repository.build(overlay)}
        assert documents == name


def test_projects_admit_what_their_applications_build(repository: Repository) -> None:
    projects = named(argo(repository), "AppProject")
    for application, overlay in workload_applications(repository):
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": application["spec"]["destination"]["namespace"]},
        }
        for document in [*repository.build(overlay), namespace]:
            assert admits(projects[application["spec"]["project"]], application, document) == "", overlay
    own = named(argo(repository), "Application")
    for document in argo(repository):
        assert admits(projects["bootstrap"], own["root"], document) == ""
    for document in bootstrap(repository):
        assert admits(projects["bootstrap"], own["argocd"], document) == ""


def test_the_same_policies_are_in_every_cluster_and_the_project_admits_them(repository: Repository) -> None:
    project = named(argo(repository), "AppProject")["platform"]
    applications = policy_applications(repository)
    assert {a["spec"]["destination"]["name"] for a in applications} == {c["name"] for c in repository.clusters}
    documents = repository.build("apps/platform/policies")
    assert {document["kind"] for document in documents} == {
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
    for application in applications:
        assert application["spec"]["source"]["path"] == "apps/platform/policies"
        assert [admits(project, application, document) for document in documents] == [""] * len(documents)


def test_every_policy_is_bound_and_denies(repository: Repository) -> None:
    documents = repository.build("apps/platform/policies")
    bindings = {
        item["spec"]["policyName"]: item["spec"] for item in pick(documents, "ValidatingAdmissionPolicyBinding")
    }
    policies = named(documents, "ValidatingAdmissionPolicy")
    assert bindings.keys() == policies.keys()
    for name, policy in policies.items():
        assert bindings[name]["validationActions"] == ["Deny"]
        assert bindings[name]["matchResources"]["resourceRules"] == policy["spec"]["matchConstraints"]["resourceRules"]
        assert policy["spec"]["failurePolicy"] == "Fail"


def test_the_platform_project_admits_what_the_charts_render(repository: Repository) -> None:
    project = named(argo(repository), "AppProject")["platform"]
    for application in platform_applications(repository):
        chart, values = application["spec"]["sources"]
        assert {chart["repoURL"], values["repoURL"]} <= set(project["spec"]["sourceRepos"])
        for document in rendered_charts(repository, application):
            assert admits(project, application, document) == "", document["metadata"]["name"]


@pytest.mark.parametrize("kind", ["Namespace", "Deployment"])
def test_an_environments_project_refuses_every_other_namespace(repository: Repository, kind: str) -> None:
    projects = named(argo(repository), "AppProject")
    others = ["argocd", "kube-system", "default", "traefik", "external-dns"]
    others += [f"shop-{environment['name']}" for environment in repository.environments]
    for environment in repository.environments:
        for namespace in others:
            if namespace == f"shop-{environment['name']}":
                continue
            metadata = {"name": namespace, "namespace": namespace} if kind == "Deployment" else {"name": namespace}
            document = {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind, "metadata": metadata}
            application = {"spec": {"destination": {"name": environment["cluster"], "namespace": namespace}}}
            assert admits(projects[environment["name"]], application, document) != ""


def test_commits_refresh_only_the_applications_that_they_touch(repository: Repository) -> None:
    for application, overlay in workload_applications(repository):
        paths = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"].split(";")
        resolved = {
            str((repository.path / overlay / path).resolve().relative_to(repository.path.resolve())) for path in paths
        }
        assert resolved == {overlay, overlay.split("/overlays/")[0] + "/base"}
    for application in platform_applications(repository):
        path = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
        assert (repository.path / path.lstrip("/")).is_dir() and path.startswith("/")


def test_values_files_exist_and_end_with_the_users_own(repository: Repository) -> None:
    for application in platform_applications(repository):
        chart, values = application["spec"]["sources"]
        assert values["ref"] == "values"
        files = [file.removeprefix("$values/") for file in chart["helm"]["valueFiles"]]
        assert [file for file in files if not (repository.path / file).is_file()] == []
        assert "/overrides-" in files[-1]


def test_protected_environments_and_the_platform_are_guarded_against_deletion(repository: Repository) -> None:
    sets, projects = named(argo(repository), "ApplicationSet"), named(argo(repository), "AppProject")
    guarded = {"platform": ("platform", True), "policies": ("platform", True)}
    guarded |= {f"workloads-{e['name']}": (e["name"], e["protected"]) for e in repository.environments}
    for set_name, (project_name, protected) in guarded.items():
        application_set, project = sets[set_name], projects[project_name]
        options = {
            o["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options")
            for o in (application_set, project)
        }
        policy = application_set["spec"].get("syncPolicy", {})
        finalizers = application_set["spec"]["template"]["metadata"].get("finalizers", [])
        if protected:
            assert options == {KEEP}
            assert application_set["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io"]
            assert policy == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}
            assert finalizers == []
        else:
            assert options == {None}
            assert policy == {}
            assert finalizers == ["resources-finalizer.argocd.argoproj.io"]


def test_root_and_argocd_have_no_finalizer_and_are_never_pruned(repository: Repository) -> None:
    for application in pick(argo(repository), "Application"):
        assert "finalizers" not in application["metadata"]
        assert application["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == KEEP


def test_every_application_applies_on_the_server_side_and_tries_again(repository: Repository) -> None:
    applications = [application for application, _ in workload_applications(repository)]
    applications += platform_applications(repository) + policy_applications(repository)
    applications += pick(argo(repository), "Application")
    for application in applications:
        policy = application["spec"]["syncPolicy"]
        assert "ServerSideApply=true" in policy["syncOptions"]
        assert policy["automated"]["selfHeal"] is True
        assert policy["retry"]["limit"] != 0


def test_namespaces_of_workloads_enforce_pod_security(repository: Repository) -> None:
    applications = [application for application, _ in workload_applications(repository)] + platform_applications(
        repository
    )
    for application in applications:
        policy = application["spec"]["syncPolicy"]
        assert policy["managedNamespaceMetadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        assert "CreateNamespace=true" in policy["syncOptions"]


_bootstraps: dict[tuple[str, ...], list[Document]] = {}


def bootstrap(repository: Repository) -> list[Document]:
    """What the first command of the bootstrap applies; equal folders are built once."""
    key = tuple(file.read_text() for file in sorted((repository.path / "bootstrap/argocd").rglob("*.yaml")))
    if key not in _bootstraps:
        _bootstraps[key] = repository.build("bootstrap/argocd")
    return _bootstraps[key]


def test_bootstrap_builds_valid_manifests(repository: Repository) -> None:
    assert engines.kubeconform(bootstrap(repository), repository.clusters[0]["kubernetes_version"]) == []


def test_the_checksum_beside_the_pinned_manifest_is_that_of_the_file(repository: Repository) -> None:
    text = (repository.path / "bootstrap/argocd/kustomization.yaml").read_text()
    for url, file in engines.argocd_manifests().items():
        assert url in text
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text


def test_argocd_runs_without_single_sign_on_and_notifications(repository: Repository) -> None:
    built = bootstrap(repository)
    for document in built:
        assert not re.search("dex|notifications", document["metadata"]["name"]), document["metadata"]["name"]


def test_all_containers_of_argocd_have_requests_and_a_memory_limit(repository: Repository) -> None:
    for document in bootstrap(repository):
        if document["kind"] in {"Deployment", "StatefulSet"}:
            pod = document["spec"]["template"]["spec"]
            for container in pod["containers"] + pod.get("initContainers", []):
                assert container["resources"]["requests"].keys() == {"cpu", "memory"}, container["name"]
                assert "memory" in container["resources"]["limits"], container["name"]


def test_argocds_namespace_and_definitions_are_never_pruned_or_deleted(repository: Repository) -> None:
    kept = [d for d in bootstrap(repository) if d["kind"] in {"Namespace", "CustomResourceDefinition"}]
    assert len(kept) == 4
    for document in kept:
        assert document["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == KEEP


def test_the_cluster_that_argocd_runs_in_has_its_name(repository: Repository) -> None:
    (secret,) = [d for d in bootstrap(repository) if d["kind"] == "Secret" and "data" in d]
    assert secret["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "cluster"}
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    name = repository.answers.get("argocd_cluster", repository.clusters[0]["name"])
    assert values == {"name": name, "server": "https://kubernetes.default.svc"}
