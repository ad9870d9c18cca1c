"""The checks of a rendered repository: each finds its kind of problem, and no other check complains."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from gitops import checks
from tests.support import policies
from tests.support.checkout import Checkout, added
from tests.support.repository import examples, installation_id, render

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"
SHOP, REPORTS = "apps/workloads/shop", "apps/workloads/reports"
NONPROD = f"ingress-nonprod-{installation_id(examples()['stages'])}.acme.io"
# Policies are checked in test_policies.py, with Kyverno.
WITHOUT_POLICIES = [check.id for check in checks.all_checks() if check.id != "policies"]
IN_DEV = f"{SHOP}/overlays/dev/kustomization.yaml"


def failures(checkout: Checkout, since: str | None = None) -> dict[str, list[str]]:
    """Return the problems of each check that fails."""
    results = checks.run(checkout.path, only=WITHOUT_POLICIES, changed_since=since)
    assert [result.id for result in results] == WITHOUT_POLICIES
    is_built = next(result for result in results if result.id == "builds").state is not checks.State.FAILED
    assert all(result.is_complete for result in results) or not is_built
    assert all(bool(result.problems) == (result.state is checks.State.FAILED) for result in results)
    return {result.id: result.problems for result in results if result.problems}


def twice(checkout: Checkout) -> None:
    """Duplicate a workload under another name."""
    shutil.copytree(checkout.path / SHOP, checkout.path / "apps/workloads/store")


def with_route_of_traefik(checkout: Checkout, host: str) -> None:
    """Add a route to the add-on Traefik."""
    folder = "apps/platform/traefik/clusters/nonprod"
    (route, _) = policies.served(f"Host(`{host}`)", NONPROD)
    route["metadata"]["namespace"] = "traefik"
    checkout.write(f"{folder}/route.json", json.dumps(route))
    checkout.replace(f"{folder}/kustomization.yaml", "resources:\n", "resources:\n  - route.json\n")


BREAKS: dict[str, tuple[str, Callable[[Checkout], None], str]] = {
    "a conflict": (
        "conflicts",
        lambda c: c.write("notes/ours.txt", CONFLICT),
        "notes/ours.txt:1: a conflict marker",
    ),
    "what was not merged": (
        "conflicts",
        lambda c: c.write("README.md.rej", "+line\n"),
        "README.md.rej: a change that could not be merged",
    ),
    "an edited answer": (
        "answers",
        lambda c: c.replace(".copier-answers.yml", "replicas: 4", "replicas: 5"),
        ".copier-answers.yml: workloads.shop was edited here. Edits here have no effect",
    ),
    "an added entry": (
        "answers",
        lambda c: c.replace(".copier-answers.yml", "\nclusters:\n", "\nclusters:\n- third\n"),
        ".copier-answers.yml: clusters.third was edited here",
    ),
    "a removed entry": (
        "answers",
        lambda c: c.replace(".copier-answers.yml", "- name: staging\n  cluster: nonprod\n  protected: true\n", ""),
        ".copier-answers.yml: environments.staging was edited here",
    ),
    "a space too many": (
        "yaml",
        lambda c: c.replace(IN_DEV, "namespace: shop-dev", "namespace:  shop-dev"),
        f"{IN_DEV}:3:12: [error] too many spaces after colon (colons)",
    ),
    "a key twice": (
        "yaml",
        lambda c: c.write("notes/own.yaml", "key: 1\nkey: 2\n"),
        'duplication of key "key"',
    ),
    "a folder in upper case": (
        "folders",
        lambda c: c.write("apps/workloads/Tools/overlays/dev/kustomization.yaml", "resources: []\n"),
        "apps/workloads/Tools/overlays/dev: Tools is not a workload name",
    ),
    "a misspelt environment": (
        "folders",
        lambda c: c.write(f"{SHOP}/overlays/tset/kustomization.yaml", "resources: []\n"),
        f"{SHOP}/overlays/tset: no ApplicationSet in argo/applicationsets reads it: tset is not an environment",
    ),
    "values that the chart refuses": (
        "builds",
        lambda c: c.write("apps/platform/traefik/clusters/prod/overrides.yaml", "deployment:\n  replicas: many\n"),
        "traefik-prod",
    ),
    "an unknown version of a chart": (
        "builds",
        lambda c: c.replace("apps/platform/external-dns/addon.yaml", "version: 1.22.0", "version: 0.0.7"),
        'chart "external-dns" version "0.0.7" not found',
    ),
    "a misspelt field": (
        "schemas",
        lambda c: c.replace(f"{REPORTS}/base/reports.yaml", "revisionHistoryLimit:", "revisionHistorylimit:"),
        "reports-prod: Deployment/reports: at '/spec': additional properties 'revisionHistorylimit' not allowed",
    ),
    "a misspelt field of a custom resource": (
        "schemas",
        lambda c: c.add(policies.route("-") | {"spec": {"routes": [], "entryPoint": ["websecure"]}}),
        "shop-dev: IngressRoute/tool: at '/spec': additional properties 'entryPoint' not allowed",
    ),
    "a value that nothing reads": (
        "values",
        lambda c: c.write("apps/platform/external-dns/clusters/prod/overrides.yaml", "replicaCuont: 2\n"),
        "apps/platform/external-dns/clusters/prod/overrides.yaml: replicaCuont has no effect: chart external-dns",
    ),
    "a nested value that nothing reads": (
        "values",
        lambda c: c.write("apps/platform/traefik/clusters/prod/overrides.yaml", "deployment:\n  minReadySecond: 5\n"),
        "apps/platform/traefik/clusters/prod/overrides.yaml: deployment.minReadySecond has no effect: chart traefik",
    ),
    "an image of the platform without a tag": (
        "images",
        lambda c: c.write("apps/platform/external-dns/clusters/prod/overrides.yaml", "image:\n  tag: latest\n"),
        "external-dns-prod: Deployment/external-dns: registry.k8s.io/external-dns/external-dns:latest has no fixed tag",
    ),
    "a namespace": (
        "own",
        lambda c: c.add(added("Namespace") | {"metadata": {"name": "shop-dev"}}),
        "shop-dev: Namespace/shop-dev: remove its Namespace: Argo CD creates shop-dev",
    ),
    "a host twice": (
        "hosts",
        twice,
        "store-prod: www.acme.com is a host of shop-prod already",
    ),
    "a route that ends TLS": (
        "routes",
        lambda c: c.replace(f"{SHOP}/overlays/dev/resources.yaml", "    - websecure\n", "    - websecure\n  tls: {}\n"),
        "shop-dev: IngressRoute/shop: spec.tls: remove it",
    ),
    "a host of an add-on that external-dns does not manage": (
        "routes",
        lambda c: with_route_of_traefik(c, "grafana.acme.io"),
        "traefik-config-nonprod: IngressRoute/tool: grafana.acme.io gets no DNS record: add it to the answer",
    ),
    "a route without a target": (
        "routes",
        lambda c: c.replace(
            f"{SHOP}/overlays/dev/resources.yaml",
            f"  annotations:\n    external-dns.kubernetes.io/target: {NONPROD}\n",
            "",
        ),
        "shop-dev: IngressRoute/shop: metadata.annotations: add external-dns.kubernetes.io/target",
    ),
    "a route to a port that its Service lacks": (
        "routes",
        lambda c: c.replace(f"{SHOP}/overlays/dev/resources.yaml", "port: 8080\n", "port: 80\n"),
        "shop-dev: IngressRoute/shop: spec.routes[0]: Service web has no port 80 (it has 8080 (http))",
    ),
    "a kind that the project forbids": (
        "projects",
        lambda c: c.add(added("Role", "rbac.authorization.k8s.io/v1", rules=[])),
        "argo/projects/dev.yaml: add below spec.namespaceResourceWhitelist, for shop-dev:\n"
        "- group: rbac.authorization.k8s.io\n  kind: Role",
    ),
    "another repository": (
        "projects",
        lambda c: c.replace("argo/projects/traefik.yaml", "https://traefik.github.io/charts", "https://example.com"),
        "spec.sourceRepos, for traefik-nonprod, traefik-prod:\n- https://traefik.github.io/charts",
    ),
    "a destination": (
        "projects",
        lambda c: c.replace("argo/projects/prod.yaml", 'namespace: "*-prod"\n  # The', 'namespace: "*-live"\n  # The'),
        "argo/projects/prod.yaml: add below spec.destinations, for shop-prod:\n- name: prod\n  namespace: shop-prod",
    ),
    "a secret": (
        "secrets",
        lambda c: c.write("notes.txt", "".join(["aws_key = 'AKIA", "Z7QX4LRW2NDK3J5T'\n"])),
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


NAMES_OF_KEYS = """
env: {A: {secret: session-2024-v7f3k9, key: jwtRS256.key}}
secretKeyRef:
  name: b
  key: jwtRS256.key.pub
