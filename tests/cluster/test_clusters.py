"""Several clusters: the right things arrive at the right one."""

from __future__ import annotations

from tests.support.cluster import layout, victims
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.stack import Stack


def namespaces(cluster: Kubernetes) -> set[str]:
    """The namespaces of a cluster, without those that Kubernetes makes."""
    return {item["metadata"]["name"] for item in cluster.list("namespaces")} - {
        "default", "kube-system", "kube-public", "kube-node-lease",
    }  # fmt: skip


def test_each_environment_is_in_its_cluster_and_in_no_other(stages: Stack) -> None:
    expected: dict[str, set[str]] = {name: set(layout.CHARTS) for name in stages.clusters}
    expected[stages.argocd.name] |= {"argocd", f"{victims.BY_HAND}-dev"}
    for workload, environment, _ in stages.repository.overlays():
        expected[environment["cluster"]].add(f"{workload['name']}-{environment['name']}")
    assert {name: namespaces(cluster) for name, cluster in stages.clusters.items()} == expected


def test_two_environments_share_a_cluster(stages: Stack) -> None:
    assert {"shop-dev", "shop-staging"} <= namespaces(stages.clusters["nonprod"])


def test_each_cluster_runs_the_platform_with_its_own_values(stages: Stack) -> None:
    for given in stages.repository.clusters:
        cluster = stages.clusters[given["name"]]
        service = cluster.get("service", "traefik", "traefik")
        assert service
        annotations = service["metadata"]["annotations"]
        assert annotations["service.beta.kubernetes.io/aws-load-balancer-ssl-cert"] == given["acm_certificate_arn"]
        assert annotations["external-dns.kubernetes.io/hostname"] == given["ingress_host"]
        external_dns = cluster.get("deployment", "external-dns", "external-dns")
        assert external_dns
        (container,) = external_dns["spec"]["template"]["spec"]["containers"]
        assert f"--txt-owner-id=stages-gitops-{given['name']}" in container["args"]


def test_routes_point_to_the_endpoint_of_their_own_cluster(stages: Stack) -> None:
    for given in stages.repository.clusters:
        routes = stages.clusters[given["name"]].list("ingressroutes")
        assert routes
        targets = {route["metadata"]["annotations"]["external-dns.kubernetes.io/target"] for route in routes}
        assert targets == {given["ingress_host"]}


def test_argocd_runs_in_one_cluster_only(stages: Stack) -> None:
    assert stages.argocd.get("crd", "applications.argoproj.io")
    assert not stages.clusters["prod"].get("crd", "applications.argoproj.io")


def test_a_cluster_that_is_not_registered_holds_up_only_its_own_applications(stages: Stack) -> None:
    assert stages.argocd.get("secret", "cluster-prod", "argocd")

    def arrived() -> bool:
        found = stages.argocd.get("deployment", "shop-api", "shop-dev")
        return bool(found and "2.8.1" in str(found["spec"]["template"]))

    with stages.undone():
        stages.kubectl("delete", "secret", "cluster-prod", "--namespace=argocd")
        try:
            stages.checkout.edit(layout.kustomization("shop", "dev"), "2.8.0-rc.1", "2.8.1")
            stages.publish("Release to dev while prod cannot be reached")
            stages.until("dev has the release", arrived)
            assert stages.clusters["prod"].get("deployment", "shop-api", "shop-prod")
        finally:
            stages.register("prod")
