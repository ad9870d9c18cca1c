"""Compute the content of a rendered repository from its answers, independently of the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.cases import Answers
from tests.support.repository import load, pick

ANSWERS_FILE = ".copier-answers.yml"
Document = dict[str, Any]


def recorded(repository: Path) -> Answers:
    """Return the recorded answers, without what Copier adds."""
    (document,) = load((repository / ANSWERS_FILE).read_text())
    return {name: value for name, value in document.items() if not name.startswith("_")}


def components(workload: Document) -> list[tuple[str, Document]]:
    """Return a workload's components with its defaults, each with the name of its objects."""
    shared = workload.get("defaults", {})
    return [(part["name"], _merged(shared, part)) for part in workload.get("components", [workload])]


def _merged(base: Document, own: Document) -> Document:
    """Return fields overridden by those of `own`, maps by key."""
    result = base | own
    for name in base.keys() & own.keys():
        if isinstance(base[name], dict) and isinstance(own[name], dict):
            result[name] = base[name] | own[name] if name == "env" else _merged(base[name], own[name])
    return result


def public_component(workload: Document) -> tuple[str, Document] | None:
    """Return the component that a host of the workload routes to: the name of its objects, and its fields."""
    with_port = [(name, part) for name, part in components(workload) if "port" in part]
    public = [(name, part) for name, part in with_port if part.get("public", len(with_port) == 1)]
    assert len(public) <= 1
    return public[0] if public else None


def expected_host(workload: Document, environment: Document) -> str | None:
    """Return the FQDN of a workload in an environment."""
    override = workload.get("overrides", {}).get(environment["name"], {})
    label = override.get("host", workload.get("host", workload["name"]))
    return f"{label}.{environment['domain']}" if public_component(workload) and label else None


def as_text(value: str | int | bool) -> str:
    return value if isinstance(value, str) else yaml.safe_dump(value).split("\n")[0]


def variables(env: Document) -> dict[str, Any]:
    """Return the value of each variable, or where it comes from, as Kubernetes has it."""
    result: dict[str, Any] = {}
    for name, value in env.items():
        if isinstance(value, dict) and "secret" in value:
            optional = {"optional": value["optional"]} if "optional" in value else {}
            result[name] = {"secretKeyRef": {"name": value["secret"], "key": value["key"]} | optional}
        elif isinstance(value, dict) and "field" in value:
            result[name] = {"fieldRef": {"fieldPath": value["field"]}}
        elif isinstance(value, dict):
            result[name] = {"resourceFieldRef": {"resource": value["resource"]}}
        elif value is not None:
            result[name] = as_text(value)
    return result


def variables_of(container: Document) -> dict[str, Any]:
    """Return the variables of a container in the same form."""
    entries = [entry for entry in container.get("env", []) if "$patch" not in entry]
    return {entry["name"]: entry.get("valueFrom") or entry.get("value") for entry in entries}


def paths(part: Document) -> list[str]:
    """Return where a component has folders and files."""
    folders = [given if isinstance(given, str) else given["path"] for given in part.get("writable_paths", [])]
    folders += [given["path"] for given in part.get("volumes", [])]
    return sorted([*folders, *part.get("files", {}), *part.get("secret_files", {})])


def container_of(deployment: Document) -> Document:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def image(entry: Document) -> str:
    """Return the image reference of an entry of a Kustomization."""
    tag = f":{entry['newTag']}" if "newTag" in entry else ""
    digest = f"@{entry['digest']}" if "digest" in entry else ""
    return f"{entry['newName']}{tag}{digest}"


def assert_base_has_the_answers(repository: Path, workload: Document) -> None:
    for name, part in components(workload):
        path = repository / "apps/workloads" / workload["name"] / "base" / f"{name}.yaml"
        kind = "StatefulSet" if part.get("kind") == "statefulset" else "Deployment"
        (deployment,) = pick(load(path.read_text()), kind)
        pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
        assert container.get("command", []) == part.get("command", [])
        assert container.get("args", []) == part.get("args", [])
        assert variables_of(container) == variables(part.get("env", {}))
        secrets = [entry["secretRef"]["name"] for entry in container.get("envFrom", [])]
        assert secrets == part.get("env_from_secrets", [])
        assert [entry["name"] for entry in pod.get("imagePullSecrets", [])] == part.get("image_pull_secrets", [])
        assert sorted(mount["mountPath"] for mount in container.get("volumeMounts", [])) == paths(part)
        assert pod["securityContext"]["runAsUser"] == part.get("run_as_user", 65532)
        ports = {port["containerPort"] for port in container.get("ports", [])}
        named = [port if isinstance(port, int) else port["port"] for port in part.get("ports", {}).values()]
        assert ports == {*named, *([part["port"]] if "port" in part else [])}
        health = part.get("health", {})
        if path := health if isinstance(health, str) else health.get("ready") if health else None:
            assert container["readinessProbe"]["httpGet"]["path"] == path
        for side, amounts in part.get("resources", {}).items():
            for unit, amount in amounts.items():
                assert str(container["resources"][side][unit]) == str(amount)


def assert_overlay_has_the_answers(repository: Path, workload: Document, environment: str) -> None:
    path = repository / "apps/workloads" / workload["name"] / "overlays" / environment / "kustomization.yaml"
    (overlay,) = load(path.read_text())
    assert overlay["namespace"] == f"{workload['name']}-{environment}"
    images = {entry["name"]: image(entry) for entry in overlay["images"]}
    patches = [yaml.safe_load(patch["patch"]) for patch in overlay.get("patches", [])]
    pods = {patch["metadata"]["name"]: patch for patch in patches if patch["kind"] in ("Deployment", "StatefulSet")}
    for name, part in components(workload):
        change = part.get("overrides", {}).get(environment, {})
        assert images[name] == change.get("image", part["image"])
        changed, given = variables(change.get("env", {})), variables(part.get("env", {}))
        if different := {name: value for name, value in changed.items() if given.get(name) != value}:
            assert variables_of(container_of(pods[name])).items() >= different.items()


def assert_has_the_answers(repository: Path, answers: Answers) -> None:
    """Assert that each answer is recorded as given, and in the manifests as intended."""
    found = recorded(repository)
    for name, value in answers.items():
        assert found[name] == value, name
    for file in repository.rglob("*.yaml"):
        load(file.read_text())
    root = load((repository / "argo/root-application.yaml").read_text())[0]
    assert root["spec"]["source"]["repoURL"] == answers["repo_url"]
    assert root["spec"]["source"]["targetRevision"] == answers.get("target_revision", "main")
    environments = [given["name"] if isinstance(given, dict) else given for given in answers["environments"]]
    for workload in answers["workloads"]:
        assert_base_has_the_answers(repository, workload)
        for environment in workload.get("environments", environments):
            assert_overlay_has_the_answers(repository, workload, environment)
