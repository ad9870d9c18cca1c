"""What must not happen: every way to lose something, by a commit or without; the drills of docs/operations.md."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.conftest import two_clusters
from tests.cluster.kubernetes import Object
from tests.cluster.sandbox import SandboxError
from tests.cluster.stack import Stack
from tests.conftest import render

KINDS = "deployments,services,ingressroutes,horizontalpodautoscalers,namespaces"


def identities(stack: Stack, *, protected: bool) -> dict[str, str]:
    """The objects of the platform and of protected environments, or those of the others, by uid."""
    unprotected = tuple(f"-{e['name']}" for e in stack.repository.environments if not e["protected"])
    found = stack.identities(KINDS)
    return {name: uid for name, uid in found.items() if protected != name.split("/")[1].endswith(unprotected)}


def guarded(stack: Stack) -> dict[str, str]:
    """The uids of ApplicationSets and projects."""
    found = stack.argocd.list("applicationsets,appprojects", "argocd")
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found}


def sets_have_looked(stack: Stack) -> None:
    """Have every ApplicationSet read Git anew, and wait until each has."""
    stack.refresh("applicationsets")

    def waiting() -> list[str]:
        found = stack.argocd.list("applicationsets", "argocd")
        asked = "argocd.argoproj.io/application-set-refresh"
        return [s["metadata"]["name"] for s in found if asked in s["metadata"].get("annotations", {})]

    stack.until("every set has looked", lambda: not waiting())


def application(project: str, destination: dict[str, str], **source: str) -> Object:
    """An Application as somebody might make it by hand, past the ApplicationSets."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "drill", "namespace": "argocd"},
        "spec": {"project": project, "source": {"targetRevision": "main", **source}, "destination": destination},
    }


REFUSED = {
    "argocd": ({"name": "nonprod", "namespace": "argocd"}, {}),
    "kube-system": ({"name": "nonprod", "namespace": "kube-system"}, {}),
    "the platform": ({"name": "nonprod", "namespace": "traefik"}, {}),
    "another environment of the same cluster": ({"name": "nonprod", "namespace": "shop-staging"}, {}),
    "another cluster": ({"name": "prod", "namespace": "shop-dev"}, {}),
    "another repository": (
        {"name": "nonprod", "namespace": "shop-dev"},
        {"repoURL": "https://github.com/mallory/evil.git"},
    ),
}


@pytest.mark.parametrize("where", REFUSED)
def test_a_workload_project_does_not_reach(stages: Stack, where: str) -> None:
    destination, source = REFUSED[where]
    own = {"repoURL": stages.repository.answers["repo_url"], "path": "apps/workloads/shop/overlays/dev"}
    with stages.argocd.applied(application("dev", destination, **(own | source))):

        def refusal() -> str:
            status = stages.applications["drill"].get("status", {})
            return " ".join(c["message"] for c in status.get("conditions", []) if c["type"] == "InvalidSpecError")

        said = "is not permitted in" if source else "do not match any of the allowed destinations in"
        assert f"{said} project 'dev'" in stages.until("the project has answered", refusal)


FORBIDDEN: dict[str, Object] = {
    "a cluster-scoped kind": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "intruder"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    },
    "a role": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "intruder"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    },
    "an application of its own": application(
        "platform", {"name": "nonprod", "namespace": "traefik"}, repoURL="https://example.com"
    ),
    "a TCP route, which takes all traffic": {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRouteTCP",
        "metadata": {"name": "intruder"},
        "spec": {"routes": [{"match": "HostSNI(`*`)"}]},
    },
}


def test_a_workload_project_admits_none_of_these_kinds(stages: Stack) -> None:
    before = identities(stages, protected=True)
    with stages.undone():
        for index, item in enumerate(FORBIDDEN.values()):
            stages.add_by_hand(f"intruder{index}", item)
        stages.publish("Try what is not allowed")
        for index, (what, item) in enumerate(FORBIDDEN.items()):

            def refusal(name: str = f"intruder{index}-dev") -> str:
                operation = stages.applications.get(name, {}).get("status", {}).get("operationState", {})
                return f"{operation.get('syncResult')} {operation.get('message')}"

            stages.until(f"{what} is refused", lambda ask=refusal: "is not permitted in project dev" in ask())  # type: ignore[misc]
            assert not stages.argocd.get(item["kind"], "intruder", f"intruder{index}-dev"), what
        assert identities(stages, protected=True) == before
    for index in range(len(FORBIDDEN)):
        stages.kubectl("delete", "namespace", f"intruder{index}-dev", "--ignore-not-found")


def test_a_workload_cannot_take_over_the_namespace_of_another_environment(stages: Stack) -> None:
    takeover = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop-staging", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
    }
    before = stages.argocd.get("namespace", "shop-staging")
    with stages.undone():
        (stages.work / "drill").mkdir()
        (stages.work / "drill/namespace.yaml").write_text(json.dumps(takeover))
        stages.publish("Try to take over a namespace")
        url = stages.repository.answers["repo_url"]
        drill = application("dev", {"name": "nonprod", "namespace": "shop-dev"}, repoURL=url, path="drill")
        drill["spec"]["syncPolicy"] = {"automated": {}}
        with stages.argocd.applied(drill):

            def answer() -> str:
                return str(stages.applications["drill"].get("status", {}).get("operationState", {}).get("message", ""))

            assert "is not permitted in project dev" in stages.until("the project has answered", answer)
        assert stages.argocd.get("namespace", "shop-staging") == before


