"""EKS adds an AWS role to pods at creation: the policies admit what its webhook adds, and nothing similar.

Here the API server itself adds the same fields. Source: github.com/aws/amazon-eks-pod-identity-webhook, pkg/handler.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster.admission import objections
from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack
from tests.support.policies import maker

NAMESPACE, VOLUME = "whoami-dev", "eks-pod-identity-token"
TRACKING = "argocd.argoproj.io/tracking-id"
KINDS = ("Deployment", "Job", "StatefulSet")
FOLDER = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
SETTINGS = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{FOLDER}/{VOLUME}",
}
ENV = ", ".join(f'Object.spec.FIELD.env{{name: "{name}", value: "{value}"}}' for name, value in SETTINGS.items())
CONTAINER = (
    f"Object.spec.FIELD{{name: c.name, env: [{ENV}], volumeMounts: [Object.spec.FIELD.volumeMounts{{"
    f'name: "{VOLUME}", mountPath: "{FOLDER}", readOnly: true}}]}}'
)
CONTAINERS = (
    "Object{spec: Object.spec{"
    f"containers: object.spec.containers.map(c, {CONTAINER.replace('FIELD', 'containers')}), "
    f"initContainers: object.spec.?initContainers.orValue([]).map(c, {CONTAINER.replace('FIELD', 'initContainers')})"
    "}}"
)
# Not in lists of objects: the API server panics. The pods here have no other volumes.
TOKEN = f'{{"audience": dyn("pods.eks.amazonaws.com"), "expirationSeconds": dyn(86400), "path": dyn("{VOLUME}")}}'
SOURCES = f'{{"sources": [{{"serviceAccountToken": {TOKEN}}}]}}'
VOLUMES = (
    '[JSONPatch{op: "add", path: "/spec/volumes", value: '
    f'[{{"name": dyn("{VOLUME}"), "projected": dyn({SOURCES})}}]}}]'
)


def webhook() -> list[Object]:
    """Return an admission policy that adds the fields of EKS' webhook to the pods of the namespace."""
    identity: Object = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "pod-identity"}}
    pods = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "resourceRules": pods,
        },
        "mutations": [
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": CONTAINERS}},
            {"patchType": "JSONPatch", "jsonPatch": {"expression": VOLUMES}},
        ],
    }
    binding = {"policyName": "pod-identity"}
    return [
        identity | {"kind": "MutatingAdmissionPolicy", "spec": spec},
        identity | {"kind": "MutatingAdmissionPolicyBinding", "spec": binding},
    ]


def named(kind: str) -> Object:
    """Return an object that creates pods with a sidecar, as Argo CD applies it."""
    item, name = maker(kind), f"identity-{kind.lower()}"
    pod = item["spec"] if kind == "Pod" else item["spec"]["template"]["spec"]
    pod["initContainers"] = [pod["containers"][0] | {"name": "sidecar", "restartPolicy": "Always"}]
    labels = {"app": name}
    if kind != "Pod":
        item["spec"]["template"]["metadata"] = {"labels": labels}
    if kind in ("Deployment", "StatefulSet"):
        item["spec"]["selector"] = {"matchLabels": labels}
    identity = f"{NAMESPACE}:x/{kind}:{NAMESPACE}/{name}"
    return item | {"metadata": {"name": name, "namespace": NAMESPACE, "annotations": {TRACKING: identity}}}


@pytest.fixture(scope="module")
def pods(installed: Stack) -> Iterator[dict[str, Object]]:
    """Return the pods that controllers have created, one of each kind."""
    makers, by_hand = [named(kind) for kind in KINDS], named("Pod")

    def acts() -> bool:
        return "workload-tokens" in str(objections(installed.argocd.api, by_hand))

    # The API server follows changes of policies with a short delay.
    with installed.argocd.applied(*webhook()):
        installed.until("it acts", acts)
        with installed.argocd.applied(*makers):

            def found() -> dict[str, Object]:
                names = {named(kind)["metadata"]["name"]: kind for kind in KINDS}
                items = installed.argocd.list("pods", NAMESPACE)
                return {names[p["metadata"]["labels"]["app"]]: p for p in items if "app" in p["metadata"]["labels"]}

            installed.until("every kind has a pod", lambda: found().keys() == {*KINDS})
            yield found()
    installed.until("it acts no more", lambda: not acts())


@pytest.mark.parametrize("kind", KINDS)
def test_pods_that_controllers_make_get_their_aws_role(pods: dict[str, Object], kind: str) -> None:
    spec = pods[kind]["spec"]
    assert VOLUME in {volume["name"] for volume in spec["volumes"]}
    for container in [*spec["containers"], *spec["initContainers"]]:
        assert SETTINGS.items() <= {entry["name"]: entry["value"] for entry in container["env"]}.items()
    assert not spec["automountServiceAccountToken"]
