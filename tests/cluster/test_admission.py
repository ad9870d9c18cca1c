"""The API server itself takes all that a repository brings, without a warning, and refuses what it must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import engines
from tests.cluster.charts import traefik_stand_in
from tests.cluster.stack import Stack
from tests.conftest import Document, Repository, pick
from tests.rendering.charts import render_chart
from tests.rendering.test_argo import argo, platform_applications, workload_applications

TRY = ["apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "--filename=-"]
TRY += ["--dry-run=server", "--validate=strict"]
# Argo CD's own name for it: it knows no other for ApplicationSets.
KNOWN = (
    'Warning: metadata.finalizers: "resources-finalizer.argocd.argoproj.io": prefer a domain-qualified finalizer name'
)
OVERLAY = "apps/workloads/whoami/overlays/dev"


@dataclass
class Trials:
    """What is tried, in namespaces beside those that something runs in.

    Attributes:
        accepted: What the API server has taken already: most of it is the same in every repository.
        namespaces: The namespaces that were made.
    """

    stack: Stack
    traefik: Path
    accepted: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)

    def prepare(self, labels: dict[str, dict[str, str]], documents: list[Document]) -> None:
        """Make the namespaces, labelled as they will be, and the accounts, without which no pod is admitted."""
        made = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": beside(name), "labels": labels[name]}}
            for name in labels
        ]
        self.stack.argocd.apply(*made, *pick(documents, "ServiceAccount"))
        self.namespaces |= {beside(name) for name in labels}

    def accept(self, documents: list[Document]) -> None:
        """Try objects, and the pods that they would make: of their controllers, Pod Security only warns."""
        wanted = {json.dumps(document): document for document in [*documents, *filter(None, map(pod_of, documents))]}
        if new := wanted.keys() - self.accepted:
            assert objections(self.stack, *(wanted[text] for text in sorted(new))) == []
            self.accepted |= new

    def chart(self, repository: Repository, application: Document) -> list[Document]:
        """What a chart renders; Traefik's stand-in, where the real one cannot be had."""
        source = application["spec"]["sources"][0]
        chart = engines.chart(source["chart"], source["targetRevision"]) or self.traefik
        return render_chart(repository, application, chart)


def objections(stack: Stack, *documents: Document) -> list[str]:
    """What the API server says against objects, warnings included; nothing if it takes them."""
    command = ["kubectl", "--context", stack.argocd.name, *TRY]
    result = stack.sandbox.run(*command, stdin="\n---\n".join(map(json.dumps, documents)))
    said = [line for line in result.stderr.splitlines() if line and not line.startswith(KNOWN)]
    assert said or result.returncode == 0
    return said


def refusal(stack: Stack, document: Document) -> str:
    """The same of one object, as one text."""
    return "\n".join(objections(stack, document))


@pytest.fixture(scope="module")
def trials(installed: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """An API server with all definitions installed, and namespaces that are removed afterwards."""
    found = Trials(installed, traefik_stand_in(tmp_path_factory.mktemp("stand-in")))
    yield found
    installed.kubectl("delete", "namespace", *sorted(found.namespaces), "--ignore-not-found")


def beside(namespace: str) -> str:
    """The namespace where the objects of another one are tried."""
    return f"{namespace}-tried"


def moved(document: Document) -> Document:
    """An object in the namespace where it is tried."""
    if "namespace" not in document["metadata"]:
        return document
    namespace = beside(document["metadata"]["namespace"])
    return document | {"metadata": document["metadata"] | {"namespace": namespace}}


def pod_of(document: Document) -> Document | None:
    """The pod that a controller would make, or None where an object makes none."""
    template = document.get("spec", {}).get("template", {})
    if "containers" not in template.get("spec", {}):
        return None
    metadata = template["metadata"] | {key: document["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def namespace_labels(repository: Repository, bootstrap: list[Document]) -> dict[str, dict[str, str]]:
    """The labels of each namespace: what its Application says, else what the bootstrap does."""
    labels = {item["metadata"]["name"]: item["metadata"]["labels"] for item in pick(bootstrap, "Namespace")}
    applications = [*platform_applications(repository), *(made for made, _ in workload_applications(repository))]
    for application in applications:
        spec = application["spec"]
        labels[spec["destination"]["namespace"]] = spec["syncPolicy"]["managedNamespaceMetadata"]["labels"]
    return labels


def test_the_api_server_takes_all_that_a_repository_brings(repository: Repository, trials: Trials) -> None:
    bootstrap = list(repository.build("bootstrap/argocd"))
    if (repository.path / "bootstrap/namespaces.yaml").exists():
        bootstrap += repository.read("bootstrap/namespaces.yaml")
    documents = [*bootstrap, *argo(repository)]
    for _, overlay in workload_applications(repository):
        documents += repository.build(overlay)
    for application in platform_applications(repository):
        documents += trials.chart(repository, application)
    tried = [moved(document) for document in documents]
    trials.prepare(namespace_labels(repository, bootstrap), tried)
    trials.accept(tried)


@pytest.fixture(scope="module")
def whoami(installed: Stack) -> dict[str, Document]:
    """The objects of a workload by kind, under names that nothing has yet."""
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
    """The only container of a pod."""
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
    assert objections(installed, *whoami.values()) == []


@pytest.mark.parametrize(("spoil", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_workloads_namespace_refuses(
    installed: Stack, whoami: dict[str, Document], spoil: Callable[[Document], None], message: str
) -> None:
    pod = deepcopy(whoami["Pod"])
    spoil(pod)
    said = refusal(installed, pod)
    assert 'is forbidden: violates PodSecurity "restricted:latest"' in said
    assert message in said


def test_no_namespace_takes_a_privileged_pod(installed: Stack, whoami: dict[str, Document]) -> None:
    namespaces = ("argocd", "external-dns", "traefik", "whoami-dev")
    for namespace in namespaces:
        pod = deepcopy(whoami["Pod"])
        privileged(pod)
        pod["metadata"]["namespace"] = namespace
        pod["spec"]["serviceAccountName"] = "default"
        assert 'pods "refused" is forbidden: violates PodSecurity "restricted:latest"' in refusal(installed, pod)


def test_a_deployment_is_warned_of_when_its_pods_would_be_refused(
    installed: Stack, whoami: dict[str, Document]
) -> None:
    deployment = deepcopy(whoami["Deployment"])
    privileged(deployment["spec"]["template"])
    assert 'Warning: would violate PodSecurity "restricted:latest": privileged' in refusal(installed, deployment)


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
    assert f".{name}: field not declared in schema" in refusal(installed, document)


def test_an_unknown_kind_is_refused(installed: Stack, whoami: dict[str, Document]) -> None:
    said = refusal(installed, whoami["Deployment"] | {"kind": "Deploymint"})
    assert 'no matches for kind "Deploymint" in version "apps/v1"' in said