def test_a_removed_set_of_a_protected_environment_deletes_nothing_and_root_syncs_on(stages: Stack) -> None:
    before, sets = identities(stages, protected=True), guarded(stages)
    with stages.undone():
        (stages.work / "argo/applicationsets/workloads-prod.yaml").unlink()
        (stages.work / "argo/projects/prod.yaml").unlink()
        (stages.work / "argo/applicationsets/platform.yaml").unlink()
        stages.edit("argo/projects/dev.yaml", "description: Workloads in dev", "description: Everything in dev")
        stages.publish("Remove what is protected, and change something else")

        def has_synced() -> bool:
            operation = stages.applications["root"]["status"].get("operationState", {})
            revision = operation.get("syncResult", {}).get("revision")
            return bool(operation.get("phase") == "Succeeded" and revision == stages.head)

        stages.until("root has synced the rest", has_synced)
        stages.until("root says what is kept", lambda: stages.states()["root"].startswith("OutOfSync"))
        changed = stages.argocd.get("appproject", "dev", "argocd")
        assert changed
        assert changed["spec"]["description"] == "Everything in dev"
        assert guarded(stages) == sets
        assert identities(stages, protected=True) == before
        assert {"shop-prod", "reports-prod", "traefik-prod", "traefik-nonprod"} <= stages.applications.keys()


def test_a_removed_set_of_an_unprotected_environment_prunes_it_as_documented(stages: Stack) -> None:
    before = identities(stages, protected=True)
    with stages.undone():
        (stages.work / "argo/applicationsets/workloads-dev.yaml").unlink()
        stages.publish("Remove the set of dev")
        stages.until("dev is gone", lambda: "shop-dev" not in stages.applications)

        def kinds() -> set[str]:
            return {name.split("/")[2] for name in identities(stages, protected=False)}

        stages.until("what it ran is gone", lambda: kinds() == {"Namespace"})
        assert identities(stages, protected=True) == before


def test_an_emptied_workloads_folder_deletes_only_what_is_not_protected(stages: Stack) -> None:
    before = identities(stages, protected=True)
    with stages.undone():
        shutil.rmtree(stages.work / "apps/workloads")
        stages.publish("Empty the workloads")
        stages.until("dev is gone", lambda: "shop-dev" not in stages.applications)
        sets_have_looked(stages)
        assert {"shop-prod", "shop-staging", "reports-prod"} <= stages.applications.keys()
        assert identities(stages, protected=True) == before


def test_a_renamed_environment_leaves_the_protected_one_running(stages: Stack, template: Path) -> None:
    before = identities(stages, protected=True)
    answers = two_clusters()
    answers["environments"][2]["name"] = "live"
    text = (
        json.dumps(answers["workloads"]).replace('"prod":', '"live":').replace('"staging", "prod"', '"staging", "live"')
    )
    answers["workloads"] = json.loads(text)
    start = stages.head
    try:
        renamed = render(template, answers, stages.folder / "renamed")
        for entry in stages.work.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(renamed, stages.work, dirs_exist_ok=True)
        stages.publish("Rename prod to live")
        stages.until("live is there", lambda: stages.states().get("shop-live", "").startswith("Synced"))
        after = identities(stages, protected=True)
        assert {name: after.get(name) for name in before} == before
        assert {"shop-prod", "reports-prod"} <= stages.applications.keys()
    finally:
        stages.restore(start)
    # What the renaming made is protected, too, and goes as documented: by hand.
    for workload in ("shop", "reports"):
        remove_protected(stages, workload, "live", cluster="prod")
    for block in stages.documented("operations.md", "Take an environment out"):
        stages.type(filled(block, environment="live"))
    stages.settle()


def test_an_absent_git_server_changes_nothing(stages: Stack) -> None:
    before = identities(stages, protected=True) | identities(stages, protected=False)
    away = stages.origin.with_suffix(".away")
    stages.origin.rename(away)
    try:
        stages.until("Argo CD has noticed", lambda: any(s.startswith("Unknown") for s in stages.states().values()))
        stages.until("the sets have noticed", lambda: errors(stages))
    finally:
        after = identities(stages, protected=True) | identities(stages, protected=False)
        away.rename(stages.origin)
    assert after == before
    stages.refresh("applicationsets")
    stages.settle()


def errors(stack: Stack) -> list[str]:
    """What the ApplicationSets complain about."""
    sets = stack.argocd.list("applicationsets", "argocd")
    conditions = [c for s in sets for c in s.get("status", {}).get("conditions", [])]
    return [c["message"] for c in conditions if c["type"] == "ErrorOccurred" and c["status"] == "True"]


