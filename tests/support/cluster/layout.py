"""Return names and paths of a rendered repository that the cluster tests use."""

from __future__ import annotations

APPLICATIONSETS, PROJECTS = "argo/applicationsets", "argo/projects"
WORKLOADS, PLATFORM = "apps/workloads", "apps/platform"
POLICIES = "policies"
POLICY_EXCEPTIONS = f"{PLATFORM}/{POLICIES}/exceptions/kustomization.yaml"
# The add-ons that a chart installs, each in the namespace of the same name.
CHARTS = ("external-dns", "traefik")
# The projects that every repository has, and the ApplicationSets of the add-ons: both are protected.
PLATFORM_PROJECTS = ("bootstrap", POLICIES, *CHARTS)
CHARTS_SET, CONFIG_SET = "charts", "config"


def addon(name: str) -> str:
    """Return the folder of an add-on."""
    return f"{PLATFORM}/{name}"


def policies(cluster: str) -> str:
    """Return the folder of the policies' application in a cluster."""
    return f"{addon(POLICIES)}/clusters/{cluster}"


def overlay(workload: str, environment: str) -> str:
    """Return the folder of a workload's application in an environment."""
    return f"{WORKLOADS}/{workload}/overlays/{environment}"


def kustomization(workload: str, environment: str) -> str:
    """Return the file with the images and replicas of a workload in an environment."""
    return f"{overlay(workload, environment)}/kustomization.yaml"


def values(name: str) -> str:
    """Return the file of an add-on's values for every cluster."""
    return f"{addon(name)}/values.yaml"


def overrides(name: str, cluster: str) -> str:
    """Return the file with users' settings of an add-on in a cluster."""
    return f"{addon(name)}/clusters/{cluster}/overrides.yaml"


def workloads_set(environment: str) -> str:
    """Return the file of the ApplicationSet of an environment."""
    return f"{APPLICATIONSETS}/workloads-{environment}.yaml"


def applicationset(name: str) -> str:
    """Return the file of an ApplicationSet."""
    return f"{APPLICATIONSETS}/{name}.yaml"


def project(name: str) -> str:
    """Return the file of a project."""
    return f"{PROJECTS}/{name}.yaml"


def platform_applications(cluster: str) -> set[str]:
    """Return the names of the Applications of the platform in one cluster."""
    configs = (f"{addon}-config-{cluster}" for addon in (POLICIES, *CHARTS))
    return {*configs, *(f"{chart}-{cluster}" for chart in CHARTS)}
