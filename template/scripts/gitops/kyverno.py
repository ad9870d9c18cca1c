"""Evaluate the admission policies of a cluster with Kyverno, as its API server does."""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from pathlib import Path

from gitops.objects import CRD, Object, api_group, is_cluster_scoped, is_foreign
from gitops.tools import GitOpsError, run

TRACKING = "argocd.argoproj.io/tracking-id"
ANY_OBJECT = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
# The JSON escape of a character that does not fit into 16 bits.
SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


def refusals(policies: list[Object], crds: list[Object], items: list[tuple[str, Object]]) -> list[str]:
    """Return the violations of policies, each with the Application of the object.

    Raises:
        UnavailableError: if Kyverno is not installed.
        GitOpsError: if Kyverno fails.
    """
    crds = crds + _missing_definitions(crds, [item for _, item in items])
    # Kyverno accepts an object once per run. If two Applications have the same object, one goes into another run.
    runs: list[dict[tuple[str, str, str], tuple[str, Object]]] = []
    for application, item in items:
        document = _applied(application, item, crds)
        metadata = document["metadata"]
        identity = item["kind"], metadata.get("namespace", ""), metadata["name"]
        free = next((run for run in runs if identity not in run), None)
        if free is None:
            runs.append(free := {})
        free[identity] = application, document
    result = []
    for objects in runs:
        for entry in _results(policies, crds, [document for _, document in objects.values()]):
            if entry["result"] not in ("pass", "skip"):
                (resource,) = entry["resources"]
                owner, _ = objects[resource["kind"], resource.get("namespace", ""), resource["name"]]
                message = entry.get("message", entry["result"])
                result.append(f"{owner}: {resource['kind']}/{resource['name']}: {entry['policy']}: {message}")
    return result


def _applied(application: str, item: Object, crds: list[Object]) -> Object:
    """Return an object as Argo CD applies it, with the annotation that names its Application."""
    metadata = dict(item["metadata"])
    if is_cluster_scoped(item, crds):
        metadata.pop("namespace", None)
    # A workload's Application has the name of its namespace.
    place = f"{api_group(item)}/{item['kind']}:{metadata.get('namespace', application)}/{metadata['name']}"
    metadata["annotations"] = (metadata.get("annotations") or {}) | {TRACKING: f"{application}:{place}"}
    return item | {"metadata": metadata}


def _results(policies: list[Object], crds: list[Object], items: list[Object]) -> list[Object]:
    namespaces = {item["metadata"]["namespace"] for item in items if "namespace" in item["metadata"]}
    labels = [{"name": name, "labels": {"kubernetes.io/metadata.name": name}} for name in sorted(namespaces)]
    files = {
        "policies": [policy | {"metadata": {"name": policy["metadata"]["name"]}} for policy in policies],
        "items": items,
        "kinds": _without_schemas(crds, {item["kind"] for item in items}),
        "values": [{"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "namespaceSelector": labels}],
    }
    options = ["--resource=items.yaml", "--values-file=values.yaml", "--policy-report", "--output-format=json"]
    options += ["--crd-paths=kinds.yaml"] if files["kinds"] else []
    with tempfile.TemporaryDirectory() as folder:
        for name, documents in files.items():
            (Path(folder) / f"{name}.yaml").write_text("\n---\n".join(map(_as_json, documents)), "utf-8")
        command = ("kyverno", "apply", "policies.yaml", *options)
        output = run(*command, folder=Path(folder), reports=True)
    try:
        return list(json.loads(output)["results"])
    except (KeyError, ValueError):
        raise GitOpsError(f"kyverno: {' '.join(output.split())}") from None


def _as_json(item: Object) -> str:
    """Return an object as JSON that is also YAML, which has no pairs of escapes for characters such as emojis."""
    return SURROGATES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), json.dumps(item))


def _missing_definitions(crds: list[Object], items: list[Object]) -> list[Object]:
    """Return definitions for kinds that the repository does not define. Kyverno needs one for each object."""
    versions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in items:
        if is_foreign(item, crds):
            versions[api_group(item), item["kind"]].add(item["apiVersion"].rpartition("/")[2])
    return [_definition(group, kind, sorted(served)) for (group, kind), served in versions.items()]


def _definition(group: str, kind: str, versions: list[str]) -> Object:
    """Return a definition of a kind, under the plural that Kubernetes guesses."""
    name = kind.lower()
    plural = f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"
    plural = f"{name[:-1]}ies" if name.endswith("y") else plural
    served = [{"name": v, "served": True, "storage": v == versions[0], "schema": ANY_OBJECT} for v in versions]
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": name}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": CRD,
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": served},
    }


def _without_schemas(crds: list[Object], kinds: set[str]) -> list[Object]:
    """Return definitions without schemas, which Kyverno parses repeatedly, but does not need."""
    return [
        crd | {"spec": crd["spec"] | {"versions": [v | {"schema": ANY_OBJECT} for v in crd["spec"]["versions"]]}}
        for crd in crds
        if crd["spec"]["names"]["kind"] in kinds
    ]
