"""Objects of real systems as rendered, which no policy rejects."""

from __future__ import annotations

from typing import Any

from tests.support.policies import networks
from tests.support.policies.objects import Object, Violation, maker, pod, service

GUARD = {"annotations": {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}}
HOOK = {"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"}
# An unprivileged process may listen on port 80.
LOW_PORTS = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}


def claim(name: str = "tool", mode: str = "ReadWriteOnce") -> Object:
    """Return a claim that is never pruned."""
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "gp3"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name} | GUARD, "spec": spec}


def volumes() -> list[Object]:
    """Return the volumes of a pod: data, files, secrets, and folders that are empty at first."""
    secret = {"secret": {"name": "tool-keys", "items": [{"key": "private.pem", "path": "private.pem", "mode": 0o400}]}}
    return [
        {"name": "data", "persistentVolumeClaim": {"claimName": "tool-data"}},
        {"name": "files", "configMap": {"name": "tool-files-5h2k9m8t6f"}},
        {"name": "secrets", "projected": {"sources": [secret], "defaultMode": 0o400}},
        {"name": "html", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    ]


def whole(**fields: Any) -> Object:
    """Return a pod with everything that a component may have."""
    spec = pod()
    (container,) = spec["containers"]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("data", "html", "secrets", "tmp")]
    container["volumeMounts"] = [*mounts, {"name": "files", "mountPath": "/etc/tool.conf", "subPath": "etc-tool.conf"}]
    container["env"] = [
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "HEAP", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "tool-keys", "key": "k", "optional": True}}},
    ]
    container["ports"] = [
        {"name": "http", "containerPort": 80},
        {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    ]
    container["startupProbe"] = {"httpGet": {"path": "/", "port": "http"}, "failureThreshold": 100}
    container["livenessProbe"] = {"tcpSocket": {"port": "http"}}
    container["readinessProbe"] = {"grpc": {"port": 80, "service": "ready"}}
    container["lifecycle"] = {"preStop": {"sleep": {"seconds": 5}}}
    container["securityContext"]["readOnlyRootFilesystem"] = False
    base = {key: container[key] for key in ("image", "resources")}
    read_only = {"securityContext": container["securityContext"] | {"readOnlyRootFilesystem": True}}
    copies = {"command": ["cp", "-R", "/usr/share/html/.", "/copy"]}
    sidecar: Object = {"restartPolicy": "Always", "ports": [{"name": "metrics", "containerPort": 9113}]}
    sidecar["startupProbe"] = {"tcpSocket": {"port": "metrics"}}
    another_user = {"securityContext": read_only["securityContext"] | {"runAsUser": 101, "runAsGroup": 101}}
    spec["initContainers"] = [
        {"name": "copy-html", "volumeMounts": [{"name": "html", "mountPath": "/copy"}], **base, **read_only, **copies},
        {"name": "wait", "command": ["sh", "-c", "until nc -z db 5432; do sleep 1; done"], **base, **read_only},
        {"name": "exporter", **base, **another_user, **sidecar},
    ]
    spec["securityContext"] |= {
        "runAsGroup": 65532, "fsGroup": 65532, "fsGroupChangePolicy": "OnRootMismatch", "sysctls": [LOW_PORTS],
    }  # fmt: skip
    return spec | {"volumes": volumes(), "terminationGracePeriodSeconds": 300, "enableServiceLinks": False} | fields


def jobs() -> list[Object]:
    """Return jobs before and after a release, and one on a schedule."""
    before = maker("Job", whole())
    before["metadata"]["annotations"] = HOOK | {"argocd.argoproj.io/sync-wave": "-1"}
    limits = {"backoffLimit": 0, "activeDeadlineSeconds": 600, "ttlSecondsAfterFinished": 604800}
    before["spec"] |= limits
    after = maker("Job", whole())
    after["metadata"]["annotations"] = HOOK | {"argocd.argoproj.io/hook": "PostSync"}
    schedule = maker("CronJob", whole())
    schedule["spec"] |= {"timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid", "suspend": True}
    schedule["spec"]["jobTemplate"]["spec"] |= limits
    return [before, after, schedule]


def callers() -> list[Object]:
    """Return network policies: a component of another workload calls a port, and Prometheus reads metrics."""
    names = {"key": "app.kubernetes.io/name", "operator": "In", "values": ["web", "web-nightly"]}
    caller = networks.namespaces(name="shop-dev") | {"podSelector": {"matchExpressions": [names]}}
    target = {"podSelector": {"matchLabels": {"app": "tool"}}, "policyTypes": ["Ingress"]}
    ports = [{"port": 80}, {"port": 53, "protocol": "UDP"}]
    return [
        networks.lets_in(caller, ports=ports) | {"spec": networks.lets_in(caller, ports=ports)["spec"] | target},
        networks.policy(**target, ingress=[{"from": [networks.namespaces(name="monitoring")], "ports": ports[:1]}]),
    ]


def accepted(domain: str) -> list[Object]:
    """Return the objects of a large system."""
    database = maker("StatefulSet", whole())
    database["spec"] |= {
        "volumeClaimTemplates": [{"metadata": {"name": "data"} | GUARD, "spec": claim()["spec"]}],
        "podManagementPolicy": "Parallel",
        "replicas": 3,
    }
    database["spec"]["template"]["spec"]["volumes"] = volumes()[1:]
    alone = maker(spec=whole())
    alone["spec"] |= {"strategy": {"type": "Recreate"}, "replicas": 1}
    peers = service(clusterIP="None", publishNotReadyAddresses=True)
    return [alone, database, claim(), claim(mode="ReadWriteMany"), peers, *jobs(), *callers()]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule that sidecars could bypass."""
    found: dict[str, Violation] = {}
    for what, message, fields in (
        ("as root", "run as root", {"runAsUser": 0}),
        ("with privileges", "allowPrivilegeEscalation", {"allowPrivilegeEscalation": True}),
        ("with a capability", "NET_BIND_SERVICE", {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}),
    ):
        spec = whole()
        spec["initContainers"][-1]["securityContext"] |= fields
        found[f"a sidecar {what}"] = Violation(maker(spec=spec), "workload-pods", message)
    return found
