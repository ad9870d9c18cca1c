"""Evaluate the admission policies of a cluster with Kyverno, as its API server will."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from gitops.objects import Object, api_group, is_cluster_scoped
from gitops.tools import GitOpsError, run

TRACKING = "argocd.argoproj.io/tracking-id"
ANY_OBJECT = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
# How JSON escapes a character that does not fit into 16 bits.
SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
# A short-lived process: less garbage collection makes it 25 % faster.
LESS_COLLECTION = {"GOGC": "400"}


def refusals(policies: list[Object], crds: list[Object], items: list[tuple[str, Object]]) -> list[str]:
    """Return what policies refuse of objects, each with the name of its Application.

    Raises:
        UnavailableError: if Kyverno is not installed.
        GitOpsError: if Kyverno fails.
    """
    documents, owners = [], {}
    for application, item in items:
        metadata = dict(item["metadata"])
        if is_cluster_scoped(item, crds):
            del metadata["namespace"]
        # A workload's application is called like its namespace.
        place = f"{api_group(item)}/{item['kind']}:{metadata.get('namespace', application)}/{metadata['name']}"
        metadata["annotations"] = (metadata.get("annotations") or {}) | {TRACKING: f"{application}:{place}"}
        owners[item["kind"], metadata.get("namespace", ""), metadata["name"]] = application
        documents.append(item | {"metadata": metadata})
    result = []
    for entry in _results(policies, crds, documents):
        if entry["result"] not in ("pass", "skip"):
            (resource,) = entry["resources"]
            owner = owners[resource["kind"], resource.get("namespace", ""), resource["name"]]
            message = entry.get("message", entry["result"])
            result.append(f"{owner}: {resource['kind']}/{resource['name']}: {entry['policy']}: {message}")
    return result


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
        output = run(*command, folder=Path(folder), variables=LESS_COLLECTION, reports=True)
    try:
        return list(json.loads(output)["results"])
    except (KeyError, ValueError):
        raise GitOpsError(f"kyverno: {' '.join(output.split())}") from None


def _as_json(item: Object) -> str:
    """Return an object as JSON that is YAML, too: YAML has no pairs of escapes for characters such as emojis."""
    return SURROGATES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), json.dumps(item))


def _without_schemas(crds: list[Object], kinds: set[str]) -> list[Object]:
    """Return definitions that admit any object: Kyverno reads their schemas again and again, and needs none."""
    return [
        crd | {"spec": crd["spec"] | {"versions": [v | {"schema": ANY_OBJECT} for v in crd["spec"]["versions"]]}}
        for crd in crds
        if crd["spec"]["names"]["kind"] in kinds
    ]
