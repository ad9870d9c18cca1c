"""Workloads as Kustomize builds them: hardened, reachable only as intended, and named as in the answers.

The rendered repository checks that every overlay builds and is valid; test_own_checks.py runs these checks.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import components, expected_host
from tests.support.repository import Document, Repository, pick


def deployments(repository: Repository) -> list[tuple[Document, dict[str, Any], dict[str, Any]]]:
    """Return every built Deployment, with its pod spec and its only container."""
    found = []
    for _, _, overlay in repository.overlays():
        for deployment in pick(repository.build(overlay), "Deployment"):
            pod = deployment["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            found.append((deployment, pod, container))
    return found


def mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]


def selects(selector: dict[str, str], pod_labels: dict[str, str]) -> bool:
    return selector.items() <= pod_labels.items()


def test_every_manifest_is_referenced_by_a_kustomization(repository: Repository) -> None:
    for file in repository.path.glob("apps/workloads/*/**/kustomization.yaml"):
        listed = set(repository.one(str(file.relative_to(repository.path)))["resources"])
        beside = {other.name for other in file.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside == {name for name in listed if not name.startswith("../")}, file


def test_the_overlays_are_those_of_the_answers_and_no_more(repository: Repository) -> None:
    rendered = {str(path.relative_to(repository.path)) for path in repository.path.glob("apps/workloads/*/overlays/*")}
    assert rendered == {overlay for _, _, overlay in repository.overlays()}


def test_namespace_is_workload_and_environment_and_holds_everything(repository: Repository) -> None:
    for workload, environment, overlay in repository.overlays():
        expected = f"{workload['name']}-{environment['name']}"
        assert {document["metadata"]["namespace"] for document in repository.build(overlay)} == {expected}


def test_components_are_called_by_name_never_by_count(repository: Repository) -> None:
    for workload, _, overlay in repository.overlays():
        built = {deployment["metadata"]["name"] for deployment in pick(repository.build(overlay), "Deployment")}
        assert built == {name for name, _ in components(workload)}


def test_images_are_those_of_the_answers(repository: Repository) -> None:
    for workload, environment, overlay in repository.overlays():
        for deployment in pick(repository.build(overlay), "Deployment"):
            part = dict(components(workload))[deployment["metadata"]["name"]]
            override = part.get("overrides", {}).get(environment["name"], {})
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            assert container["image"] == override.get("image", part["image"])


def test_pods_meet_pod_security_restricted_and_more(repository: Repository) -> None:
    for deployment, pod, container in deployments(repository):
        name = deployment["metadata"]["name"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        # A program with this file capability, such as Caddy, does not start without it; others are not affected.
        low = [port for port in container.get("ports", []) if port["containerPort"] < 1024]
        added = {"add": ["NET_BIND_SERVICE"]} if low else {}
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]} | added, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        assert all(set(volume) == {"name", "emptyDir"} for volume in pod.get("volumes", [])), name


def test_pods_have_no_api_token_and_an_own_service_account(repository: Repository) -> None:
    for _, _, overlay in repository.overlays():
        built = repository.build(overlay)
        accounts = {account["metadata"]["name"]: account for account in pick(built, "ServiceAccount")}
        for deployment in pick(built, "Deployment"):
            name, pod = deployment["metadata"]["name"], deployment["spec"]["template"]["spec"]
            assert pod["serviceAccountName"] == name
            assert pod["automountServiceAccountToken"] is accounts[name]["automountServiceAccountToken"] is False


def test_containers_have_requests_and_a_memory_limit_above_them(repository: Repository) -> None:
    for deployment, _, container in deployments(repository):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert {"cpu", "memory"} == requests.keys(), deployment["metadata"]["name"]
        assert mebibytes(limits["memory"]) >= mebibytes(requests["memory"])


def test_containers_with_a_port_are_probed_on_it_and_others_are_not(repository: Repository) -> None:
    for workload, _, overlay in repository.overlays():
        for deployment in pick(repository.build(overlay), "Deployment"):
            part = dict(components(workload))[deployment["metadata"]["name"]]
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            probes = {key: probe for key, probe in container.items() if key.endswith("Probe")}
            if "port" not in part:
                assert not probes and "ports" not in container
                continue
            (port,) = container["ports"]
            assert port["containerPort"] == part["port"]
            assert probes.keys() == {"startupProbe", "readinessProbe", "livenessProbe"}
            # The health path may check a database, whose outage must restart nothing.
            assert probes.pop("livenessProbe")["tcpSocket"] == {"port": port["name"]}
            for probe in probes.values():
                if "health" in part:
                    assert probe["httpGet"] == {"path": part["health"], "port": port["name"]}
                else:
                    assert probe["tcpSocket"] == {"port": port["name"]}


def test_a_rollout_is_degraded_before_long_but_after_its_pods_had_their_time_to_start(repository: Repository) -> None:
    """In a protected environment, the next commit waits for a hanging release this long."""
    for deployment, _, container in deployments(repository):
        deadline = deployment["spec"]["progressDeadlineSeconds"]
        probe = container.get("startupProbe", {"periodSeconds": 0, "failureThreshold": 0})
        assert probe["periodSeconds"] * probe["failureThreshold"] + 120 < deadline <= 300


def test_ports_below_1024_can_be_bound_by_a_process_that_is_not_root(repository: Repository) -> None:
    for deployment, pod, container in deployments(repository):
        privileged = any(port["containerPort"] < 1024 for port in container.get("ports", []))
        allowed = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"} in pod["securityContext"].get(
            "sysctls", []
        )
        assert privileged == allowed, deployment["metadata"]["name"]


def test_a_component_has_a_service_on_its_own_port_exactly_if_it_has_one(repository: Repository) -> None:
    for workload, _, overlay in repository.overlays():
        built = repository.build(overlay)
        expected = {name: part["port"] for name, part in components(workload) if "port" in part}
        services = {service["metadata"]["name"]: service["spec"] for service in pick(built, "Service")}
        assert {name: spec["ports"][0]["port"] for name, spec in services.items()} == expected
        pods = {d["metadata"]["name"]: d["spec"]["template"] for d in pick(built, "Deployment")}
        for name, spec in services.items():
            met = [pod for pod, template in pods.items() if selects(spec["selector"], template["metadata"]["labels"])]
            assert met == [name]
            (port,) = pods[name]["spec"]["containers"][0]["ports"]
            assert (spec["ports"][0]["targetPort"], spec["ports"][0]["port"]) == (port["name"], port["containerPort"])


def test_routes_answer_for_the_hosts_of_the_answers_and_lead_to_a_service_with_that_port(
    repository: Repository,
) -> None:
    endpoints = {cluster["name"]: cluster["ingress_host"] for cluster in repository.clusters}
    for workload, environment, overlay in repository.overlays():
        built = repository.build(overlay)
        host = expected_host(workload, environment)
        routes = pick(built, "IngressRoute")
        assert len(routes) == (1 if host else 0), overlay
        for route in routes:
            (rule,) = route["spec"]["routes"]
            assert rule["match"] == f"Host(`{host}`)"
            assert route["spec"]["entryPoints"] == ["websecure"]
            assert "tls" not in route["spec"], "TLS ends at the load balancer"
            assert route["metadata"]["annotations"] == {
                "external-dns.kubernetes.io/target": endpoints[environment["cluster"]]
            }
            (target,) = rule["services"]
            (service,) = [s for s in pick(built, "Service") if s["metadata"]["name"] == target["name"]]
            assert target["port"] == service["spec"]["ports"][0]["port"]


def test_traefik_reaches_the_public_port_and_nothing_else(repository: Repository) -> None:
    for _, _, overlay in repository.overlays():
        built = repository.build(overlay)
        open_to_traefik = [
            (policy["spec"]["podSelector"]["matchLabels"], port["port"])
            for policy in pick(built, "NetworkPolicy")
            for rule in policy["spec"]["ingress"]
            if any("namespaceSelector" in peer for peer in rule["from"])
            for port in rule["ports"]
        ]
        routed = [
            (service["spec"]["selector"], service["spec"]["ports"][0]["port"])
            for route in pick(built, "IngressRoute")
            for service in pick(built, "Service")
            if service["metadata"]["name"] == route["spec"]["routes"][0]["services"][0]["name"]
        ]
        assert all(entry in open_to_traefik for entry in routed)
        assert len(open_to_traefik) <= 1


def test_policies_isolate_the_namespace_and_keep_the_instance_metadata_away(repository: Repository) -> None:
    for _, _, overlay in repository.overlays():
        policies = pick(repository.build(overlay), "NetworkPolicy")
        (isolation,) = [policy["spec"] for policy in policies if policy["spec"]["podSelector"] == {}]
        assert isolation["ingress"] == [{"from": [{"podSelector": {}}]}]
        dns, elsewhere = isolation["egress"]
        assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
        blocks = {peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"] for peer in elsewhere["to"] if "ipBlock" in peer}
        assert blocks == {"0.0.0.0/0": ["169.254.169.254/32"], "::/0": ["fd00:ec2::254/128"]}
        pods = [d["spec"]["template"]["metadata"]["labels"] for d in pick(repository.build(overlay), "Deployment")]
        for policy in policies:
            selector = policy["spec"]["podSelector"].get("matchLabels", {})
            assert any(selects(selector, labels) for labels in pods), policy["metadata"]["name"]


def test_replicas_autoscaling_and_budgets_follow_the_answers(repository: Repository) -> None:
    for workload, environment, overlay in repository.overlays():
        built = repository.build(overlay)
        scalers = {
            scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]
            for scaler in pick(built, "HorizontalPodAutoscaler")
        }
        budgets = {budget["metadata"]["name"]: budget["spec"] for budget in pick(built, "PodDisruptionBudget")}
        for deployment in pick(built, "Deployment"):
            name = deployment["metadata"]["name"]
            part = dict(components(workload))[name]
            override = part.get("overrides", {}).get(environment["name"], {})
            chosen = override if {"replicas", "autoscaling"} & override.keys() else part
            if "autoscaling" in chosen:
                auto = (
                    {"min": min(2, chosen["autoscaling"]["max"]), "cpu": 80}
                    | part.get("autoscaling", {})
                    | chosen["autoscaling"]
                )
                assert "replicas" not in deployment["spec"]
                assert (scalers[name]["minReplicas"], scalers[name]["maxReplicas"]) == (auto["min"], auto["max"])
                assert scalers[name]["metrics"][0]["resource"]["target"]["averageUtilization"] == auto["cpu"]
                least = auto["min"]
            else:
                least = chosen.get("replicas", 2)
                assert deployment["spec"]["replicas"] == least
                assert name not in scalers
            assert (name in budgets) == (least > 1)
            if name in budgets:
                assert budgets[name]["maxUnavailable"] == 1
                assert budgets[name]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
                assert selects(
                    budgets[name]["selector"]["matchLabels"], deployment["spec"]["template"]["metadata"]["labels"]
                )


def test_pods_spread_over_nodes_but_never_wait_for_it(repository: Repository) -> None:
    for deployment, pod, _ in deployments(repository):
        (constraint,) = pod["topologySpreadConstraints"]
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        assert selects(constraint["labelSelector"]["matchLabels"], deployment["spec"]["template"]["metadata"]["labels"])
        assert "affinity" not in pod


@pytest.fixture(scope="module")
def shop(stages: Repository) -> dict[str, dict[str, Document]]:
    """Return the Deployments of the workload `shop`, by environment and name."""
    return {
        environment["name"]: {d["metadata"]["name"]: d for d in pick(stages.build(overlay), "Deployment")}
        for workload, environment, overlay in stages.overlays()
        if workload["name"] == "shop"
    }


def container(deployment: Document) -> Document:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_an_environment_variable_is_overridden_in_one_environment_only(shop: dict[str, dict[str, Document]]) -> None:
    values = {
        environment: {variable["name"]: variable["value"] for variable in container(built["api"])["env"]}
        for environment, built in shop.items()
    }
    unchanged = {"FEATURE_CHECKOUT": "false", "WORKERS": "4"}
    assert values == {
        "dev": {"LOG_LEVEL": "debug"} | unchanged,
        "staging": {"LOG_LEVEL": "info"} | unchanged,
        "prod": {"LOG_LEVEL": "info"} | unchanged,
    }


def test_resources_are_overridden_in_one_environment_only(shop: dict[str, dict[str, Document]]) -> None:
    requests = {
        environment: container(built["web"])["resources"]["requests"]["cpu"] for environment, built in shop.items()
    }
    assert requests == {"dev": "50m", "staging": "50m", "prod": "250m"}


def test_what_is_tuned_by_hand_arrives(stages: Repository) -> None:
    (deployment,) = pick(stages.build("apps/workloads/reports/overlays/prod"), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/arch": "arm64"}
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10001
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert container(deployment)["command"] == ["/app/reports"]
    assert container(deployment)["resources"] == {
        "requests": {"cpu": "1", "memory": "512Mi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }
    mounts = {mount["mountPath"]: mount["name"] for mount in container(deployment)["volumeMounts"]}
    assert mounts == {"/tmp": "tmp", "/var/cache/reports": "var-cache-reports"}
    assert {volume["name"] for volume in pod["volumes"]} == set(mounts.values())
