"""The check finds workloads whose pods no network policy isolates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops import checks
from gitops.checks.networks import POLICY
from gitops.objects import load_yaml
from tests.support.checkout import Checkout, added
from tests.support.policies import maker

OVERLAY = "apps/workloads/hello/overlays/dev"
RENDERED = "apps/workloads/shop/base/network-policy.yaml"
Spoil = Callable[[dict[str, Any]], Any]


def problems(checkout: Checkout) -> list[str]:
    """Return the problems of the check."""
    (result,) = checks.run(checkout.path, only=["networks"])
    assert result.is_complete
    return result.problems


def make_by_hand(checkout: Checkout, *items: dict[str, Any]) -> None:
    """Create a workload of objects in dev."""
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": []}
    for index, item in enumerate(items):
        checkout.write(f"{OVERLAY}/{index}.yaml", item)
        kustomization["resources"].append(f"{index}.yaml")  # type: ignore[attr-defined]
    checkout.write(f"{OVERLAY}/kustomization.yaml", kustomization)


def isolating() -> dict[str, Any]:
    """Return the policy that the check prints."""
    (policy,) = load_yaml(POLICY, "")
    return dict(policy)


def test_a_rendered_repository_passes(checkout: Checkout) -> None:
    assert problems(checkout) == []


def test_a_workload_that_is_made_by_hand_needs_the_policy_that_is_printed(checkout: Checkout) -> None:
    make_by_hand(checkout, maker(), maker("CronJob") | {"metadata": {"name": "clean"}})
    assert problems(checkout) == [
        f"hello-dev: no network policy isolates the pods of Deployment/tool, CronJob/clean; add:\n{POLICY}"
    ]
    make_by_hand(checkout, maker(), isolating())
    assert problems(checkout) == []


def test_a_workload_without_pods_needs_none(checkout: Checkout) -> None:
    make_by_hand(checkout, added("ConfigMap"))
    assert problems(checkout) == []


SPOILT: dict[str, Spoil] = {
    "only ingress": lambda policy: policy["spec"].update(policyTypes=["Ingress"]),
    "only what its rules say": lambda policy: policy["spec"].pop("policyTypes"),
    "no types": lambda policy: policy["spec"].update(policyTypes=[]),
    "some pods": lambda policy: policy["spec"].update(podSelector={"matchLabels": {"app": "tool"}}),
    "pods without a label": lambda policy: policy["spec"].update(
        podSelector={"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}
    ),
    "no selector": lambda policy: policy["spec"].pop("podSelector"),
    "no label": lambda policy: policy["metadata"].pop("labels"),
    "another label": lambda policy: policy["metadata"].update(labels={"isolation": "none"}),
    "a hook": lambda policy: policy["metadata"].update(annotations={"argocd.argoproj.io/hook": "PostSync"}),
    "a hook of Helm": lambda policy: policy["metadata"].update(annotations={"helm.sh/hook": "post-install"}),
    "another API": lambda policy: policy.update(apiVersion="projectcalico.org/v3"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_policy_that_isolates_less_does_not_count(checkout: Checkout, name: str) -> None:
    policy = isolating()
    SPOILT[name](policy)
    make_by_hand(checkout, maker(), policy)
    assert len(problems(checkout)) == 1


def test_the_rendered_policy_cannot_be_patched_away(checkout: Checkout) -> None:
    deleted = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "shop"}}
    checkout.write("apps/workloads/shop/overlays/dev/gone.yaml", deleted | {"$patch": "delete"})
    kustomization = "apps/workloads/shop/overlays/dev/kustomization.yaml"
    text = (checkout.path / kustomization).read_text()
    assert "patches:" not in text or text.count("patches:\n") == 1
    if "patches:\n" in text:
        checkout.replace(kustomization, "patches:\n", "patches:\n  - path: gone.yaml\n")
    else:
        checkout.write(kustomization, f"{text}patches:\n  - path: gone.yaml\n")
    (problem,) = problems(checkout)
    assert problem.startswith("shop-dev: no network policy isolates the pods of Deployment/")


def test_a_branch_is_asked_about_what_it_changes(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "branch")
    make_by_hand(checkout, maker())
    checkout.commit()
    (result,) = checks.run(checkout.path, only=["networks"], changed_since="main")
    assert [problem.partition(":")[0] for problem in result.problems] == ["hello-dev"]
