"""The check of the admission policies, with Kyverno, finds violations before the merge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import checks
from tests.support import attacks, policies
from tests.support.checkout import Checkout, added, committed
from tests.support.repository import render

pytestmark = pytest.mark.proof
REPORTS = "apps/workloads/reports"
IN_DEV = "apps/workloads/shop/overlays/dev/kustomization.yaml"


def failures(checkout: Checkout, since: str | None = None) -> dict[str, list[str]]:
    """Return the problems of each check that fails."""
    results = checks.run(checkout.path, changed_since=since)
    assert all(result.is_complete for result in results)
    return {result.id: result.problems for result in results if result.problems}


def test_a_rendered_repository_passes(checkout: Checkout) -> None:
    states = {result.id: result.state for result in checks.run(checkout.path)}
    # Without recorded digests of charts, checksums of tools, and owners.
    noted = {"charts": checks.State.SKIPPED, "locks": checks.State.NOTE, "owners": checks.State.NOTE}
    assert states == dict.fromkeys(states, checks.State.OK) | noted


REFUSED: dict[str, tuple[Callable[[Checkout], None], str]] = {
    "an image without a tag": (
        lambda c: c.replace(IN_DEV, "2.8.0-rc.1", "latest"),
        "shop-dev: Deployment/api: workload-images: images must have a tag other than latest, or a digest",
    ),
    "a host elsewhere": (
        lambda c: c.add(*policies.served("Host(`shop.example.org`)", "ingress-nonprod.acme.io")),
        "shop-dev: IngressRoute/tool: workload-hosts: hosts must be under dev.acme.io, the domain of the environment",
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


def test_nothing_that_an_author_writes_beside_it_lets_a_violation_pass(checkout: Checkout) -> None:
    marks = [fields for name, fields in {**policies.METADATA, **policies.MARKS}.items() if "generated" not in name]
    violations = policies.violations("dev.acme.io")
    wanted = [violation.item for what, violation in violations.items() if what != "the finalizer of a hook"]
    # Each with two of them: together every violation meets every kind of metadata.
    items = [
        policies.marked(item, *(marks[(index * step + step) % len(marks)] for step in (1, 7)))
        for index, item in enumerate(wanted)
    ]
    checkout.add(*items)
    said = "\n".join(failures(checkout)["policies"])
    for item in items:
        assert f"shop-dev: {item['kind']}/{item['metadata']['name']}: workload-" in said, item


def test_kinds_that_an_operator_brings_are_held_against_policies_too(checkout: Checkout) -> None:
    owned = added("ExternalSecret", "external-secrets.io/v1", spec={})
    owned["metadata"]["finalizers"] = ["example.com/forever"]
    checkout.add(owned, added("Kafka", "kafka.strimzi.io/v1beta2", spec={}))
    (problem,) = failures(checkout)["policies"]
    assert problem.startswith(
        "shop-dev: ExternalSecret/added: workload-own: only controllers set owners and finalizers"
    )


def test_what_keeps_to_the_policies_passes(checkout: Checkout) -> None:
    checkout.add(*policies.accepted("dev.acme.io"))
    found = failures(checkout)
    assert "policies" not in found, found


@pytest.fixture
def nested(template: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a repository in which the domain of prod is inside that of dev."""
    domains = [{"name": "dev", "domain": "acme.io"}, {"name": "prod", "domain": "shop.acme.io"}]
    answers = attacks.ANSWERS | {"environments": domains, "workloads": [attacks.ANSWERS["workloads"][1]]}
    return Checkout(committed(render(template, answers, tmp_path / "nested")), environment)


def test_a_host_belongs_to_the_environment_with_the_longest_domain(nested: Checkout) -> None:
    hosts = {"a/dev": "a.acme.io", "b/dev": "shop.acme.io", "c/dev": "c.shop.acme.io", "d/dev": "ashop.acme.io"}
    for place, host in (hosts | {"e/prod": "d.shop.acme.io"}).items():
        name, environment = place.split("/")
        overlay = f"apps/workloads/{name}/overlays/{environment}"
        namespace = {"namespace": f"{name}-{environment}"}
        kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"} | namespace
        nested.write(f"{overlay}/kustomization.yaml", kustomization | {"resources": ["route.yaml"]})
        objects = policies.served(f"Host(`{host}`)", "ingress-main.acme.io")
        nested.write(f"{overlay}/route.yaml", {"apiVersion": "v1", "kind": "List", "items": objects})
    message = "IngressRoute/tool: workload-hosts: hosts must be under acme.io, the domain of the environment"
    assert failures(nested) == {
        "policies": [
            f"b-dev: {message}, but not under shop.acme.io of another: shop.acme.io",
            f"c-dev: {message}, but not under shop.acme.io of another: c.shop.acme.io",
        ]
    }


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
            "shop-dev: PriorityClass/added: workload-own: the application shop-dev may write only into its own "
            "namespace; this belongs to the whole cluster: move it, or remove it"
        ],
    }


def test_a_branch_that_changes_policies_is_held_against_all_workloads(checkout: Checkout) -> None:
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "branch")
    assert failures(checkout, since="main") == {}
    checkout.replace(
        "apps/platform/policies/base/images.yaml", "# Git must state exactly what runs:", "# Git states what runs:"
    )
    assert list(failures(checkout, since="main")) == ["policies"]
