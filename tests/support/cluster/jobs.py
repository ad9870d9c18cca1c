"""Control Jobs: no container runs, so the image tag (nodes.py) or a test decides how a pod ends."""

from __future__ import annotations

from typing import Any

from tests.support.cluster.api import Object, Objects
from tests.support.cluster.kubernetes import Kubernetes

# A workload with release jobs, and the component that has them.
WORKLOAD = "orders"
WEB: dict[str, Any] = {
    "name": "web",
    "image": "example.com/orders:1.0.0-hangs",
    "port": 8080,
    "files": {"/etc/orders.conf": "level = 1\n"},
    "schedules": {"report": {"cron": "0 3 1 1 *", "command": ["/app", "report"]}},
}
JOBS: dict[str, Any] = {"before_release": ["/app", "migrate"], "after_release": ["/app", "warm"]}
DATABASE: dict[str, Any] = {"name": "db", "image": "example.com/database:1.0.0", "kind": "statefulset", "port": 5432}


def with_workload(answers: dict[str, Any], environments: list[str], web: dict[str, Any]) -> dict[str, Any]:
    """Return answers with that workload in some environments."""
    workload = {"name": WORKLOAD, "environments": environments, "host": False, "components": [web, DATABASE]}
    return answers | {"workloads": [*answers["workloads"], workload]}


def image(item: Object) -> str:
    """Return the tag of the first container of a Job or a Deployment."""
    (container, *_) = item["spec"]["template"]["spec"]["containers"]
    return str(container["image"]).rpartition(":")[2]


def ended(job: Object) -> str:
    """Return the result of a Job: Complete or Failed; empty while it runs."""
    conditions = {c["type"] for c in job.get("status", {}).get("conditions", []) if c["status"] == "True"}
    return next(iter(conditions & {"Complete", "Failed"}), "")


def running(cluster: Kubernetes, job: str, namespace: str) -> Objects:
    """Return the running pods of a Job."""
    pods = cluster.list("pods", namespace, selector=f"batch.kubernetes.io/job-name={job}")
    return [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]


def succeed(cluster: Kubernetes, job: str, namespace: str) -> None:
    """Wait until a Job has a hanging pod, and let it succeed."""
    (pod,) = cluster.sandbox.until(f"{job} runs", lambda: running(cluster, job, namespace))
    statuses = [
        status | {"ready": False, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
        for status in pod["status"]["containerStatuses"]
    ]
    status = {"phase": "Succeeded", "containerStatuses": statuses}
    cluster.api.patch("pod", pod["metadata"]["name"], {"status": status}, namespace, subresource="status")
