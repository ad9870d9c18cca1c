"""Each cluster gets its own applications, and no others."""

from __future__ import annotations

from tests.support.cluster import layout, vault, victims
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.stack import Stack


def namespaces(cluster: Kubernetes) -> set[str]:
    """Return the namespaces of a cluster, without those that Kubernetes creates."""
    return {item["metadata"]["name"] for item in cluster.list("namespaces")} - {
        "default", "kube-system", "kube-public", "kube-node-lease",
    }  # fmt: skip


def test_each_environment_is_in_its_cluster_and_in_no_other(stages: Stack) -> None:
    expected: dict[str, set[str]] = {name: set(layout.CHARTS) for name in stages.clusters}
    expected[stages.argocd.name].add("argocd")
    expected[victims.CLUSTER] |= {f"{name}-dev" for name in (victims.BY_HAND, vault.NAME)}
    expected[stages.argocd.name].add(f"{vault.NAME}-prod")
    for workload, environment, _ in stages.repository.overlays():
        expected[environment["cluster"]].add(f"{workload['name']}-{environment['name']}")
    assert {name: namespaces(cluster) for name, cluster in stages.clusters.items()} == expected


def test_two_environments_share_a_cluster(stages: Stack) -> None:
    assert {"shop-dev", "shop-staging"} <= namespaces(stages.clusters[victims.CLUSTER])


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
        assert f"--txt-owner-id={given['dns_owner_id']}" in container["args"]


def test_routes_point_to_the_endpoint_of_their_own_cluster(stages: Stack) -> None:
    for given in stages.repository.clusters:
        everywhere = stages.clusters[given["name"]].list("ingressroutes")
        # Traefik's own route has no host, so it has no record either.
        routes = [route for route in everywhere if route["metadata"]["namespace"] != "traefik"]
        assert routes
        targets = {route["metadata"]["annotations"]["external-dns.kubernetes.io/target"] for route in routes}
        assert targets == {given["ingress_host"]}


def test_argocd_runs_in_one_cluster_only(stages: Stack) -> None:
    assert stages.argocd.get("crd", "applications.argoproj.io")
    assert not stages.clusters[victims.CLUSTER].get("crd", "applications.argoproj.io")


def test_a_cluster_that_is_not_registered_holds_up_only_its_own_applications(stages: Stack) -> None:
    assert stages.argocd.get("secret", f"cluster-{victims.CLUSTER}", "argocd")

    def arrived() -> bool:
        found = stages.argocd.get("deployment", "api", "shop-prod")
        return bool(found and found["spec"]["replicas"] == 5)

    with stages.undone():
        stages.kubectl("delete", "secret", f"cluster-{victims.CLUSTER}", "--namespace=argocd")
        try:
            stages.checkout.edit(layout.kustomization("shop", "prod"), "count: 4", "count: 5")
            stages.publish("Scale prod while the other cluster cannot be reached")
            stages.until("prod has the change", arrived)
            assert stages.clusters[victims.CLUSTER].get("deployment", "api", "shop-dev")
        finally:
            stages.register(victims.CLUSTER)
