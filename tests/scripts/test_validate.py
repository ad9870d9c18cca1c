"""scripts/validate.py of a rendered repository: each check finds what it is there for, and says the way out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests import policies
from tests.conftest import examples, render
from tests.scripts.conftest import Checkout

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"
SHOP, REPORTS = "apps/workloads/shop", "apps/workloads/reports"
IN_DEV = f"{SHOP}/overlays/dev/kustomization.yaml"


def failures(checkout: Checkout, *arguments: str) -> dict[str, list[str]]:
    """The checks that fail, with what each says."""
    result = checkout.script("validate.py", *arguments)
    assert "Traceback" not in result.stderr, result.stderr
    found: dict[str, list[str]] = {}
    checks = [line for line in result.stdout.splitlines() if line.startswith(("ok ", "FAILED "))]
    assert len(checks) > 10, result.stdout + result.stderr
    for line in result.stdout.splitlines():
        if line.startswith("FAILED "):
            found[line.removeprefix("FAILED ")] = []
        elif line.startswith("       "):
            found[list(found)[-1]].append(line.strip())
    assert result.returncode == bool(found)
    assert bool(found) == ("run scripts/validate.py again" in result.stdout)
    return found


@pytest.mark.parametrize("example", examples())
def test_a_rendered_repository_passes(
    example: str, template: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    checkout = Checkout(render(template, examples()[example], tmp_path / "repository"), environment)
    checkout.git("init", "--quiet")
    assert failures(checkout) == {}


def write(checkout: Checkout, name: str, item: Any) -> None:
    """Make a file of the working tree."""
    file = checkout.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(item if isinstance(item, str) else f"{json.dumps(item)}\n")


def add(checkout: Checkout, *items: dict[str, Any], overlay: str = f"{SHOP}/overlays/dev") -> None:
    """Add objects to an overlay."""
    texts = ["".join(f"{key}: {json.dumps(value)}\n" for key, value in item.items()) for item in items]
    write(checkout, f"{overlay}/added.yaml", "---\n".join(texts))
    checkout.replace(f"{overlay}/kustomization.yaml", "resources:\n", "resources:\n  - added.yaml\n")


def core(kind: str, version: str = "v1", **fields: Any) -> dict[str, Any]:
    """An object."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "added"}} | fields


def twice(checkout: Checkout) -> None:
    """Have a workload once more, under another name."""
    shutil.copytree(checkout.path / SHOP, checkout.path / "apps/workloads/store")


