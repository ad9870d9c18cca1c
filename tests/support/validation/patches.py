"""Generate typical strategic merge patches of a rendered workload, built by Kustomize."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from tests.support import engines

Object = dict[str, Any]
# Makes a part of a container, of a pod, or of what makes pods.
Fragment = Callable[[Random], Object]

HANDLERS: tuple[Object, ...] = (
    {"httpGet": {"path": "/ready", "port": "http"}},
    {"tcpSocket": {"port": 8080}},
    {"exec": {"command": ["/ready"]}},
    {"grpc": {"port": 8080}},
)
REMOVALS: tuple[Object, ...] = ({}, {"httpGet": None}, {"tcpSocket": None}, {"$patch": "replace"})
SECRET: Object = {"secretKeyRef": {"name": "database", "key": "host"}}
SOURCES: tuple[Object, ...] = (
    {"emptyDir": {}},
    {"configMap": {"name": "tool"}},
    {"secret": {"secretName": "tool"}},
    {"persistentVolumeClaim": {"claimName": "tool"}},
    {"emptyDir": None, "configMap": {"name": "tool"}},
)
AMOUNTS = (0, 1, 2, "0%", "25%", "100%", "150%")


def probe(random: Random) -> Object:
    """Change a probe."""
    name = random.choice(("readinessProbe", "livenessProbe", "startupProbe"))
    numbers = random.choice(({}, {"successThreshold": 2}, {"periodSeconds": 0}, {"failureThreshold": -1}))
    return {name: random.choice((None, {**random.choice(REMOVALS), **random.choice(HANDLERS), **numbers}))}


def variable(random: Random) -> Object:
    """Change or add a variable, by a value, a source or both."""
    entry = random.choice(
        (
            {"value": "other"},
            {"valueFrom": SECRET},
            {"value": None, "valueFrom": SECRET},
            {"value": "", "valueFrom": SECRET},
            {"$patch": "delete"},
            {"value": None, "valueFrom": {**SECRET, "configMapKeyRef": {"name": "a", "key": "b"}}},
        )
    )
    return {"env": [{"name": random.choice(("DB_HOST", "DEBUG", "NEW", "1-ODD=")), **entry}]}


def mount(random: Random) -> Object:
    """Mount an existing or missing volume at a free or used path."""
    path = random.choice(("/scratch", "/etc/tool", "/tmp"))
    return {"volumeMounts": [{"name": random.choice(("scratch", "config", "data")), "mountPath": path}]}


def port(random: Random) -> Object:
    """Add a port."""
    name = random.choice(("http", "metrics", "a-name-that-is-too-long"))
    return {"ports": [{"name": name, "containerPort": random.choice((8080, 9090, 0, 70000))}]}


def resources(random: Random) -> Object:
    """Change requests and limits."""
    units = ("10m", "64Mi", "2", "4Gi", "1", "abc")
    chosen = {random.choice(("cpu", "memory", "example.com/gpu", "disk")): random.choice(units) for _ in range(2)}
    return {"resources": {random.choice(("requests", "limits")): chosen}}


def hook(random: Random) -> Object:
    """Change what happens before a container stops."""
    handler = random.choice(({"exec": {"command": ["/drain"]}}, {"sleep": {"seconds": 60}}, {"tcpSocket": {"port": 1}}))
    return {"lifecycle": {"preStop": {**random.choice(({}, {"sleep": None}, {"$patch": "replace"})), **handler}}}


def rights(random: Random) -> Object:
    """Change the security context of a container."""
    added: Object = {"capabilities": {"add": [random.choice(("CAP_SYS_ADMIN", "NET_BIND_SERVICE"))]}}
    return {"securityContext": random.choice(({"privileged": True}, added, {"runAsUser": -1}, {"runAsUser": 0}))}


def volume(random: Random) -> Object:
    """Add a volume, or another source to one."""
    return {"volumes": [{"name": random.choice(("scratch", "config", "data")), **random.choice(SOURCES)}]}


def first(random: Random) -> Object:
    """Add a container that runs before."""
    extra = random.choice(({}, {"restartPolicy": "Always"}, {"readinessProbe": HANDLERS[1]}))
    return {"initContainers": [{"name": random.choice(("tool", "init")), "image": "ghcr.io/acme/a:1", **extra}]}


def placement(random: Random) -> Object:
    """Change where pods run."""
    return random.choice(
        (
            {"nodeSelector": {"kubernetes.io/arch": random.choice(("arm64", "-a"))}},
            {"tolerations": [{"key": "spot", "operator": random.choice(("Exists", "Equal")), "value": "true"}]},
            {"terminationGracePeriodSeconds": random.choice((1, 120))},
            {"restartPolicy": random.choice(("Always", "OnFailure"))},
            {"dnsPolicy": random.choice(("None", "Default"))},
        )
    )


def strategy(random: Random) -> Object:
    """Change how pods are replaced."""
    given = {
        name: random.choice(AMOUNTS) for name in random.sample(("maxSurge", "maxUnavailable"), random.choice((1, 2)))
    }
    return {
        "strategy": random.choice(
            (
                {"type": "Recreate"},
                {"type": "Recreate", "rollingUpdate": None},
                {"rollingUpdate": given},
                {"$patch": "replace", "type": "RollingUpdate"},
            )
        )
    }


def labels(random: Random) -> Object:
    """Change the labels that a selector needs, or not."""
    return {"template": {"metadata": {"labels": {random.choice(("app.kubernetes.io/name", "team")): "other"}}}}


OF_CONTAINER: tuple[Fragment, ...] = (probe, probe, probe, variable, variable, mount, port, resources, hook, rights)
OF_POD: tuple[Fragment, ...] = (volume, volume, first, placement)
OF_SPEC: tuple[Fragment, ...] = (strategy, strategy, labels)


def patch(name: str, random: Random) -> Object:
    """Return a patch of a Deployment whose container has its name without a number."""
    container, pod, spec = {}, {}, {}
    fragment = random.choice((*OF_CONTAINER, *OF_POD, *OF_SPEC))
    if fragment in OF_CONTAINER:
        container = fragment(random)
    elif fragment in OF_POD:
        pod = fragment(random)
    else:
        spec = fragment(random)
    if container:
        pod = {"containers": [{"name": "tool", **container}]}
    if pod:
        spec = {"template": {"spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def patched(deployment: Object, seeds: list[int], folder: Path) -> list[Object]:
    """Return a Deployment as often as there are seeds, each with one to three patches, as Kustomize builds it."""
    items, texts = [], []
    for number, seed in enumerate(seeds):
        random, name = Random(seed), f"tool-{number}"
        metadata = {"name": name, "labels": deployment["metadata"]["labels"]}
        items.append(deepcopy(deployment) | {"metadata": metadata})
        texts += [json.dumps(patch(name, random)) for _ in range(random.choice((1, 2, 3)))]
    (folder / "all.yaml").write_text("\n---\n".join(map(json.dumps, items)))
    kustomization = {"resources": ["all.yaml"], "patches": [{"patch": text} for text in texts]}
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    return engines.kustomize_build(folder)
