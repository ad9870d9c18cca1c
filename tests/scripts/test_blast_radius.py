"""scripts/blast_radius.py reports what a change does to clusters before it is merged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support import engines
from tests.support.checkout import Checkout
from tests.support.repository import examples, installation_id, render

SHOP = "apps/workloads/shop"
NONPROD, PROD = (
    f"ingress-{cluster}-{installation_id(examples()['stages'])}.acme.io" for cluster in ("nonprod", "prod")
)
EFFECTS = ("added", "changed", "deleted", "kept", "replaced", "restarted", "scaled")


def effects(change: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a change that are not empty, without its text."""
    wanted = ("what", "renamed", "moved", *EFFECTS)
    return {key: change[key] for key in wanted if change[key]}


def test_no_change_is_no_radius(checkout: Checkout) -> None:
    report = checkout.blast_radius()
    assert (report["changes"], report["problems"], report["status"]) == ({}, [], 0)
    assert "Nothing changes in any cluster." in checkout.process("blast_radius.py").stdout


def test_what_no_cluster_reads_changes_nothing(checkout: Checkout) -> None:
    checkout.replace("README.md", "## Three zones", "## Zones")
    checkout.replace("bootstrap/preflight.sh", "set -", "# Read-only.\nset -")
    checkout.replace(f"{SHOP}/base/kustomization.yaml", "resources:\n", "# What the workload is.\nresources:\n")
    report = checkout.blast_radius()
    assert (report["changes"], report["status"]) == ({}, 0)


