"""Amounts that the admission policies accept and reject: replicas, resources, storage, time to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.policies.objects import Object, Violation, maker, pod, spoilt

MOST = {"replicas": 50, "cpu": "16", "memory": "64Gi", "storage": "1Ti", "stop_seconds": 600}


def scaled(kind: str, replicas: int) -> Object:
    """Return an object that runs a number of pods."""
    item = maker(kind)
    match kind:
        case "CronJob":
            item["spec"]["jobTemplate"]["spec"]["parallelism"] = replicas
        case "Job":
            item["spec"]["parallelism"] = replicas
        case _:
            item["spec"]["replicas"] = replicas
    return item


def autoscaler(most: int, version: str = "v2") -> Object:
    """Return an autoscaler."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tool"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": most}
    kind = "HorizontalPodAutoscaler"
    return {"apiVersion": f"autoscaling/{version}", "kind": kind, "metadata": {"name": "tool"}, "spec": spec}


def budget(policy: str | None = "AlwaysAllow", **spec: Any) -> Object:
    """Return a disruption budget, with a policy for pods that are not ready if it has one."""
    spec = {"selector": {"matchLabels": {"app": "tool"}}} | spec
    if policy:
        spec["unhealthyPodEvictionPolicy"] = policy
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "tool"}, "spec": spec}


def claim(size: str) -> Object:
    """Return a claim of storage."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "tool"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def with_template(size: str) -> Object:
    """Return a StatefulSet whose pods have a claim each."""
    item = maker("StatefulSet")
    item["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim(size)["spec"]}]
    return item


def accepted(domain: str) -> list[Object]:
    """Return objects at their limits."""
    most = pod()
    most["terminationGracePeriodSeconds"] = 600
    most["containers"][0]["resources"] = {
        side: {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "512Gi"} for side in ("requests", "limits")
    }
    most["containers"][0]["lifecycle"] = {"preStop": {"sleep": {"seconds": 300}}}
    most["initContainers"] = [most["containers"][0] | {"name": "first", "restartPolicy": "Always"}]
    most["volumes"] = [{"name": "cache", "emptyDir": {"sizeLimit": "1Ti"}}]
    kinds = ("Deployment", "StatefulSet", "Job", "CronJob")
    return [
        maker(spec=most),
        *(scaled(kind, 50) for kind in kinds),
        scaled("Deployment", 0),
        autoscaler(50),
        claim("1Ti"),
        claim("1024Gi"),
        with_template("1Ti"),
        budget(maxUnavailable=1),
        budget(maxUnavailable=3),
        budget(maxUnavailable="1%"),
        budget(maxUnavailable="100%"),
    ]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each limit."""
    found: dict[str, tuple[Object, str]] = {
        f"too many pods of a {kind}": (scaled(kind, 51), "at most 50 pods, not 51")
        for kind in ("Deployment", "StatefulSet", "Job", "CronJob")
    }
    for version in ("v1", "v2"):
        found[f"an autoscaler of version {version} without measure"] = (autoscaler(51, version), "limits.replicas")
    amounts: dict[str, tuple[str, Callable[[Object, Object], Any]]] = {
        "too much CPU requested": ("of cpu", lambda p, c: c.update(resources=_resources(cpu="17"))),
        "too much memory": ("of memory", lambda p, c: c.update(resources=_resources(memory="65Gi"))),
        "too much CPU in a limit": (
            "of cpu",
            lambda p, c: c["resources"]["limits"].update(cpu="16001m"),
        ),
        "too much ephemeral storage": (
            "of ephemeral storage",
            lambda p, c: c["resources"]["limits"].update({"ephemeral-storage": "2Ti"}),
        ),
        "too much memory in two containers": (
            "of memory",
            lambda p, c: p.update(
                containers=[c | {"name": name, "resources": _resources(memory="33Gi")} for name in ("one", "two")]
            ),
        ),
        "a large volume in memory": (
            "limits.storage",
            lambda p, c: p.update(volumes=[{"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "2Ti"}}]),
        ),
        "a large volume of a pod": (
            "limits.storage",
            lambda p, c: p.update(
                volumes=[{"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": claim("2Ti")["spec"]}}}]
            ),
        ),
        "a pod that does not stop": (
            "limits.stop_seconds",
            lambda p, c: p.update(terminationGracePeriodSeconds=601),
        ),
        "a probe that does not let it stop": (
            "limits.stop_seconds",
            lambda p, c: c.update(livenessProbe={"tcpSocket": {"port": 80}, "terminationGracePeriodSeconds": 86400}),
        ),
    }
    found |= {what: (spoilt(change), message) for what, (message, change) in amounts.items()}
    found |= {
        "a large claim": (claim("1025Gi"), "a volume may have at most 1Ti"),
        "a large claim of a set": (with_template("16Ti"), "limits.storage"),
        "no disruption": (budget(maxUnavailable=0), "use maxUnavailable: 1"),
        "no percentage of disruption": (budget(maxUnavailable="0%"), "use maxUnavailable: 1"),
        "pods that must stay": (budget(minAvailable=1), "use maxUnavailable: 1"),
        "a share of pods that must stay": (budget(minAvailable="100%"), "use maxUnavailable: 1"),
        "a budget that says nothing": (budget(), "use maxUnavailable: 1"),
        "broken pods that must stay": (budget(None, maxUnavailable=1), "add unhealthyPodEvictionPolicy: AlwaysAllow"),
        "broken pods that must stay by policy": (
            budget("IfHealthyBudget", maxUnavailable=1),
            "add unhealthyPodEvictionPolicy: AlwaysAllow",
        ),
    }
    return {what: Violation(item, "workload-limits", message) for what, (item, message) in found.items()}


def _resources(**amounts: str) -> Object:
    """Return resources with an amount as request and as limit."""
    both = {"cpu": "10m", "memory": "16Mi"} | amounts
    return {"requests": both, "limits": both}
