"""The validation rules of Kubernetes that schemas cannot express find problems before the merge.

tests/cluster/test_validation.py compares the same rules with the real API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gitops import validation
from tests.support.cases import minimal
from tests.support.repository import render
from tests.support.validation import bases, documented, judge

Object = dict[str, Any]
BASES = {item["kind"]: item for item in reversed([*bases.workloads(), *bases.others()])}


def pod(item: Object) -> Object:
    spec: Object = item["spec"]["template"]["spec"]
    return spec


def tool(item: Object) -> Object:
    container: Object = pod(item)["containers"][0]
    return container


TOOL, POD = "spec.template.spec.containers[tool]", "spec.template.spec"
# One change of a valid object each, with the place and a part of its message.
REFUSED: dict[str, tuple[str, Callable[[Object], Any], str]] = {
    "no handler": (
        "Deployment",
        lambda o: tool(o)["livenessProbe"].pop("httpGet"),
        f"{TOOL}.livenessProbe: needs one of",
    ),
    "two hooks": (
        "Deployment",
        lambda o: tool(o)["lifecycle"]["preStop"].update(exec={"command": ["a"]}),
        f"{TOOL}.lifecycle.preStop: exec and sleep exclude each other",
    ),
    "two successes": (
        "Deployment",
        lambda o: tool(o)["livenessProbe"].update(successThreshold=2),
        f"{TOOL}.livenessProbe.successThreshold: 2 must be 1",
    ),
    "a long sleep": (
        "Deployment",
        lambda o: tool(o)["lifecycle"]["preStop"]["sleep"].update(seconds=60),
        "60 must be from 0 to terminationGracePeriodSeconds (30)",
    ),
    "two sources of a variable": (
        "Deployment",
        lambda o: tool(o)["env"][2]["valueFrom"].update(configMapKeyRef={"name": "a", "key": "b"}),
        f"{TOOL}.env[TOKEN].valueFrom: configMapKeyRef and secretKeyRef exclude each other",
    ),
    "a variable twice": (
        "Deployment",
        lambda o: tool(o)["env"].append({"name": "HOST", "value": "b"}),
        f"{TOOL}.env: two entries have name HOST",
    ),
    "a port twice": (
        "Deployment",
        lambda o: tool(o)["ports"].append({"containerPort": 8080, "protocol": "TCP"}),
        f"{TOOL}.ports: two entries have containerPort 8080, protocol TCP",
    ),
    "two sources of a volume": (
        "Deployment",
        lambda o: pod(o)["volumes"][0].update(configMap={"name": "a"}),
        f"{POD}.volumes[tmp]: emptyDir and configMap exclude each other",
    ),
    "a mount of nothing": (
        "Deployment",
        lambda o: tool(o)["volumeMounts"].append({"name": "data", "mountPath": "/data"}),
        f"{TOOL}.volumeMounts[data]: there is no volume data (there is tmp, config",
    ),
    "two mounts at a path": (
        "Deployment",
        lambda o: tool(o)["volumeMounts"].append({"name": "secret", "mountPath": "/tmp"}),
        f"{TOOL}.volumeMounts: two entries have mountPath /tmp",
    ),
    "a request above its limit": (
        "Deployment",
        lambda o: tool(o)["resources"]["requests"].update(memory="1Gi"),
        f"{TOOL}.resources.requests[memory]: 1Gi is more than the limit of 16Mi",
    ),
    "another selector": (
        "Deployment",
        lambda o: o["spec"]["selector"].update(matchLabels={"app": "other"}),
        "spec.selector: does not match the labels of template (app=tool)",
    ),
    "a rolling update that cannot move": (
        "Deployment",
        lambda o: o["spec"]["strategy"]["rollingUpdate"].update(maxSurge="0%"),
        "spec.strategy.rollingUpdate: maxUnavailable and maxSurge must not both be 0",
    ),
    "a surge without maxUnavailable": (
        "DaemonSet",
        lambda o: o["spec"]["updateStrategy"].update(rollingUpdate={"maxSurge": 1}),
        "spec.updateStrategy.rollingUpdate: maxSurge excludes maxUnavailable: set maxUnavailable: 0",
    ),
    "an init container with a probe": (
        "StatefulSet",
        lambda o: pod(o)["initContainers"][0].update(readinessProbe={"tcpSocket": {"port": 1}}),
        "initContainers[migrate].readinessProbe: an init container needs restartPolicy: Always",
    ),
    "a job that goes on": (
        "Job",
        lambda o: pod(o).pop("restartPolicy"),
        "Always, the default, must be OnFailure",
    ),
    "a schedule": ("CronJob", lambda o: o["spec"].update(schedule="0 25 * * *"), "spec.schedule: 0 25 * * * must have"),
    "several ports without names": (
        "Service",
        lambda o: o["spec"]["ports"][0].pop("name"),
        "spec.ports[80]: needs a name, because there are several ports",
    ),
    "a budget with both measures": (
        "PodDisruptionBudget",
        lambda o: o["spec"].update(minAvailable=1),
        "spec: minAvailable and maxUnavailable exclude each other",
    ),
    "bounds the wrong way round": (
        "HorizontalPodAutoscaler",
        lambda o: o["spec"].update(minReplicas=5),
        "spec.maxReplicas: 4 must be at least minReplicas (5)",
    ),
    "two targets": (
        "HorizontalPodAutoscaler",
        lambda o: o["spec"]["metrics"][0]["resource"]["target"].update(averageValue="1"),
        "spec.metrics[0].resource.target: averageUtilization and averageValue exclude each other",
    ),
    "a peer of two kinds": (
        "NetworkPolicy",
        lambda o: o["spec"]["ingress"][0]["from"][1].update(podSelector={}),
        "spec.ingress[0].from[1]: ipBlock excludes podSelector and namespaceSelector",
    ),
    "a range that ends before": (
        "NetworkPolicy",
        lambda o: o["spec"]["ingress"][0]["ports"][0].update(endPort=80),
        "spec.ingress[0].ports[8080].endPort: 80 must be at least port (8080)",
    ),
    "a claim without size": (
        "PersistentVolumeClaim",
        lambda o: o["spec"]["resources"].clear(),
        "spec.resources.requests.storage: must be set",
    ),
    "more than a mebibyte": ("ConfigMap", lambda o: o["data"].update(a="a" * 2**20), "bytes are more than 1048576"),
    "a key of a file": (
        "ConfigMap",
        lambda o: o["data"].update({"a/b": ""}),
        "data: key a/b must be at most",
    ),
    "a label": (
        "ServiceAccount",
        lambda o: o["metadata"].update(labels={"a": "b c"}),
        "labels[a]: b c must be",
    ),
    "a name in upper case": ("ServiceAccount", lambda o: o["metadata"].update(name="A"), "metadata.name: A must be"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_api_server_refuses_is_named(what: str) -> None:
    kind, change, message = REFUSED[what]
    item = deepcopy(BASES[kind])
    change(item)
    found = judge.problems(item)
    assert len(found) == 1, found
    assert message in found[0]


def test_what_a_custom_resource_repeats_or_begins_with_is_read_from_its_definition() -> None:
    prefix = {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('/')"}]}
    entries: Object = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    entries["items"] = {"type": "object", "properties": {"name": {"type": "string"}}}
    spec = {"type": "object", "properties": {"prefix": prefix, "entries": entries}}
    served = {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}
    names = {"kind": "Tool"}
    definition = {"spec": {"group": "example.org", "names": names, "versions": [served]}}
    item = {"apiVersion": "example.org/v1", "kind": "Tool", "metadata": {"name": "tool"}}
    item |= {"spec": {"prefix": "api", "entries": [{"name": "a"}, {"name": "a"}]}}
    found = list(validation.problems(item, judge.schema_of(item, [definition])))
    assert found == [
        ("spec.prefix", "api must begin with /"),
        ("spec.entries", "two entries have name a: remove or rename one"),
    ]


@pytest.mark.parametrize("version", ["1.31", "1.36", "1.37"])
def test_valid_objects_pass(version: str) -> None:
    for item in [*bases.workloads(), *bases.others()]:
        assert judge.problems(item, version) == []


def test_the_documented_patches_make_a_valid_workload(template: Path, downloads: None, tmp_path: Path) -> None:
    repository = render(template, documented.answers(minimal()), tmp_path / "repository")
    items = documented.built(repository, documented.patches(repository / "docs/operations.md"))
    (deployment,) = [item for item in items if item["kind"] == "Deployment"]
    (container,) = pod(deployment)["containers"]
    assert container["env"] == [{"name": "DB_HOST", "valueFrom": {"secretKeyRef": {"name": "database", "key": "host"}}}]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert judge.refusals([item for item in items if item["kind"] != "IngressRoute"]) == [[]] * (len(items) - 1)


def test_each_documented_removal_is_needed(template: Path, downloads: None, tmp_path: Path) -> None:
    repository = render(template, documented.answers(minimal()), tmp_path / "repository")
    block = documented.patches(repository / "docs/operations.md")
    fields = "rollingUpdate|value|tcpSocket|sleep|emptyDir"
    removals = [match[0] for match in re.finditer(rf"\n *({fields}): null|\n *\$patch: replace", block)]
    assert len(removals) == 6
    for removal in removals:
        (deployment,) = [
            item for item in documented.built(repository, block.replace(removal, "", 1)) if item["kind"] == "Deployment"
        ]
        assert judge.problems(deployment), removal