def test_an_image_restarts_and_a_count_scales_where_it_stands_and_nowhere_else(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    checkout.replace(f"{SHOP}/overlays/prod/kustomization.yaml", "count: 4", "count: 6")
    report = checkout.blast_radius()
    assert {name: effects(change) for name, change in report["changes"].items()} == {
        "shop-dev": {"what": "changed", "restarted": ["Deployment/api"]},
        "shop-prod": {"what": "changed", "scaled": ["Deployment/api"]},
    }
    assert "ghcr.io/acme/shop-api:2.8.0-rc.1" in report["changes"]["shop-dev"]["difference"]
    assert report["status"] == 0


def test_a_base_concerns_every_environment(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/base/worker.yaml", "imagePullPolicy: IfNotPresent", "imagePullPolicy: Always")
    changes = checkout.blast_radius()["changes"]
    assert {name: effects(c) for name, c in changes.items()} == {
        f"shop-{environment}": {"what": "changed", "restarted": ["Deployment/worker"]}
        for environment in ("dev", "staging", "prod")
    }


def test_the_first_line_counts_and_equal_differences_are_printed_once(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/base/worker.yaml", "imagePullPolicy: IfNotPresent", "imagePullPolicy: Always")
    headline = "3 applications change, 3 Deployments restart, 2 applications are protected"
    text = checkout.script("blast_radius.py").stdout
    assert text.splitlines()[0] == headline
    heading = "shop in dev, staging and prod (the same in each; shown for shop-dev)"
    assert text.count("--- ") == text.count(f"--- {heading}\n") == 1
    assert "Pods restart:\n  shop in dev, staging and prod: Deployment/worker\n\n" in text
    comment = checkout.script("blast_radius.py", "--markdown").stdout
    assert headline in comment.splitlines()
    assert comment.count("```diff") == comment.count("**shop in dev, staging and prod") == 1
    assert checkout.blast_radius()["headline"] == headline


def test_differences_of_other_values_are_printed_apart(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    checkout.replace(f"{SHOP}/overlays/prod/kustomization.yaml", 'api\n    newTag: "2.7.1"', 'api\n    newTag: "2.8.0"')
    text = checkout.script("blast_radius.py").stdout
    assert "--- shop in dev\n" in text
    assert "--- shop in prod\n" in text


def test_a_workload_that_leaves_is_deleted_or_kept_as_its_environment_says(checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / SHOP)
    report = checkout.blast_radius()
    changes = report["changes"]
    assert {name: change["what"] for name, change in changes.items()} == {
        "shop-dev": "removed", "shop-staging": "kept", "shop-prod": "kept",
    }  # fmt: skip
    assert "Deployment/web" in changes["shop-dev"]["deleted"]
    assert not changes["shop-dev"]["kept"]
    assert "Deployment/web" in changes["shop-prod"]["kept"]
    assert not changes["shop-prod"]["deleted"]
    # Protected routes stay in the cluster, and with them their names.
    assert report["hosts_removed"] == {"shop.dev.acme.io": NONPROD}
    count = len(changes["shop-dev"]["deleted"])
    end = f"{count} objects are deleted, 1 DNS name is removed, 2 applications are protected"
    assert report["headline"] == f"1 application is deleted, 2 lose their owner, {end}"
    assert report["status"] == 1
    assert "Something protected is lost: shop in staging and prod." in report["conclusion"]


def test_what_leaves_an_unprotected_environment_only_is_no_loss(checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / SHOP / "overlays/dev")
    report = checkout.blast_radius()
    assert (list(report["changes"]), report["status"]) == (["shop-dev"], 0)


def test_an_object_that_leaves_a_protected_workload_is_a_loss(checkout: Checkout) -> None:
    checkout.replace("apps/workloads/reports/base/kustomization.yaml", "  - network-policy.yaml\n", "")
    report = checkout.blast_radius()
    deleted = {name: change["deleted"] for name, change in report["changes"].items()}
    assert deleted == {name: ["NetworkPolicy/reports"] for name in ("reports-staging", "reports-prod")}
    assert report["status"] == 1


def test_an_object_that_says_so_is_kept(checkout: Checkout) -> None:
    overlay = "apps/workloads/reports/overlays/prod/kustomization.yaml"
    kept = {"metadata": {"name": "any", "annotations": {"argocd.argoproj.io/sync-options": "Prune=false"}}}
    patch = {"target": {"kind": "NetworkPolicy"}, "patch": json.dumps({"apiVersion": "v1", "kind": "Any"} | kept)}
    checkout.replace(overlay, "resources:\n", f"patches: {json.dumps([patch])}\nresources:\n")
    checkout.commit()
    checkout.replace(overlay, json.dumps([patch]), "[]")
    checkout.replace("apps/workloads/reports/base/kustomization.yaml", "  - network-policy.yaml\n", "")
    changes = checkout.blast_radius()["changes"]
    assert changes["reports-prod"]["kept"] == ["NetworkPolicy/reports"]
    assert changes["reports-staging"]["deleted"] == ["NetworkPolicy/reports"]


def test_a_field_that_cannot_change_is_named(checkout: Checkout) -> None:
    file = checkout.path / "apps/workloads/reports/base/reports.yaml"
    text = file.read_text()
    file.write_text(text.replace("app.kubernetes.io/name: reports", "app.kubernetes.io/name: report"))
    report = checkout.blast_radius()
    assert report["changes"]["reports-prod"]["replaced"] == ["Deployment/reports"]
    assert report["status"] == 1
    assert "kubectl delete deployment reports --namespace reports-prod" in checkout.script("blast_radius.py").stdout


def test_a_workload_made_by_hand_is_found(checkout: Checkout) -> None:
    shutil.copytree(checkout.path / SHOP, checkout.path / "apps/workloads/store")
    shutil.rmtree(checkout.path / "apps/workloads/store/overlays/prod")
    route = checkout.path / "apps/workloads/store/overlays/dev/resources.yaml"
    route.write_text(route.read_text().replace("shop.dev.acme.io", "store.dev.acme.io"))
    report = checkout.blast_radius()
    assert {name: change["what"] for name, change in report["changes"].items()} == {
        "store-dev": "added", "store-staging": "added",
    }  # fmt: skip
    assert report["changes"]["store-dev"]["namespace"] == "store-dev"
    assert report["hosts_added"]["store.dev.acme.io"] == NONPROD
    assert report["status"] == 0


Answers = dict[str, Any]


@pytest.fixture
def answered(checkout: Checkout, template: Path, stages: Answers, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return the blast radius of changed answers."""

    def report(change: Callable[[Answers], None]) -> dict[str, Any]:
        answers = deepcopy(stages)
        change(answers)
        checkout.become(render(template, answers, tmp_path / "rendered"))
        return checkout.blast_radius()

    return report


def test_an_environment_that_moves_leaves_what_ran_behind(answered: Callable[..., dict[str, Any]]) -> None:
    def change(answers: Answers) -> None:
        answers["environments"][1]["cluster"] = "prod"

    report = answered(change)
    moved = {name: change["moved"] for name, change in report["changes"].items() if change["moved"]}
    assert moved == {f"{name}-staging": f"nonprod/{name}-staging → prod/{name}-staging" for name in ("reports", "shop")}
    assert "Deployment/reports" in report["changes"]["reports-staging"]["kept"]
    assert report["hosts_changed"] == {"shop.staging.acme.io": f"{NONPROD} → {PROD}"}
    assert report["status"] == 1


def test_a_renamed_environment_is_called_so(answered: Callable[..., dict[str, Any]]) -> None:
    def change(answers: Answers) -> None:
        text = json.dumps(answers).replace('"prod":', '"live":').replace('"staging", "prod"', '"staging", "live"')
        answers.update(json.loads(text))
        answers["environments"][2]["name"] = "live"

    report = answered(change)
    renamed = {name: (c["what"], c["renamed"]) for name, c in report["changes"].items() if c["renamed"]}
    assert renamed == {
        "reports-live": ("added", "reports-prod"), "reports-prod": ("kept", "reports-live"),
        "shop-live": ("added", "shop-prod"), "shop-prod": ("kept", "shop-live"),
    }  # fmt: skip
    assert report["status"] == 1


def test_a_protected_host_that_goes_is_a_loss(answered: Callable[..., dict[str, Any]]) -> None:
    def change(answers: Answers) -> None:
        answers["workloads"][0]["overrides"]["prod"]["host"] = "shop"

    report = answered(change)
    assert (report["hosts_removed"], report["hosts_added"]) == (
        {"www.acme.com": PROD},
        {"shop.acme.com": PROD},
    )
    assert report["changes"]["shop-prod"]["hosts_removed"] == ["www.acme.com"]
    assert report["status"] == 1


def test_a_further_cluster_changes_nothing_that_runs(answered: Callable[..., dict[str, Any]]) -> None:
    def change(answers: Answers) -> None:
        answers["clusters"].append("spare")

    report = answered(change)
    whats = {name: change["what"] for name, change in report["changes"].items()}
    # One policy names the add-ons of all clusters, another their endpoints.
    policies = {f"policies-config-{cluster}": "changed" for cluster in ("nonprod", "prod")}
    names = ("external-dns", "external-dns-config", "policies-config", "traefik", "traefik-config")
    spare = {f"{name}-spare": "added" for name in names}
    assert whats == policies | spare | {"root": "changed"}
    assert report["changes"]["policies-config-prod"]["changed"] == [
        f"ValidatingAdmissionPolicy/workload-{name}" for name in ("hosts", "own")
    ]
    projects = {f"AppProject/{name}" for name in ("external-dns", "policies", "traefik")}
    assert set(report["changes"]["root"]["changed"]) == projects
    assert (report["problems"], report["status"]) == ([], 0)


def test_values_of_a_chart_are_rendered_by_the_chart(checkout: Checkout) -> None:
    overrides = checkout.path / "apps/platform/external-dns/clusters/prod/overrides.yaml"
    overrides.write_text(overrides.read_text() + "\nlogLevel: debug\n")
    report = checkout.blast_radius()
    assert {name: effects(change) for name, change in report["changes"].items()} == {
        "external-dns-prod": {"what": "changed", "restarted": ["Deployment/external-dns"]}
    }


@pytest.mark.proof
def test_another_version_of_argocd_says_what_it_restarts(checkout: Checkout) -> None:
    (current,), (previous,) = engines.argocd_manifests(), engines.argocd_manifests(pinned_in="data-previous")
    checkout.replace("bootstrap/argocd/kustomization.yaml", current, previous)
    (change,) = checkout.blast_radius()["changes"].values()
    assert "StatefulSet/argocd-application-controller" in change["restarted"]
    # A commit never removes a part of Argo CD.
    assert change["application"] == "argocd"
    assert not change["deleted"]


def test_values_of_secrets_are_not_shown(checkout: Checkout) -> None:
    overlay = f"{SHOP}/overlays/dev/kustomization.yaml"
    generator = 'secretGenerator: [{name: key, literals: ["a=s3cret"], options: {disableNameSuffixHash: true}}]\n'
    checkout.replace(overlay, "resources:\n", f"{generator}resources:\n")
    checkout.commit()
    checkout.replace(overlay, "s3cret", "an0ther")
    result = checkout.script("blast_radius.py")
    assert "shop-dev" in result.stdout
    assert "hidden-" in result.stdout
    assert not {"s3cret", "an0ther", "czNjcmV0", "YW4wdGhlcg=="} & set(result.stdout.replace('"', " ").split())


def test_two_commits_are_compared_whatever_the_working_tree_has(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    checkout.commit()
    shutil.rmtree(checkout.path / SHOP)
    report = checkout.blast_radius("HEAD~1", "HEAD")
    assert list(report["changes"]) == ["shop-dev"]
    before = checkout.git("status", "--porcelain")
    assert checkout.blast_radius("HEAD")["changes"].keys() == {"shop-dev", "shop-staging", "shop-prod"}
    assert checkout.git("status", "--porcelain") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.replace(f"{SHOP}/base/kustomization.yaml", "api.yaml", "ap.yaml"), "ap.yaml"),
        (
            lambda c: c.replace("apps/platform/traefik/addon.yaml", "version: 41.3.0", "version: 41.3.1"),
            'chart "traefik" version "41.3.1" not found',
        ),
        (
            lambda c: c.replace("argo/applicationsets/workloads-dev.yaml", "  goTemplate: true\n", ""),
            "only sets with goTemplate are supported here",
        ),
        (lambda c: c.replace("argo/projects/dev.yaml", "spec:", "spec"), "dev.yaml is not valid YAML"),
    ],
    ids=["overlay", "chart", "set", "yaml"],
)
def test_what_cannot_be_compared_is_never_called_harmless(
    checkout: Checkout, change: Callable[[Checkout], None], message: str
) -> None:
    change(checkout)
    result = checkout.script("blast_radius.py")
    assert result.returncode == 2
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_revision_is_refused(checkout: Checkout) -> None:
    result = checkout.script("blast_radius.py", "no-such-thing")
    assert (result.returncode, result.stdout) == (2, "")
    assert "no-such-thing" in result.stderr


def test_a_pull_request_gets_a_table_and_folded_differences(checkout: Checkout) -> None:
    checkout.replace(f"{SHOP}/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    lines = checkout.script("blast_radius.py", "--markdown").stdout.splitlines()
    assert lines[0] == "### Nothing protected is lost."
    assert "| shop-dev | nonprod | changes, 1 restarted |" in lines
    assert lines.index("<details><summary>Differences</summary>") < lines.index("</details>")


def test_without_dyff_lines_are_compared(checkout: Checkout, tmp_path: Path) -> None:
    for tool in ("helm", "kustomize"):
        (tmp_path / tool).symlink_to(engines.CACHE / "bin" / tool)
    checkout.replace(f"{SHOP}/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    result = checkout.script("blast_radius.py", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert "-        image: ghcr.io/acme/shop-api:2.8.0-rc.1" in result.stdout
    without_tools = checkout.script("blast_radius.py", PATH="/usr/bin:/bin")
    assert without_tools.returncode == 2
    headline, *_, conclusion = without_tools.stdout.splitlines()
    assert headline == "0 applications change, 1 application could not be compared"
    assert conclusion == "Not everything could be compared."
    assert without_tools.stdout.count("kustomize is not installed: install mise (") == 1
