"""No pod of a workload starts in a namespace without an isolating network policy, in any order of its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitops.checks.networks import POLICY
from gitops.objects import load_yaml
from tests.support import policies
from tests.support.cluster.admission import refusal
from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack

NAMESPACE = "isolated-dev"
REFUSED = "ValidatingAdmissionPolicy 'workload-isolation'"


def placed(item: Object) -> Object:
    """Return an object in the namespace."""
    return item | {"metadata": item["metadata"] | {"namespace": NAMESPACE}}


def isolating() -> Object:
    """Return the policy that validate prints."""
    (policy,) = load_yaml(POLICY, "")
    return placed(policy)


def pod() -> Object:
    """Return a pod that no other policy rejects."""
    return placed({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tool"}, "spec": policies.pod()})


@pytest.fixture
def namespace(installed: Stack) -> Iterator[Stack]:
    """Yield an empty namespace of a workload."""
    labels = {"environment": "dev", "pod-security.kubernetes.io/enforce": "restricted"}
    item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    with installed.argocd.applied(item):
        yield installed


def pods(stack: Stack) -> list[Object]:
    """Return the pods in the namespace."""
    return stack.argocd.list("pods", NAMESPACE)


def test_pods_wait_for_the_policy_that_isolates_them(namespace: Stack) -> None:
    namespace.argocd.apply(placed(policies.maker()))

    def is_refused() -> bool:
        return any(REFUSED in event["message"] for event in namespace.argocd.list("events", NAMESPACE))

    namespace.until("the pod is refused", is_refused)
    assert pods(namespace) == []
    namespace.argocd.apply(isolating())
    namespace.until("the pod is there", lambda: len(pods(namespace)) == 1)


SPOILT: dict[str, Callable[[Object], Any]] = {
    "no label": lambda policy: policy["metadata"].pop("labels"),
    "some pods": lambda policy: policy["spec"].update(podSelector={"matchLabels": {"app": "tool"}}),
    "one direction": lambda policy: policy["spec"].update(policyTypes=["Ingress"]),
    "the directions of its rules": lambda policy: policy["spec"].update(policyTypes=[], egress=[]),
}


def test_a_policy_that_isolates_less_lets_no_pod_start(namespace: Stack) -> None:
    api = namespace.argocd.api
    for name, spoil in SPOILT.items():
        policy = isolating()
        spoil(policy)
        with api.applied(policy):
            namespace.until(f"{name}: the pod is refused", lambda: REFUSED in refusal(api, pod()))
    with api.applied(isolating()):
        namespace.until("the pod is admitted", lambda: refusal(api, pod()) == "")


def test_one_good_policy_does_not_cover_for_another(namespace: Stack) -> None:
    api = namespace.argocd.api
    second = isolating()
    second["metadata"]["name"] = "second"
    second["spec"]["podSelector"] = {"matchLabels": {"app": "tool"}}
    with api.applied(isolating(), second):
        namespace.until("the pod is refused", lambda: REFUSED in refusal(api, pod()))
