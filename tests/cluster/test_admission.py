"""The API server accepts everything that is rendered, without a warning, and rejects invalid objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import pytest

from tests.support.cluster import layout
from tests.support.cluster.admission import objections, refusal
from tests.support.cluster.sandbox import SandboxError
from tests.support.cluster.scripts import Expected
from tests.support.cluster.stack import Stack
from tests.support.repository import Document, Repository, pick, scenarios

OVERLAY = layout.overlay("whoami", "dev")


@dataclass
class Trials:
    """Apply objects in namespaces beside those in use.

    Attributes:
        accepted: Objects that the API server already accepted: most are the same in every repository.
    """

    stack: Stack
    accepted: set[str] = field(default_factory=set)

    def prepare(self, labels: dict[str, dict[str, str]], documents: list[Document]) -> None:
        """Create the namespaces with their labels, and the objects that pods require for admission."""
        made = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": beside(name), "labels": labels[name]}}
            for name in labels
        ]
        self.stack.argocd.apply(*made, *pick(documents, "ServiceAccount"), *pick(documents, "NetworkPolicy"))

    def accept(self, documents: list[Document]) -> None:
        """Apply objects, and the pods that they would create: for controllers, Pod Security only warns."""
        tried = {json.dumps(document): document for document in [*documents, *filter(None, map(pod_of, documents))]}
        if new := sorted(tried.keys() - self.accepted):
            assert objections(self.stack.argocd.api, *(tried[text] for text in new)) == []
            self.accepted |= set(new)


@pytest.fixture(scope="session")
def trials(installed: Stack) -> Trials:
    """Yield an API server with all definitions installed. The namespaces are deleted with it."""
    return Trials(installed)


def beside(namespace: str) -> str:
    """Return the namespace where the objects of another one are applied."""
    return f"{namespace}-tried"


def moved(document: Document, labels: dict[str, dict[str, str]]) -> Document:
    """Return an object in the namespace where it is applied."""
    if document["metadata"].get("namespace") not in labels:
        return document
    namespace = beside(document["metadata"]["namespace"])
    return document | {"metadata": document["metadata"] | {"namespace": namespace}}


def pod_of(document: Document) -> Document | None:
    """Return the pod that a controller would create, or None for objects without pods."""
    template = document.get("spec", {}).get("template", {})
    if "containers" not in template.get("spec", {}):
        return None
    metadata = template["metadata"] | {key: document["metadata"][key] for key in ("name", "namespace")}
    # The controller of a StatefulSet gives each pod the volumes of its claim templates.
    names = [claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])]
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    spec = template["spec"] | ({"volumes": [*template["spec"].get("volumes", []), *claims]} if claims else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("repository", [*scenarios(), "town"], indirect=True, scope="session")
def test_the_api_server_takes_all_that_a_repository_brings(
    repository: Repository, brought: dict[str, Expected], trials: Trials
) -> None:
    bootstrap = list(repository.build("bootstrap/argocd"))
    if (repository.path / "bootstrap/namespaces.yaml").exists():
        bootstrap += repository.read("bootstrap/namespaces.yaml")
    labels = {item["metadata"]["name"]: item["metadata"]["labels"] for item in pick(bootstrap, "Namespace")}
    # The scripts hide the values of Secrets.
    applications = [application for name, application in brought.items() if name != "argocd"]
    labels |= {a.namespace: a.namespace_labels for a in applications if a.namespace_labels}
    objects = [item for application in applications for item in application.objects if item["kind"] != "Secret"]
    tried = [moved(document, labels) for document in [*bootstrap, *objects]]
    trials.prepare(labels, tried)
    trials.accept(tried)


@pytest.fixture(scope="module")
def whoami(installed: Stack) -> dict[str, Document]:
    """Return the objects of a workload by kind, under unused names."""
    built = {document["kind"]: deepcopy(document) for document in installed.repository.build(OVERLAY)}
    (root,) = installed.repository.read("argo/root-application.yaml")
    for document in (found := built | {"Application": root}).values():
        document["metadata"]["name"] = "refused"
    pod = pod_of(found["Deployment"])
    assert pod
    return found | {"Pod": pod}


def privileged(pod: Document) -> None:
    container(pod)["securityContext"] |= {"privileged": True, "allowPrivilegeEscalation": True}


def root_container(pod: Document) -> None:
    container(pod)["securityContext"]["runAsUser"] = 0


def perhaps_root(pod: Document) -> None:
    pod["spec"]["securityContext"].pop("runAsNonRoot")
    container(pod)["securityContext"].pop("runAsNonRoot", None)


def escalating(pod: Document) -> None:
    container(pod)["securityContext"].pop("allowPrivilegeEscalation")


def files_of_the_node(pod: Document) -> None:
    pod["spec"]["volumes"] = [{"name": "node", "hostPath": {"path": "/"}}]


def network_of_the_node(pod: Document) -> None:
    pod["spec"]["hostNetwork"] = True


def container(pod: Document) -> Document:
    """Return the only container of a pod."""
    (only,) = pod["spec"]["containers"]
    found: Document = only
    return found


FORBIDDEN: dict[str, tuple[Callable[[Document], None], str]] = {
    "a privileged container": (privileged, 'container "whoami" must not set securityContext.privileged=true'),
    "a container of root": (root_container, 'container "whoami" must not set runAsUser=0'),
    "a pod that may run as root": (perhaps_root, "must set securityContext.runAsNonRoot=true"),
    "a process that gains rights": (escalating, "must set securityContext.allowPrivilegeEscalation=false"),
    "the files of the node": (files_of_the_node, 'volume "node" uses restricted volume type "hostPath"'),
    "the network of the node": (network_of_the_node, "host namespaces (hostNetwork=true)"),
}


def test_the_objects_that_are_refused_below_are_right_but_for_one_thing(
    installed: Stack, whoami: dict[str, Document]
) -> None:
    assert objections(installed.argocd.api, *whoami.values()) == []


@pytest.mark.parametrize(("spoil", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_workloads_namespace_refuses(
    installed: Stack, whoami: dict[str, Document], spoil: Callable[[Document], None], message: str
) -> None:
    pod = deepcopy(whoami["Pod"])
    spoil(pod)
    said = refusal(installed.argocd.api, pod)
    assert 'is forbidden: violates PodSecurity "restricted:latest"' in said
    assert message in said


def test_no_namespace_takes_a_privileged_pod(installed: Stack, whoami: dict[str, Document]) -> None:
    namespaces = ("argocd", "external-dns", "traefik", "whoami-dev")
    for namespace in namespaces:
        pod = deepcopy(whoami["Pod"])
        privileged(pod)
        pod["metadata"]["namespace"] = namespace
        pod["spec"]["serviceAccountName"] = "default"
        assert 'pods "refused" is forbidden: violates PodSecurity "restricted:latest"' in refusal(
            installed.argocd.api, pod
        )


def test_a_deployment_is_warned_of_when_its_pods_would_be_refused(
    installed: Stack, whoami: dict[str, Document]
) -> None:
    deployment = deepcopy(whoami["Deployment"])
    privileged(deployment["spec"]["template"])
    assert 'would violate PodSecurity "restricted:latest": privileged' in refusal(installed.argocd.api, deployment)


MISSPELT: dict[str, tuple[str, list[str | int], str]] = {
    "a Deployment": ("Deployment", ["spec", "template", "spec", "containers", 0, "imagePullPolice"], "imagePullPolice"),
    "an IngressRoute": ("IngressRoute", ["spec", "routes", 0, "matches"], "matches"),
    "an Application": ("Application", ["spec", "syncPolicy", "automated", "selfHeel"], "selfHeel"),
}


@pytest.mark.parametrize(("kind", "path", "name"), MISSPELT.values(), ids=MISSPELT)
def test_a_misspelt_field_is_refused_in(
    installed: Stack, whoami: dict[str, Document], kind: str, path: list[str | int], name: str
) -> None:
    document = deepcopy(whoami[kind])
    *parents, last = path
    place = document
    for step in parents:
        place = place[step]  # type: ignore[index]
    place[last] = "x"  # type: ignore[index]
    assert f".{name}: field not declared in schema" in refusal(installed.argocd.api, document)


def test_an_unknown_kind_is_refused(installed: Stack, whoami: dict[str, Document]) -> None:
    item = json.dumps(whoami["Deployment"] | {"kind": "Deploymint"})
    with pytest.raises(SandboxError, match='no matches for kind "Deploymint" in version "apps/v1"'):
        installed.kubectl("apply", "--server-side", "--dry-run=server", "--filename=-", stdin=item)
