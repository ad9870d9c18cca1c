"""Projects reject kinds, destinations and repositories, and Argo CD never prunes everything.

One commit tries all of it, together with Applications created by hand, past the ApplicationSets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.cluster import guarded, layout, victims
from tests.support.cluster.api import Object
from tests.support.cluster.checkout import KUSTOMIZATION
from tests.support.cluster.stack import Stack

STRAY, BLANK = f"{victims.STRAY}-dev", f"{victims.BLANK}-dev"
# The fields of the destination and of the source that the project of dev does not admit.
PLACES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "argocd": ({"namespace": "argocd"}, {}),
    "kube-system": ({"namespace": "kube-system"}, {}),
    "the platform": ({"namespace": "traefik"}, {}),
    "another environment of the same cluster": ({"namespace": "shop-staging"}, {}),
    "another cluster": ({"name": "prod"}, {}),
    "another repository": ({}, {"repoURL": "https://github.com/mallory/evil.git"}),
}
RBAC = "rbac.authorization.k8s.io"
KINDS: dict[str, Object] = {
    "a cluster-scoped kind": {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "intruder"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    },
    "a role": {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "intruder"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
    },
    "an application of its own": {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "intruder"},
        "spec": {
            "project": "traefik",
            "source": {"repoURL": "https://example.com", "targetRevision": "main"},
            "destination": {"name": victims.CLUSTER, "namespace": "traefik"},
        },
    },
    "a TCP route, which takes all traffic": {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRouteTCP",
        "metadata": {"name": "intruder"},
        "spec": {"routes": [{"match": "HostSNI(`*`)"}]},
    },
}
# A kind that the cluster of dev does not have, one for which Argo CD has no rights there, and every other one.
REFUSALS = ("could not find argoproj.io/Application", 'role/argocd" cannot get', "is not permitted in project dev")
TAKEOVER = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop-staging", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
}


@dataclass(frozen=True)
class Before:
    """The objects before the attempts."""

    identities: guarded.Identities
    namespace: Object | None


def attempt(stack: Stack, name: str, destination: dict[str, str], source: dict[str, str]) -> Object:
    """Return an Application in the project of dev."""
    own = {"repoURL": stack.repository.answers["repo_url"], "path": layout.overlay("shop", "dev")}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "dev",
            "source": {"targetRevision": "main"} | own | source,
            "destination": {"name": victims.CLUSTER, "namespace": "shop-dev"} | destination,
        },
    }


def numbered(prefix: str, attempts: dict[str, object]) -> dict[str, str]:
    """Return a name for each attempt."""
    return {what: f"{prefix}{number}" for number, what in enumerate(attempts)}


PLACE_NAMES, KIND_NAMES = numbered("place", dict(PLACES)), numbered("intruder", dict(KINDS))


@pytest.fixture(scope="module")
def attempts(stages: Stack) -> Iterator[Before]:
    """Publish forbidden objects, an overlay that would prune everything, and Applications created by hand."""
    with stages.undone():
        before = Before(guarded.everything(stages), stages.clusters[victims.CLUSTER].get("namespace", "shop-staging"))
        for what, item in KINDS.items():
            stages.checkout.add_by_hand(KIND_NAMES[what], item)
        stages.checkout.write("drill/namespace.yaml", TAKEOVER)
        leave_a_stray_file(stages)
        leave_nothing(stages)
        stages.publish("Try what is not allowed")
        drills = [attempt(stages, PLACE_NAMES[what], *fields) for what, fields in PLACES.items()]
        takeover = attempt(stages, "takeover", {}, {"path": "drill"})
        takeover["spec"]["syncPolicy"] = {"automated": {}}
        with stages.argocd.applied(*drills, takeover):
            yield before
    stages.rest()
    stages.clusters[victims.CLUSTER].api.delete_namespaces(f"{name}-dev" for name in KIND_NAMES.values())


def leave_a_stray_file(stages: Stack) -> None:
    """Leave one file in the folder of a workload that is not a kustomization."""
    overlay = layout.overlay(victims.STRAY, "dev")
    stages.checkout.delete(overlay)
    stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}}
    stages.checkout.write(f"{overlay}/stray.yaml", stray)


def leave_nothing(stages: Stack) -> None:
    """Leave an overlay that builds without objects."""
    overlay = layout.overlay(victims.BLANK, "dev")
    stages.checkout.write(f"{overlay}/kustomization.yaml", KUSTOMIZATION | {"resources": ["nothing.yaml"]})
    (stages.checkout.work / overlay / "nothing.yaml").write_text("# nothing\n")


@pytest.mark.parametrize("where", PLACES)
def test_a_workload_project_does_not_reach(stages: Stack, attempts: Before, where: str) -> None:
    _, source = PLACES[where]
    said = "is not permitted in" if source else "do not match any of the allowed destinations in"

    def is_refused() -> bool:
        status = stages.argo.applications[PLACE_NAMES[where]].get("status", {})
        messages = [c["message"] for c in status.get("conditions", []) if c["type"] == "InvalidSpecError"]
        return any(f"{said} project 'dev'" in message for message in messages)

    stages.until("the project refuses it", is_refused)


@pytest.mark.parametrize("what", KINDS)
def test_a_workload_project_does_not_admit(stages: Stack, attempts: Before, what: str) -> None:
    name = f"{KIND_NAMES[what]}-dev"
    stages.until(f"{what} is refused", lambda: is_refused(stages, name))
    assert not stages.clusters[victims.CLUSTER].get(KINDS[what]["kind"], "intruder", name)


def test_a_workload_cannot_take_over_the_namespace_of_another_environment(stages: Stack, attempts: Before) -> None:
    stages.until("it is refused", lambda: "is not permitted in project dev" in stages.argo.says("takeover"))
    assert stages.clusters[victims.CLUSTER].get("namespace", "shop-staging") == attempts.namespace


def test_a_stray_file_that_is_left_in_an_overlay_prunes_nothing(stages: Stack, attempts: Before) -> None:
    stages.until("Argo CD refuses to build", lambda: stages.argo.state(STRAY).startswith("Unknown"))
    assert of(guarded.everything(stages), STRAY) == of(attempts.identities, STRAY) != {}


def test_an_overlay_that_builds_nothing_prunes_nothing(stages: Stack, attempts: Before) -> None:
    stages.until("Argo CD refuses to sync", lambda: "will wipe out all resources" in stages.argo.says(BLANK))
    assert of(guarded.everything(stages), BLANK) == of(attempts.identities, BLANK) != {}


def test_no_attempt_has_changed_anything(stages: Stack, attempts: Before) -> None:
    for name in KIND_NAMES.values():
        stages.until("it is refused", lambda name=name: is_refused(stages, f"{name}-dev"))  # type: ignore[misc]
    mine = [f"{name}-dev" for name in KIND_NAMES.values()]
    assert guarded.outside(guarded.everything(stages), *mine) == attempts.identities


def is_refused(stages: Stack, name: str) -> bool:
    """Return whether Argo CD has rejected the content of an Application."""
    text = stages.argo.says(name)
    return any(refusal in text for refusal in REFUSALS)


def of(identities: guarded.Identities, namespace: str) -> guarded.Identities:
    """Return the objects of one namespace."""
    return {name: uid for name, uid in identities.items() if name.split("/")[1] == namespace}