items:
  - key: jwtRS256.key.pub
    path: b
dataFrom:
  - extract:
      key: prod/plausible/maxmind
data:
  - secretKey: jwtRS256.key.pub
    remoteRef:
      key: prod/shop/jwtRS256.key.pub
"""


def test_the_name_of_a_key_of_a_secret_is_no_secret(checkout: Checkout) -> None:
    checkout.write("notes.yaml", NAMES_OF_KEYS.lstrip())
    assert failures(checkout) == {}


def test_a_key_that_is_no_reference_is_a_secret(checkout: Checkout) -> None:
    checkout.write("notes.yaml", "service:\n  name: b\n  key: jwtRS256.key.pub\n")
    assert "notes.yaml:3: looks like a secret (generic-api-key)" in failures(checkout)["secrets"][0]


def test_patches_that_merge_into_something_invalid_are_named_with_their_fix(checkout: Checkout) -> None:
    container = {
        "name": "web",
        "env": [{"name": "DB_HOST", "value": "db.local", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
        "readinessProbe": {"tcpSocket": {"port": "http"}},
    }
    spec = {"strategy": {"type": "Recreate"}, "template": {"spec": {"containers": [container]}}}
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    checkout.replace(IN_DEV, "patches:\n", f"patches:\n  - patch: {json.dumps(json.dumps(item))}\n")
    web = "shop-dev: Deployment/web: spec"
    removed = "exclude each other: keep one. A patch of Kustomize removes a field of its base with"
    assert failures(checkout) == {
        "validation": [
            f"{web}.strategy: type Recreate and rollingUpdate {removed} rollingUpdate: null",
            f"{web}.template.spec.containers[web].env[DB_HOST]: value and valueFrom {removed} value: null",
            f"{web}.template.spec.containers[web].readinessProbe: httpGet and tcpSocket {removed} httpGet: null",
        ]
    }


def test_the_kinds_of_an_operator_pass_where_their_project_admits_them(checkout: Checkout) -> None:
    checkout.add(added("ExternalSecret", "external-secrets.io/v1", spec={"refreshInterval": "1h"}))
    assert failures(checkout) == {}


def test_remote_resources_are_named(checkout: Checkout) -> None:
    remote = "https://github.com/mallory/evil//base"
    checkout.replace(IN_DEV, "resources:\n", f"resources:\n  - {remote}\n")
    found = failures(checkout)
    assert f"{IN_DEV}: resources[0]: {remote} is not a path in this repository" in found["local"][0]
    assert list(found) == ["local", "builds"]


def test_a_missing_file_is_named_and_what_needs_it_is_not_built(checkout: Checkout) -> None:
    (checkout.path / f"{REPORTS}/base/network-policy.yaml").unlink()
    found = failures(checkout)
    assert found["local"] == [f"{REPORTS}/base/kustomization.yaml: resources[1]: network-policy.yaml does not exist"]
    assert all(": not built: " in problem for problem in found["builds"])
    assert list(found) == ["local", "builds"]


def test_values_that_a_chart_passes_on_unread_are_read(checkout: Checkout) -> None:
    source_ranges = "service:\n  spec:\n    loadBalancerSourceRanges:\n      - 203.0.113.0/24\n"
    capabilities = "securityContext:\n  capabilities:\n    add:\n      - NET_BIND_SERVICE\n"
    checkout.write("apps/platform/traefik/clusters/prod/overrides.yaml", source_ranges + capabilities)
    assert failures(checkout) == {}


def test_text_that_only_looks_like_a_conflict_passes(checkout: Checkout) -> None:
    checkout.write("ours.md", "Heading\n=======\n\n> <<<<<<< quoted\n<<<<<<<<<< ten\n")
    assert failures(checkout) == {}


def test_a_kubernetes_without_schemas_is_said_and_no_failure(checkout: Checkout) -> None:
    answers = checkout.path / ".copier-answers.yml"
    answers.write_text(
        re.sub(r"^kubernetes_version: .*$", "kubernetes_version: '1.99'", answers.read_text(), flags=re.M)
    )
    (result,) = checks.run(checkout.path, only=["schemas"])
    assert (result.state, result.is_complete) == (checks.State.SKIPPED, True)
    assert result.reason.startswith("no schemas of Kubernetes 1.99, only up to 1.")


def test_answers_in_another_style_are_the_same_answers(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io", 'domain: "acme.io"')
    assert failures(checkout) == {}


def test_a_conflict_in_the_answers_is_told_without_a_traceback(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io\n", CONFLICT)
    assert "conflicts" in failures(checkout)


def test_only_what_a_branch_touches_is_checked(checkout: Checkout) -> None:
    checkout.add(added("ConfigMap", dataa={}), overlay=f"{REPORTS}/overlays/prod")
    checkout.write("apps/platform/external-dns/clusters/prod/overrides.yaml", "replicaCuont: 2\n")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "branch")
    checkout.add(added("ConfigMap", dataa={}))
    checkout.write("notes/ours.txt", CONFLICT)
    assert {name: len(said) for name, said in failures(checkout, since="main").items()} == {
        "conflicts": 1,
        "schemas": 1,
    }
    assert failures(checkout).keys() > {"schemas", "values"}


def test_the_host_of_a_workload_that_a_branch_does_not_touch_is_taken(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "branch")
    route, service = policies.served("Host(`shop.staging.acme.io`)", "ingress-nonprod.acme.io")
    checkout.add(route, service, overlay=f"{REPORTS}/overlays/staging")
    assert failures(checkout, since="main") == {
        "hosts": ["reports-staging: shop.staging.acme.io is a host of shop-staging already"]
    }


def test_a_host_that_a_wildcard_certificate_does_not_cover_is_noted(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/overlays/dev/resources.yaml", "`shop.dev.acme.io`", "`api.shop.dev.acme.io`")
    (result,) = checks.run(checkout.path, only=["routes"])
    assert (result.state, result.problems) == (checks.State.NOTE, [])
    assert result.notes == [
        "shop-dev: IngressRoute/shop: api.shop.dev.acme.io is not one label below dev.acme.io, so a certificate for "
        "*.dev.acme.io does not cover it: add it to your certificate (docs/domain-configuration.md)"
    ]


def test_a_hook_that_is_made_by_hand_can_be_left_out_by_argocd(checkout: Checkout) -> None:
    migration = added("Job", "batch/v1")
    migration["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PreSync"}
    checkout.add(migration, overlay=f"{SHOP}/overlays/dev")
    (result,) = checks.run(checkout.path, only=["hooks"])
    assert (result.state, result.problems) == (checks.State.NOTE, [])
    assert [note.partition(": a commit")[0] for note in result.notes] == ["shop-dev: Job/added"]


def test_the_jobs_of_answers_run_in_every_release(with_jobs: Checkout) -> None:
    (result,) = checks.run(with_jobs.path, only=["hooks"])
    assert result.state == checks.State.OK


def test_a_repository_that_has_left_its_template_passes(checkout: Checkout, template: Path, tmp_path: Path) -> None:
    answers = deepcopy(examples()["minimal"])
    left = Checkout(render(template, answers, tmp_path / "left"), {})
    left.git("init", "--quiet")
    (left.path / ".copier-answers.yml").unlink()
    (left.path / ".copier-answers.schema.json").unlink()
    assert failures(left) == {}
