"""Overrides: an environment with overrides builds the same as a component with those fields.

The overlay contains only the difference. These tests find fields that a patch loses or reorders.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Document, Repository, examples, render

Fields = dict[str, Any]
PORT: Fields = {"port": 8080}
PROXY: Fields = {"image": "ghcr.io/acme/proxy:1.0.0"}
SIDECAR: Fields = PROXY | {"name": "proxy", "ports": {"proxy": 9000}}
CRON: Fields = {"cron": "0 3 * * *", "command": ["clean"]}
PLACEHOLDERS = "{domain} {environment} {namespace} {cluster} {region} {{domain}} {other}"
FILLED = "prod.acme.io prod override-prod main eu-west-1 {{domain}} {other}"

# By component: its fields, their override in prod, and the resulting fields.
CASES: dict[str, tuple[Fields, Fields, Fields]] = {
    "args": ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    "command-added": ({}, {"command": ["run"]}, {"command": ["run"]}),
    "env-changed": (
        {"env": {"A": "1", "B": "2"}},
        {"env": {"B": "3", "C": "4"}},
        {"env": {"A": "1", "B": "3", "C": "4"}},
    ),
    "env-reference": (
        {"env": {"HOST": "db", "URL": "http://$(HOST)/a"}},
        {"env": {"URL": "http://$(HOST)/b"}},
        {"env": {"HOST": "db", "URL": "http://$(HOST)/b"}},
    ),
    "env-reference-turned": (
        {"env": {"A": "$(B)", "B": "x", "C": "$(A)"}},
        {"env": {"A": "x", "B": "$(C)", "C": "$(A)"}},
        {"env": {"A": "x", "B": "$(C)", "C": "$(A)"}},
    ),
    "env-kind": (
        {"env": {"A": "1", "B": {"secret": "app", "key": "b"}, "C": {"field": "status.podIP"}}},
        {"env": {"A": {"secret": "app", "key": "a"}, "B": "2", "C": {"resource": "limits.memory"}}},
        {"env": {"A": {"secret": "app", "key": "a"}, "B": "2", "C": {"resource": "limits.memory"}}},
    ),
    "env-gone": ({"env": {"A": "1", "B": "2"}}, {"env": {"A": None}}, {"env": {"B": "2"}}),
    "files-changed": (
        {"files": {"/etc/a.conf": "a\n", "/etc/b.conf": "b\n"}},
        {"files": {"/etc/b.conf": "other\n", "/etc/c.conf": '"c"'}},
        {"files": {"/etc/a.conf": "a\n", "/etc/b.conf": "other\n", "/etc/c.conf": '"c"'}},
    ),
    "files-added": (
        {},
        {"files": {"/etc/a.conf": " indented\n\ttab\n"}},
        {"files": {"/etc/a.conf": " indented\n\ttab\n"}},
    ),
    "health-path": (
        PORT | {"health": "/a"},
        {"health": {"live": "/b"}},
        PORT | {"health": {"ready": "/a", "live": "/b"}},
    ),
    "health-way": (PORT | {"health": "/a"}, {"health": {"grpc": True}}, PORT | {"health": {"grpc": True}}),
    "health-none": (PORT | {"health": "/a"}, {"health": False}, PORT | {"health": False}),
    "health-slow": (
        PORT | {"health": "/a"},
        {"health": {"start_seconds": 900, "timeout_seconds": 9}},
        PORT | {"health": {"ready": "/a", "start_seconds": 900, "timeout_seconds": 9}},
    ),
    "init-order": (
        {"init": [PROXY | {"name": "one"}, PROXY | {"name": "two"}], "sidecars": [SIDECAR]},
        {"init": [PROXY | {"name": "two"}, PROXY | {"name": "one"}]},
        {"init": [PROXY | {"name": "two"}, PROXY | {"name": "one"}], "sidecars": [SIDECAR]},
    ),
    "jobs": (
        {"before_release": ["migrate"], "schedules": {"nightly": CRON}},
        {"before_release": ["migrate", "--all"], "schedules": {"nightly": {"suspend": True}, "weekly": CRON}},
        {"before_release": ["migrate", "--all"], "schedules": {"nightly": CRON | {"suspend": True}, "weekly": CRON}},
    ),
    "copied": (
        {
            "writable_paths": [{"path": "/etc/app", "copy": True}],
            "before_release": ["migrate"],
            "schedules": {"nightly": CRON},
        },
        {"writable_paths": ["/etc/app"]},
        {"writable_paths": ["/etc/app"], "before_release": ["migrate"], "schedules": {"nightly": CRON}},
    ),
    "labels": ({"labels": {"a": "1"}}, {"labels": {"b": "2"}}, {"labels": {"a": "1", "b": "2"}}),
    "nodes": (
        {"arch": "arm64", "nodes": {"selector": {"pool": "a"}, "tolerations": [{"key": "a", "operator": "Exists"}]}},
        {"nodes": {"selector": {"pool": "b"}, "tolerations": [{"key": "b", "operator": "Exists"}]}},
        {"arch": "arm64", "nodes": {"selector": {"pool": "b"}, "tolerations": [{"key": "b", "operator": "Exists"}]}},
    ),
    "placeholders": (
        {"env": {"A": PLACEHOLDERS}, "args": [PLACEHOLDERS], "files": {"/etc/a": PLACEHOLDERS}},
        {},
        {"env": {"A": FILLED}, "args": [FILLED], "files": {"/etc/a": FILLED}},
    ),
    "placeholders-of-probes": (
        PORT | {"health": {"ready": "/", "headers": {"Host": PLACEHOLDERS}, "live": ["ask", PLACEHOLDERS]}},
        {},
        PORT | {"health": {"ready": "/", "headers": {"Host": FILLED}, "live": ["ask", FILLED]}},
    ),
    "resources": (
        {"resources": {"limits": {"memory": "1Gi"}}},
        {"resources": {"requests": {"cpu": "250m", "memory": "512Mi"}}},
        {"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "512Mi"}}},
    ),
    "scaled": (
        PORT,
        {"autoscaling": {"min": 3, "max": 5, "memory": 70}},
        PORT | {"autoscaling": {"min": 3, "max": 5, "memory": 70}},
    ),
    "secret-files": (
        {"secret_files": {"/etc/tls/a": {"secret": "one", "key": "a"}}},
        {"secret_files": {"/etc/tls/a": {"secret": "two", "key": "a"}, "/etc/tls/b": {"secret": "two", "key": "b"}}},
        {"secret_files": {"/etc/tls/a": {"secret": "two", "key": "a"}, "/etc/tls/b": {"secret": "two", "key": "b"}}},
    ),
    "sidecar-gone": (
        PORT | {"sidecars": [SIDECAR | {"writable_paths": ["/own"], "files": {"/etc/a": "a\n"}}]},
        {"sidecars": [SIDECAR | {"ports": {"proxy": 9001}}]},
        PORT | {"sidecars": [SIDECAR | {"ports": {"proxy": 9001}}]},
    ),
    "strategy": ({"replicas": 1}, {"strategy": "recreate"}, {"replicas": 1, "strategy": "recreate"}),
    "user": (
        {},
        {"run_as_user": 1000, "run_as_group": 2000, "read_only": False},
        {"run_as_user": 1000, "run_as_group": 2000, "read_only": False},
    ),
    "writable-paths": (
        {"writable_paths": ["/tmp", "/var/cache"]},
        {
            "writable_paths": [
                "/var/cache",
                {"path": "/tmp", "memory": True, "size": "64Mi"},
                {"path": "/srv", "copy": True},
            ]
        },
        {
            "writable_paths": [
                "/var/cache",
                {"path": "/tmp", "memory": True, "size": "64Mi"},
                {"path": "/srv", "copy": True},
            ]
        },
    ),
}


def component(name: str, fields: Fields) -> Fields:
    return {"name": name, "image": "ghcr.io/acme/app:1.0.0"} | fields


@pytest.fixture(scope="module")
def built(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[Document]]]:
    """Return the build of prod by component: with overrides, and with the same fields set directly."""
    result: dict[str, dict[str, list[Document]]] = {}
    for how in ("overridden", "direct"):
        parts = [
            component(name, fields | {"overrides": {"prod": change}} if how == "overridden" else merged)
            for name, (fields, change, merged) in CASES.items()
        ]
        workload = {"name": "override", "host": False, "components": parts}
        answers = examples()["minimal"] | {
            "domain": "acme.io",
            "addons": ["metrics-server"],
            "environments": ["dev", "prod"],
            "workloads": [workload],
        }
        folder = render(template, answers, tmp_path_factory.mktemp(how) / "repository")
        documents = Repository(how, folder, answers).build("apps/workloads/override/overlays/prod")
        result[how] = {name: [d for d in documents if owner(d) == name] for name in CASES}
    return result


def owner(document: Document) -> str:
    """Return the component that an object belongs to: the longest of the names that its own begins with."""
    return max(
        (name for name in CASES if f"{document['metadata']['name']}-".startswith(f"{name}-")), key=len, default=""
    )


def containers(documents: list[Document]) -> list[Document]:
    """Return every container of every object."""
    specs = [document.get("spec", {}) for document in documents]
    templates = [
        (spec.get("jobTemplate", {}).get("spec") or spec).get("template", {}).get("spec", {}) for spec in specs
    ]
    return [c for pod in templates for c in [*pod.get("initContainers", []), *pod.get("containers", [])]]


def unordered(documents: list[Document]) -> dict[str, Document]:
    """Return objects by name, ignoring the order of lists where it has no meaning for Kubernetes."""

    def plain(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: plain(item, key) for key, item in value.items()}
        if isinstance(value, list):
            items = [plain(item) for item in value]
            return sorted(items, key=repr) if name in ("env", "ports", "volumes", "volumeMounts") else items
        return value

    return {f"{document['kind']}/{document['metadata']['name']}": plain(document) for document in documents}


@pytest.mark.parametrize("name", CASES)
def test_an_override_builds_what_the_same_answer_builds(name: str, built: dict[str, dict[str, list[Document]]]) -> None:
    assert built["overridden"][name]
    assert unordered(built["overridden"][name]) == unordered(built["direct"][name])


def test_jobs_see_the_copied_folders_of_their_component(template: Path, tmp_path: Path) -> None:
    part = component(
        "app",
        {
            "writable_paths": [{"path": "/srv", "copy": True}],
            "before_release": ["migrate"],
            "schedules": {"nightly": CRON},
        },
    )
    answers = examples()["minimal"] | {"workloads": [part | {"host": False}]}
    (environment,) = answers["environments"]
    folder = render(template, answers, tmp_path / "repository")
    documents = Repository("app", folder, answers).build(f"apps/workloads/app/overlays/{environment}")
    copies = [c["name"] for c in containers(documents) if c.get("command", [""])[0] == "cp"]
    assert copies == ["copy-srv"] * 3


@pytest.mark.parametrize("how", ["overridden", "direct"])
def test_variables_come_after_those_that_they_refer_to(how: str, built: dict[str, dict[str, list[Document]]]) -> None:
    references = 0
    for name in CASES:
        for container in containers(built[how][name]):
            seen: set[str] = set()
            for variable in container.get("env", []):
                needed = set(re.findall(r"\$\((\w+)\)", variable.get("value", "")))
                assert needed <= seen, (container["name"], variable)
                references += len(needed)
                seen.add(variable["name"])
    assert references > 0