@pytest.mark.parametrize("how", ["no branch", "a branch without files"])
def test_a_git_server_that_returns_an_empty_repository_takes_nothing_that_is_protected(stages: Stack, how: str) -> None:
    before = identities(stages, protected=True)
    away = stages.origin.with_suffix(".away")
    stages.origin.rename(away)
    try:
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", stages.origin], check=True)
        if how == "a branch without files":
            tree = stages.git("mktree").strip()
            empty = stages.git("commit-tree", tree, "-m", "Nothing").strip()
            stages.git("push", "--quiet", "--force", "origin", f"{empty}:refs/heads/main")
            stages.until("dev is pruned, as documented", lambda: "shop-dev" not in stages.applications)
            sets_have_looked(stages)
        else:
            stages.until("the sets have noticed", lambda: errors(stages))
        stages.until("root has noticed", lambda: stages.states()["root"].startswith("Unknown"))
        after = identities(stages, protected=True)
    finally:
        shutil.rmtree(stages.origin)
        away.rename(stages.origin)
    assert after == before
    stages.refresh("applicationsets")
    stages.settle()


def test_a_stray_file_that_is_left_in_an_overlay_prunes_nothing(stages: Stack) -> None:
    before = identities(stages, protected=False)
    with stages.undone():
        overlay = stages.work / "apps/workloads/shop/overlays/dev"
        shutil.rmtree(overlay)
        overlay.mkdir()
        stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}}
        (overlay / "stray.yaml").write_text(json.dumps(stray))
        stages.publish("Leave one file behind")
        stages.until("Argo CD refuses to build", lambda: stages.states()["shop-dev"].startswith("Unknown"))
        assert identities(stages, protected=False) == before


def test_an_overlay_that_builds_nothing_prunes_nothing(stages: Stack) -> None:
    before = identities(stages, protected=False)
    with stages.undone():
        overlay = stages.work / "apps/workloads/shop/overlays/dev"
        kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        (overlay / "kustomization.yaml").write_text(json.dumps(kind | {"resources": ["resources.yaml"]}))
        (overlay / "resources.yaml").write_text("# nothing\n")
        stages.publish("Leave nothing")

        def refusal() -> str:
            conditions = stages.applications["shop-dev"]["status"].get("conditions", [])
            return " ".join(condition["message"] for condition in conditions)

        stages.until("Argo CD refuses to sync", lambda: "will wipe out all resources" in refusal())
        assert identities(stages, protected=False) == before


def remove_protected(stack: Stack, workload: str, environment: str, *, cluster: str) -> None:
    """Type what docs/operations.md says about taking out a protected workload."""
    blocks = stack.documented("operations.md", "Take a workload out")
    # The first is about environments that are not protected.
    _, exports, *commands = blocks
    for block in commands:
        stack.type(filled(exports, workload=workload, environment=environment, cluster=cluster) + block)


def filled(commands: str, **names: str) -> str:
    """Commands of the documentation with what it leaves to its reader, such as <workload>."""
    return re.sub(r"<(\w+)>", lambda found: names[found[1]], commands)


def test_a_protected_workload_goes_by_the_documented_commands(stages: Stack) -> None:
    before = identities(stages, protected=True)
    with stages.undone():
        shutil.rmtree(stages.work / "apps/workloads/reports/overlays/prod")
        stages.publish("Take reports out of prod")
        remove_protected(stages, "reports", "prod", cluster="prod")
        stages.until("it is gone", lambda: not stages.clusters["prod"].get("namespace", "reports-prod"))
        assert "reports-prod" not in stages.applications
        gone = {name for name in before if name.startswith("prod/reports-prod/")}
        assert gone
        assert identities(stages, protected=True) == {k: v for k, v in before.items() if k not in gone}


def test_a_lost_argocd_is_recovered_from_git_alone(stages: Stack) -> None:
    before = outside_argocd(stages)
    for name in ("argocd-application-controller", "argocd-applicationset-controller", "argocd-repo-server", "redis"):
        stages.sandbox.end(name)
    lose_argocd(stages)
    stages.install(again=True)
    stages.register("prod")
    stages.settle()
    assert outside_argocd(stages) == before


def outside_argocd(stack: Stack) -> dict[str, str]:
    """All that runs but Argo CD itself."""
    found = identities(stack, protected=True) | identities(stack, protected=False)
    return {name: uid for name, uid in found.items() if "/argocd/" not in name}


def lose_argocd(stack: Stack) -> None:
    """Delete Argo CD with all that it knew, past every guard, as when the storage of its objects is lost."""
    without_finalizers = json.dumps({"metadata": {"finalizers": None}})
    for kind in ("applications", "applicationsets", "appprojects"):
        for item in stack.argocd.list(kind, "argocd"):
            name = item["metadata"]["name"]
            stack.kubectl("patch", kind, name, "--namespace=argocd", "--type=merge", "--patch", without_finalizers)
        stack.kubectl("delete", "crd", f"{kind}.argoproj.io")
    stack.kubectl("delete", "namespace", "argocd")
    with pytest.raises(SandboxError):
        stack.argocd.list("applications")
