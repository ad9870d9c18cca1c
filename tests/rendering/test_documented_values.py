"""The charts accept the values that docs/operations.md shows for overrides.yaml, and the values have an effect."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.applications import Application
from tests.support.argocd import applications, objects
from tests.support.repository import Repository, pick

AWS = "service.beta.kubernetes.io/aws-load-balancer-"


def documented(repository: Repository, heading: str) -> list[tuple[str, str]]:
    """Return each block below a heading, with the add-on whose overrides.yaml it is for."""
    _, _, section = (repository.path / "docs/operations.md").read_text().partition(f"\n## {heading}\n")
    section = section.partition("\n## ")[0]
    blocks = re.findall(
        r"apps/platform/([a-z-]+)/clusters/<cluster>/overrides\.yaml`.*?```yaml\n(.*?)```", section, re.DOTALL
    )
    assert blocks and len(blocks) == section.count("```yaml")
    return [(addon, block) for addon, block in blocks]


@pytest.fixture(params=["every-load-balancer+none+cloudflare", "every-load-balancer+gitlab+route53"])
def writable(request: pytest.FixtureRequest, repositories: Callable[[str], Repository], tmp_path: Path) -> Repository:
    """Return a copy of a repository with a cluster for each kind of load balancer."""
    original = repositories(request.param)
    shutil.copytree(original.path, tmp_path / "repository")
    return Repository(original.name, tmp_path / "repository", original.answers)


def overridden(repository: Repository, heading: str) -> list[Application]:
    """Write the blocks below a heading to every cluster's overrides, and return the Applications of their charts."""
    blocks = documented(repository, heading)
    for addon, block in blocks:
        for file in repository.path.glob(f"apps/platform/{addon}/clusters/*/overrides.yaml"):
            file.write_text(block)
    addons = {addon for addon, _ in blocks}
    created = applications(repository).values()
    found = [app for app in created if app.spec["project"] in addons and "chart" in app.sources[0]]
    assert len(found) == len(addons) * len(repository.clusters)
    return found


def test_the_load_balancer_of_every_kind_becomes_internal(writable: Repository) -> None:
    kinds = {cluster["name"]: cluster["load_balancer"] for cluster in writable.clusters}
    for application in overridden(writable, "Use an internal load balancer"):
        (service,) = [
            s for s in pick(objects(writable, application), "Service") if s["spec"].get("type") == "LoadBalancer"
        ]
        annotations = service["metadata"]["annotations"]
        if kinds[application.cluster] == "legacy":
            assert annotations[f"{AWS}internal"] == "true"
        else:
            assert annotations[f"{AWS}scheme"] == "internal"
        assert f"{AWS}ssl-cert" in annotations, "the other annotations stay"


def test_only_the_cdn_reaches_the_load_balancer_behind_a_waf(writable: Repository) -> None:
    for application in overridden(writable, "Put a WAF in front"):
        built = objects(writable, application)
        if application.spec["project"] == "traefik":
            (service,) = [s for s in pick(built, "Service") if s["spec"].get("type") == "LoadBalancer"]
            assert service["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]
        else:
            (deployment,) = pick(built, "Deployment")
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            env = {variable["name"]: variable for variable in container["env"]}
            assert env["EXTERNAL_DNS_CLOUDFLARE_PROXIED"]["value"] == "true"
            assert env["CF_API_TOKEN"]["valueFrom"]["secretKeyRef"]["name"] == "cloudflare-api-token"
