"""Return objects of every kind that workloads may have, with as many valid fields as possible."""

from __future__ import annotations

import json
from typing import Any

Object = dict[str, Any]
LABELS = {"app": "tool"}


def container(name: str, **fields: Any) -> Object:
    """Return a container with every handler and every source of a variable."""
    return {
        "name": name,
        "image": "ghcr.io/acme/tool:1.0",
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9000, "protocol": "UDP"}],
        "env": [
            {"name": "HOST", "value": "db.local"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tool", "key": "token"}}},
            {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "tool", "key": "level"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "tool"}}, {"prefix": "S_", "secretRef": {"name": "tool"}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi", "example.com/gpu": 1}},
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "config", "mountPath": "/etc/tool", "subPath": "tool.yaml"},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "failureThreshold": 3},
        "startupProbe": {"exec": {"command": ["true"]}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        **fields,
    }


def pod(**fields: Any) -> Object:
    """Return a pod with a sidecar and many kinds of volumes."""
    first = {
        "name": "migrate",
        "image": "ghcr.io/acme/tool:1.0",
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "initContainers": [first, container("sidecar", restartPolicy="Always")],
        "containers": [container("tool"), {"name": "other", "image": "ghcr.io/acme/other:1.0"}],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "config", "configMap": {"name": "tool", "items": [{"key": "a", "path": "tool.yaml"}]}},
            {"name": "secret", "secret": {"secretName": "tool", "defaultMode": 288}},
            {"name": "claim", "persistentVolumeClaim": {"claimName": "tool"}},
            {
                "name": "all",
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                        {"configMap": {"name": "tool"}},
                        {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
                    ]
                },
            },
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": 1000,
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        },
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists"}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": LABELS},
            }
        ],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]}
                    ]
                }
            },
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 10,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": LABELS},
                        },
                    }
                ]
            },
        },
        "dnsConfig": {"options": [{"name": "ndots", "value": "2"}], "searches": ["example.org"]},
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db.local"]}],
        "terminationGracePeriodSeconds": 30,
        **fields,
    }


def template(**fields: Any) -> Object:
    """Return a template of such pods."""
    return {"metadata": {"labels": LABELS, "annotations": {"example.com/note": "x"}}, "spec": pod(**fields)}


def template_with(volume: str) -> Object:
    """Return a template of pods that mount the volume of a claim template, as the API server allows."""
    result = template(hostname="tool-0", subdomain="Of_a_pod")
    container = result["spec"]["containers"][0]
    container["volumeMounts"] = [*container.get("volumeMounts", []), {"name": volume, "mountPath": "/of-the-claim"}]
    return result


def _object(version: str, kind: str, spec: Object) -> Object:
    item = {"apiVersion": version, "kind": kind, "metadata": {"name": "tool", "labels": LABELS}, "spec": spec}
    # No part of it is part of another: each can be changed.
    return dict(json.loads(json.dumps(item)))


def workloads() -> list[Object]:
    """Return the objects that create pods."""
    chosen = {"selector": {"matchLabels": LABELS}, "template": template()}
    job = {"template": template(restartPolicy="Never"), "backoffLimit": 2}
    indexed = {
        **job,
        "completionMode": "Indexed",
        "completions": 3,
        "backoffLimitPerIndex": 1,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 42], "containerName": "tool"}}
            ]
        },
    }
    return [
        _object(
            "apps/v1",
            "Deployment",
            {**chosen, "replicas": 2, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
        ),
        _object("apps/v1", "DaemonSet", {**chosen, "updateStrategy": {"rollingUpdate": {"maxUnavailable": "25%"}}}),
        _object(
            "apps/v1",
            "StatefulSet",
            {
                **chosen,
                "template": template_with("data"),
                "serviceName": "tool",
                "updateStrategy": {"rollingUpdate": {"partition": 1}},
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim()}],
            },
        ),
        _object("batch/v1", "Job", job),
        _object("batch/v1", "Job", indexed),
        _object("batch/v1", "CronJob", {"schedule": "0 3 * * *", "timeZone": "Etc/UTC", "jobTemplate": {"spec": job}}),
    ]


def claim() -> Object:
    """Return the specification of a claim."""
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def others() -> list[Object]:
    """Return objects that create no pods."""
    target = {"type": "Utilization", "averageUtilization": 80}
    peers = [{"podSelector": {"matchLabels": LABELS}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]
    identity = {"metadata": {"name": "tool", "labels": LABELS, "annotations": {"example.com/note": "x"}}}
    return [
        _object(
            "v1",
            "Service",
            {
                "selector": LABELS,
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "a", "port": 81}],
            },
        ),
        _object("v1", "Service", {"clusterIP": "None", "selector": LABELS, "ports": [{"port": 80}]}),
        _object("v1", "Service", {"type": "ExternalName", "externalName": "db.example.org"}),
        _object("v1", "Service", {"type": "LoadBalancer", "ports": [{"port": 80}], "externalTrafficPolicy": "Local"}),
        _object("v1", "PersistentVolumeClaim", claim()),
        _object(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tool"},
                "minReplicas": 2,
                "maxReplicas": 4,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": target}},
                    {
                        "type": "External",
                        "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "5"}},
                    },
                ],
                "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            },
        ),
        _object("policy/v1", "PodDisruptionBudget", {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}),
        _object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            {
                "podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["tool"]}]},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": peers, "ports": [{"port": 8080, "endPort": 8090}, {"port": "http"}]}],
                "egress": [{"to": peers, "ports": [{"port": 53, "protocol": "UDP"}]}],
            },
        ),
        {"apiVersion": "v1", "kind": "ConfigMap", **identity, "data": {"a": "b"}, "binaryData": {"c": "AAAA"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", **identity, "imagePullSecrets": [{"name": "a"}]},
    ]
