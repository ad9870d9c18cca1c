"""The check of the admission policies, with Kyverno: what the API server will refuse is found before the merge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitops import checks
from tests.support import policies
from tests.support.checkout import Checkout, added

pytestmark = pytest.mark.proof
REPORTS = "apps/workloads/reports"
IN_DEV = "apps/workloads/shop/overlays/dev/kustomization.yaml"


def failures(checkout: Checkout, since: str | None = None) -> dict[str, list[str]]:
    """Return the problems of each check that fails."""
    results = checks.run(checkout.path, changed_since=since)
    assert all(result.is_complete for result in results)
    return {result.id: result.problems for result in results if result.problems}


def test_a_rendered_repository_passes(checkout: Checkout) -> None:
    assert {result.state for result in checks.run(checkout.path)} == {checks.State.OK}


REFUSED: dict[str, tuple[Callable[[Checkout], None], str]] = {
    "an image without a tag": (
        lambda c: c.replace(IN_DEV, "2.8.0-rc.1", "latest"),
        "shop-dev: Deployment/shop-api: workload-images: images have a tag other than latest, or a digest",
    ),
    "a host elsewhere": (
        lambda c: c.add(policies.route("Host(`shop.example.org`)")),
        "shop-dev: IngressRoute/tool: workload-hosts: hosts are under dev.acme.io, the domain of the environment",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_policy_refuses_no_other_check_complains_about(checkout: Checkout, name: str) -> None:
    change, message = REFUSED[name]
    change(checkout)
    problems = failures(checkout)
    assert list(problems) == ["policies"]
    assert any(message in problem for problem in problems["policies"]), problems


def test_each_policy_refuses_what_it_is_there_for(checkout: Checkout) -> None:
    wanted = policies.violations("dev.acme.io")
    checkout.add(*(violation.item for violation in wanted.values()))
    said = failures(checkout)["policies"]
    for what, (item, policy, message) in wanted.items():
        lines = [line for line in said if f"shop-dev: {item['kind']}/{item['metadata']['name']}: " in line]
        assert len(lines) == 1, f"{what}: {lines}"
        assert f": {policy}: " in lines[0], what
        assert message in lines[0], what
    assert len(said) == len(wanted)


def test_what_keeps_to_the_policies_passes(checkout: Checkout) -> None:
    checkout.add(*policies.accepted("dev.acme.io"))
    found = failures(checkout)
    assert "policies" not in found, found


def test_an_exception_is_for_one_policy_and_one_workload_in_one_environment(checkout: Checkout) -> None:
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    checkout.replace(f"{REPORTS}/overlays/prod/kustomization.yaml", 'newTag: "1.10"', "newTag: latest")
    exceptions = checkout.path / "apps/platform/policies/exceptions/kustomization.yaml"
    exceptions.write_text(policies.excepted(exceptions.read_text(), "workload-images", "shop-dev"))
    checkout.add(policies.service(type="NodePort"))
    assert sorted(line.rpartition(": ")[0] for line in failures(checkout)["policies"]) == [
        "reports-prod: Deployment/reports: workload-images",
        "shop-dev: Service/tool: workload-services",
    ]


def test_a_kind_of_the_whole_cluster_is_refused_twice(checkout: Checkout) -> None:
    checkout.add(added("PriorityClass", "scheduling.k8s.io/v1", value=1))
    assert failures(checkout) == {
        "projects": [
            "argo/projects/dev.yaml: add below spec.clusterResourceWhitelist, for shop-dev:\n"
            "- group: scheduling.k8s.io\n  kind: PriorityClass\n  name: added"
        ],
        "policies": [
            "shop-dev: PriorityClass/added: workload-kinds: workloads have no objects that belong to the whole cluster"
        ],
    }


def test_a_branch_that_changes_policies_is_held_against_all_workloads(checkout: Checkout) -> None:
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "branch")
    assert failures(checkout, since="main") == {}
    checkout.replace("apps/platform/policies/base/images.yaml", "# What runs is what Git says:", "# What runs is this:")
    assert list(failures(checkout, since="main")) == ["policies"]
