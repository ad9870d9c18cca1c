"""The tests run the versions that the template pins."""

from __future__ import annotations

import yaml

from tests.support import engines
from tests.support.cluster.charts import platform_charts

ARGOCD, EXTERNAL_DNS, KUBERNETES, TRAEFIK = (
    "github.com/argoproj/argo-cd/v3",
    "sigs.k8s.io/external-dns",
    "k8s.io/kubernetes",
    "github.com/traefik/traefik/v3",
)


def version(module: str, pinned_in: str) -> str:
    """The version of a module that a go.mod below tools/ names."""
    return engines.go_module(module, pinned_in=pinned_in).name.partition("@")[2]


def test_argocd_is_of_the_version_that_bootstrap_installs() -> None:
    assert version(ARGOCD, "argocd") == version(ARGOCD, "data")
    (url,) = engines.argocd_manifests()
    template = engines.ROOT / "template/bootstrap/argocd/kustomization.yaml.jinja"
    assert f"  - {url}\n" in template.read_text()


def test_traefik_is_of_the_version_that_its_chart_installs() -> None:
    assert version(TRAEFIK, "traefik") == version(TRAEFIK, "data")


def test_external_dns_is_of_the_version_that_its_chart_installs() -> None:
    (pinned,) = [chart.version for chart in platform_charts() if chart.name == "external-dns"]
    chart = engines.chart("external-dns", pinned)
    assert chart
    application = yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"]
    assert version(EXTERNAL_DNS, "external-dns") == f"v{application}"


def test_kubernetes_is_of_the_minor_version_that_copier_proposes() -> None:
    proposed = yaml.safe_load((engines.ROOT / "copier.yml").read_text())["kubernetes_version"]["default"]
    assert version(KUBERNETES, "kubernetes").startswith(f"v{proposed}.")


def test_the_external_dns_that_an_upgrade_starts_from_is_older() -> None:
    before, now = (version(EXTERNAL_DNS, engine)[1:].split(".") for engine in ("external-dns-previous", "external-dns"))
    assert [int(part) for part in before] < [int(part) for part in now]