BREAKS: dict[str, tuple[str, Callable[[Checkout], None], str]] = {
    "a conflict": (
        "nothing is left of a conflict",
        lambda c: write(c, "notes/ours.txt", CONFLICT),
        "notes/ours.txt:1: has a conflict marker",
    ),
    "what was not merged": (
        "nothing is left of a conflict",
        lambda c: write(c, "README.md.rej", "+line\n"),
        "README.md.rej: is what could not be merged",
    ),
    "an edited answer": (
        "the answers are those that were rendered",
        lambda c: c.replace(".copier-answers.yml", "replicas: 4", "replicas: 5"),
        ".copier-answers.yml: workloads.shop was edited here, which renders nothing",
    ),
    "an added entry": (
        "the answers are those that were rendered",
        lambda c: c.replace(".copier-answers.yml", "- nonprod\n", "- nonprod\n- third\n"),
        ".copier-answers.yml: clusters.third was edited here",
    ),
    "a removed entry": (
        "the answers are those that were rendered",
        lambda c: c.replace(".copier-answers.yml", "- name: staging\n  cluster: nonprod\n  protected: true\n", ""),
        ".copier-answers.yml: environments.staging was edited here",
    ),
    "a space too many": (
        "YAML is clean",
        lambda c: c.replace(IN_DEV, "namespace: shop-dev", "namespace:  shop-dev"),
        f"{IN_DEV}:3:12: [error] too many spaces after colon (colons)",
    ),
    "a key twice": (
        "YAML is clean",
        lambda c: c.replace(IN_DEV, "namespace: shop-dev\n", "namespace: shop-dev\nnamespace: shop-dev\n"),
        'duplication of key "namespace"',
    ),
    "a folder in upper case": (
        "folders can be applications",
        lambda c: write(c, "apps/workloads/Shop/overlays/dev/kustomization.yaml", "resources: []\n"),
        "apps/workloads/Shop/overlays/dev: Shop-dev cannot be an Application",
    ),
    "a misspelt environment": (
        "folders can be applications",
        lambda c: write(c, f"{SHOP}/overlays/tset/kustomization.yaml", "resources: []\n"),
        f"{SHOP}/overlays/tset: no ApplicationSet in argo/applicationsets reads it",
    ),
    "a missing file": (
        "every application builds",
        lambda c: (c.path / f"{REPORTS}/overlays/prod/../../base/network-policy.yaml").unlink(),
        "reports-prod",
    ),
    "values that the chart refuses": (
        "every application builds",
        lambda c: write(c, "apps/platform/traefik/values/overrides-prod.yaml", "deployment:\n  replicas: many\n"),
        "traefik-prod",
    ),
    "an unknown version of a chart": (
        "every application builds",
        lambda c: c.replace("argo/applicationsets/platform.yaml", "version: 1.22.0", "version: 0.0.7"),
        'chart "external-dns" version "0.0.7" not found',
    ),
    "a misspelt field": (
        "its objects are valid",
        lambda c: c.replace(f"{REPORTS}/base/reports.yaml", "revisionHistoryLimit:", "revisionHistorylimit:"),
        "reports-prod: Deployment/reports: at '/spec': additional properties 'revisionHistorylimit' not allowed",
    ),
    "a misspelt field of a custom resource": (
        "its objects are valid",
        lambda c: add(c, policies.route("-") | {"spec": {"routes": [], "entryPoint": ["websecure"]}}),
        "shop-dev: IngressRoute/tool: at '/spec': additional properties 'entryPoint' not allowed",
    ),
    "a value that nothing reads": (
        "values are read by their chart",
        lambda c: write(c, "apps/platform/external-dns/values/overrides-prod.yaml", "replicaCuont: 2\n"),
        "apps/platform/external-dns/values/overrides-prod.yaml: replicaCuont is nothing that chart external-dns",
    ),
    "an image of the platform without a tag": (
        "images of the platform are pinned",
        lambda c: write(c, "apps/platform/external-dns/values/overrides-prod.yaml", "image:\n  tag: latest\n"),
        "external-dns-prod: Deployment/external-dns: registry.k8s.io/external-dns/external-dns:latest has no fixed tag",
    ),
    "a namespace": (
        "workloads bring nothing foreign",
        lambda c: add(c, core("Namespace") | {"metadata": {"name": "shop-dev"}}),
        "shop-dev: has a Namespace; Argo CD makes shop-dev",
    ),
    "a host twice": (
        "hosts are unique",
        twice,
        "store-prod: www.acme.com is the host of shop-prod, too",
    ),
    "a kind that the project forbids": (
        "projects admit what is built",
        lambda c: add(
            c,
            core("Role", "rbac.authorization.k8s.io/v1", rules=[]),
        ),
        "shop-dev: project dev does not admit it; argo/projects/dev.yaml lacks under namespaceResourceWhitelist: "
        '{"group": "rbac.authorization.k8s.io", "kind": "Role"}',
    ),
    "another repository": (
        "projects admit what is built",
        lambda c: c.replace("argo/projects/platform.yaml", "https://traefik.github.io/charts", "https://example.com"),
        "lacks under sourceRepos: https://traefik.github.io/charts",
    ),
    "a destination": (
        "projects admit what is built",
        lambda c: c.replace("argo/projects/prod.yaml", 'namespace: "*-prod"\n  # The', 'namespace: "*-live"\n  # The'),
        'argo/projects/prod.yaml lacks under destinations: {"name": "prod", "namespace": "shop-prod"}',
    ),
    "an image without a tag": (
        "policies admit it",
        lambda c: c.replace(IN_DEV, "2.8.0-rc.1", "latest"),
        "shop-dev: Deployment/shop-api: workload-images: images have a tag other than latest, or a digest",
    ),
    "a host elsewhere": (
        "policies admit it",
        lambda c: add(c, policies.route("Host(`shop.example.org`)")),
        "shop-dev: IngressRoute/tool: workload-hosts: hosts are under dev.acme.io, the domain of the environment",
    ),
    "a secret": (
        "no secret is here",
        lambda c: write(c, "notes.txt", "".join(["aws_key = 'AKIA", "Z7QX4LRW2NDK3J5T'\n"])),
        "notes.txt:1: looks like a secret (aws-access-token)",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_check_finds_and_no_other_complains(checkout: Checkout, what: str) -> None:
    check, change, message = BREAKS[what]
    change(checkout)
    found = failures(checkout)
    assert list(found) == [check]
    assert any(message in line for line in found[check]), found[check]


def test_each_policy_refuses_what_it_is_there_for(checkout: Checkout) -> None:
    wanted = policies.violations("dev.acme.io")
    add(checkout, *(violation.item for violation in wanted.values()))
    said = failures(checkout)["policies admit it"]
    for what, (item, policy, message) in wanted.items():
        lines = [line for line in said if f"shop-dev: {item['kind']}/{item['metadata']['name']}: " in line]
        assert len(lines) == 1, f"{what}: {lines}"
        assert f": {policy}: " in lines[0], what
        assert message in lines[0], what
    assert len(said) == len(wanted)


def test_what_keeps_to_the_policies_passes(checkout: Checkout) -> None:
    add(checkout, *policies.accepted("dev.acme.io"))
    found = failures(checkout)
    assert "policies admit it" not in found, found


def test_an_exception_is_for_one_policy_and_one_workload_in_one_environment(checkout: Checkout) -> None:
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    checkout.replace(f"{REPORTS}/overlays/prod/kustomization.yaml", 'newTag: "1.10"', "newTag: latest")
    exceptions = checkout.path / "apps/platform/policies/exceptions/kustomization.yaml"
    exceptions.write_text(policies.excepted(exceptions.read_text(), "workload-images", "shop-dev"))
    add(checkout, policies.service(type="NodePort"))
    assert sorted(line.rpartition(": ")[0] for line in failures(checkout)["policies admit it"]) == [
        "reports-prod: Deployment/reports: workload-images",
        "shop-dev: Service/tool: workload-services",
    ]


def test_a_kind_of_the_whole_cluster_is_refused_twice(checkout: Checkout) -> None:
    add(checkout, core("PriorityClass", "scheduling.k8s.io/v1", value=1))
    assert failures(checkout) == {
        "projects admit what is built": [
            "shop-dev: project dev does not admit it; argo/projects/dev.yaml lacks under clusterResourceWhitelist: "
            '{"group": "scheduling.k8s.io", "kind": "PriorityClass", "name": "added"}'
        ],
        "policies admit it": [
            "shop-dev: PriorityClass/added: workload-kinds: workloads have no objects that belong to the whole cluster"
        ],
    }


def test_the_kinds_of_an_operator_pass_where_their_project_admits_them(checkout: Checkout) -> None:
    add(checkout, core("ExternalSecret", "external-secrets.io/v1", spec={"refreshInterval": "1h"}))
    assert failures(checkout) == {}


def test_remote_resources_are_named(checkout: Checkout) -> None:
    remote = "https://github.com/mallory/evil//base"
    checkout.replace(IN_DEV, "resources:\n", f"resources:\n  - {remote}\n")
    found = failures(checkout)
    assert f"{IN_DEV}: {remote} is not in this repository" in found["workloads bring nothing foreign"][0]


def test_text_that_only_looks_like_a_conflict_passes(checkout: Checkout) -> None:
    write(checkout, "ours.md", "Heading\n=======\n\n> <<<<<<< quoted\n<<<<<<<<<< ten\n")
    assert failures(checkout) == {}


def test_answers_in_another_style_are_the_same_answers(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io", 'domain: "acme.io"')
    assert failures(checkout) == {}


def test_a_conflict_in_the_answers_is_told_without_a_traceback(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io\n", CONFLICT)
    assert "nothing is left of a conflict" in failures(checkout)


def test_only_what_a_branch_touches_is_checked(checkout: Checkout) -> None:
    checkout.replace(f"{REPORTS}/overlays/prod/kustomization.yaml", "newTag: ", "newTag: latest # ")
    write(checkout, "apps/platform/external-dns/values/overrides-prod.yaml", "replicaCuont: 2\n")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "branch")
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    write(checkout, "notes/ours.txt", CONFLICT)
    assert {name: len(said) for name, said in failures(checkout, "--changed", "main").items()} == {
        "nothing is left of a conflict": 1,
        "policies admit it": 1,
    }
    assert failures(checkout).keys() > {"policies admit it", "values are read by their chart"}


def test_a_branch_that_changes_policies_is_held_against_all_workloads(checkout: Checkout) -> None:
    checkout.replace(IN_DEV, "2.8.0-rc.1", "latest")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "branch")
    assert failures(checkout, "--changed", "main") == {}
    checkout.replace("apps/platform/policies/images.yaml", "# What runs is what Git says:", "# What runs is this:")
    assert list(failures(checkout, "--changed", "main")) == ["policies admit it"]


def test_the_host_of_a_workload_that_a_branch_does_not_touch_is_taken(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "branch")
    add(checkout, policies.route("Host(`shop.staging.acme.io`)"), overlay=f"{REPORTS}/overlays/staging")
    assert failures(checkout, "--changed", "main") == {
        "hosts are unique": ["reports-staging: shop.staging.acme.io is the host of shop-staging, too"]
    }


def test_a_repository_that_has_left_its_template_passes(checkout: Checkout, template: Path, tmp_path: Path) -> None:
    answers = deepcopy(examples()["minimal"])
    left = Checkout(render(template, answers, tmp_path / "left"), checkout.environment)
    left.git("init", "--quiet")
    (left.path / ".copier-answers.yml").unlink()
    (left.path / ".copier-answers.schema.json").unlink()
    assert failures(left) == {}
