"""No changed answer or newer version narrows a project too early without a report."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from copier import run_copy
from copier.errors import UserMessageError

from gitops.objects import Object
from tests.support.answers import ANSWERS_FILE
from tests.support.cluster.victims import two_clusters
from tests.support.guards import compared
from tests.support.repository import ROOT, render

# Templates of sets are filled by Helm.
pytestmark = pytest.mark.usefixtures("downloads")

SCHEMA = json.loads((ROOT / "hooks/answers.schema.json").read_text())
BASE = two_clusters()
BASE["clusters"] = [*BASE["clusters"], "ops"]
DEV, *OTHERS = BASE["environments"]
SHOP, *_ = BASE["workloads"]
QUIET, REFUSED, TOLD = "quiet", "refused", "told"
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/"
CERTIFICATE = BASE["acm_certificate_arn"].replace("certificate/a", "certificate/f")


@dataclass(frozen=True)
class Change:
    """Other answers, and whether the change is safe, rejected before it is written, or reported before the merge."""

    answers: dict[str, Any]
    verdict: str = QUIET
    text: str = ""


def named(old: str, new: str) -> dict[str, Any]:
    """Return the answers that name a cluster, with one of them renamed."""
    clusters = json.loads(json.dumps(BASE["clusters"]).replace(f'"{old}"', f'"{new}"'))
    environments = [e | {"cluster": new} if e["cluster"] == old else e for e in BASE["environments"]]
    argocd = {"argocd_cluster": new} if BASE["argocd_cluster"] == old else {}
    return {"clusters": clusters, "environments": environments} | argocd


# By the answer that changes, and the kind of change.
CHANGES = {
    "repo_url": Change({"repo_url": "https://github.com/acme/new.git"}, REFUSED, "Move the repository"),
    "additional_repo_urls": Change({"additional_repo_urls": ["https://github.com/acme/new.git"]}),
    "repo_private": Change({"repo_private": True}),
    "target_revision": Change({"target_revision": "live"}, TOLD, "reads the branch live instead of main"),
    "installation_id": Change({"installation_id": "other"}, REFUSED, "the id of this repository"),
    "domain": Change({"domain": "acme.org"}),
    "dns_provider": Change({"dns_provider": "cloudflare"}),
    "platform_hosts": Change({"platform_hosts": ["grafana.acme.io"]}),
    "load_balancer": Change({"load_balancer": "eks-auto-mode"}),
    "acm_certificate_arn": Change({"acm_certificate_arn": CERTIFICATE}),
    "aws_region": Change({"aws_region": "eu-central-1"}),
    "aws_account": Change({"aws_account": "123456789012"}),
    "kubernetes_version": Change({"kubernetes_version": "1.34"}),
    "hsts_seconds": Change({"hsts_seconds": 0}),
    "addons": Change({"addons": ["metrics-server"]}),
    "clusters: one more": Change({"clusters": [*BASE["clusters"], "more"]}),
    "clusters: another name": Change(
        named("nonprod", "dev-eu"), TOLD, "of nonprod is admitted only before this change"
    ),
    "clusters: another name of Argo CD's": Change(named("prod", "live"), TOLD, "It recovers alone"),
    "clusters: one less": Change({"clusters": BASE["clusters"][:-1]}, TOLD, "neither prune nor manage it"),
    "argocd_cluster": Change({"argocd_cluster": "ops"}, TOLD, "take the cluster that it runs in for ops"),
    "environments: one more": Change({"environments": [*BASE["environments"], {"name": "live", "cluster": "prod"}]}),
    "environments: one less": Change({"environments": BASE["environments"][:-1], "workloads": [SHOP]}),
    "environments: another cluster": Change(
        {"environments": [DEV | {"cluster": "ops"}, *OTHERS]}, TOLD, "of nonprod is admitted only before this change"
    ),
    "environments: protected": Change({"environments": [DEV | {"protected": True}, *OTHERS]}),
    "limits": Change({"limits": {"replicas": 30}}),
    "registries": Change({"registries": ["ghcr.io/", "example.com/", "docker.io/", ECR]}),
    "priority_classes": Change({"priority_classes": ["batch"]}),
    "monitoring_namespace": Change({"monitoring_namespace": "observability"}),
    "workloads: one more": Change(
        {"workloads": [*BASE["workloads"], {"name": "more", "image": "example.com/more:1.0.0"}]}
    ),
    "workloads: one less": Change({"workloads": BASE["workloads"][1:]}),
    "ci": Change({"ci": "gitlab"}),
}


@pytest.fixture(scope="module")
def base(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, BASE, tmp_path_factory.mktemp("base") / "repository")


def test_every_answer_has_a_change() -> None:
    assert {name.split(":")[0] for name in CHANGES} == SCHEMA["properties"].keys()


# The slow tier has the rest.
QUICK = ("repo_url", "target_revision", "clusters: another name", "workloads: one more")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.proof) for name in CHANGES]
)
def test_a_change_of_an_answer_and_its_revert_lock_nothing_unless_somebody_is_told(
    name: str, base: Path, template: Path, tmp_path: Path
) -> None:
    change = CHANGES[name]
    if change.verdict == REFUSED:
        again = Path(shutil.copytree(base, tmp_path / "again"))
        with pytest.raises(UserMessageError, match=change.text):
            run_copy(str(template), again, data=change.answers, defaults=True, overwrite=True, quiet=True)
        return
    changed = render(template, BASE | change.answers, tmp_path / "changed")
    assert (base / ANSWERS_FILE).read_text() != (changed / ANSWERS_FILE).read_text()
    told, told_of_revert = compared(base, changed), compared(changed, base)
    if change.verdict == QUIET:
        assert told == []
        # A revert removes a separate application again, not a guard.
        assert all("neither prune nor manage" in notice.text for notice in told_of_revert)
    else:
        assert any(change.text in notice.text for notice in told), told
    # In every case, no answer locks the root application.
    assert not [notice for notice in told + told_of_revert if "locks the root application" in notice.text]


ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "traefik-traefik"},
}
FORMER = {
    "repositories": ["https://traefik.github.io/charts"],
    "namespaces": ["traefik"],
    "cluster_kinds": {"rbac.authorization.k8s.io/ClusterRole": ["traefik-traefik"]},
}


@pytest.mark.parametrize("former", [{}, FORMER], ids=["at once", "with what was there before"])
def test_a_version_that_moves_an_add_on_keeps_what_was_there_before(
    former: Object, base: Path, template: Path, tmp_path: Path
) -> None:
    newer = Path(shutil.copytree(template, tmp_path / "newer"))
    file = newer / "template/apps/platform/traefik/addon.yaml"
    moved = file.read_text().replace("https://traefik.github.io/charts", "https://example.com/charts")
    file.write_text(moved.replace("namespace: traefik", "namespace: edge"))
    table = newer / "hooks/addons.json"
    addons = json.loads(table.read_text())
    addons["traefik"]["cluster_kinds"]["rbac.authorization.k8s.io/ClusterRole"] = ["edge-traefik"]
    addons["traefik"] |= {"former": former} if former else {}
    table.write_text(json.dumps(addons))
    told = compared(base, render(newer, BASE, tmp_path / "moved"), {"traefik-prod": [ROLE]})
    texts = [notice.text for notice in told if notice.is_serious]
    if former:
        assert all("only after this change" in text for text in texts)
    else:
        for lost in (
            "repository https://traefik.github.io/charts",
            "namespace traefik of prod",
            "name traefik-traefik",
        ):
            assert any(f"{lost} is admitted only before this change" in text for text in texts)
