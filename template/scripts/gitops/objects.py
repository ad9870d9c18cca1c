"""Read Kubernetes objects, and answer what is in one of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gitops.tools import GitOpsError

Object = dict[str, Any]

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
CRD = "CustomResourceDefinition"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
HOST_MATCHER = re.compile(r"Host\(([^)]*)\)")
# Kinds of Kubernetes itself that belong to no namespace (kubectl api-resources --namespaced=false).
CLUSTER_SCOPED = {
    *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
    *("ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IPAddress", "IngressClass"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node"),
    *("PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass"),
    *("ServiceCIDR", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass"),
}


def load_yaml(text: str, name: str) -> list[Any]:
    """Return the documents of a YAML text that are not empty.

    Raises:
        GitOpsError: if it is not YAML.
    """
    try:
        return [d for d in yaml.load_all(text, _loader()) if d]
    except yaml.YAMLError as error:
        raise GitOpsError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None


@cache
def _loader() -> Any:
    """Return a loader that reads `<<` and `=` as text where they are values, as Kubernetes does."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Loader", (base,), {})
    for name in ("merge", "value"):
        loader.add_constructor(f"tag:yaml.org,2002:{name}", base.construct_yaml_str)
    return loader


def parse_objects(text: str, name: str) -> list[Object]:
    """Return the objects of a YAML text, with the items of lists.

    Raises:
        GitOpsError: if it is not YAML, or a document is not an object.
    """
    documents = load_yaml(text, name)
    if any(not isinstance(document, dict) for document in documents):
        raise GitOpsError(f"{name} is not a Kubernetes manifest")
    items = [item for d in documents for item in (d["items"] if str(d.get("kind")).endswith("List") else [d])]
    return [item | {"metadata": dict(item.get("metadata") or {})} for item in items]


def read_objects(file: Path) -> list[Object]:
    """Return the objects of a file.

    Raises:
        GitOpsError: if it is not YAML.
    """
    return parse_objects(file.read_text(), file.name)


def digest(value: Any) -> str:
    """Return a short name for a value: equal for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def kind_and_name(item: Object) -> str:
    """Return how messages name an object."""
    return f"{item['kind']}/{item['metadata']['name']}"


def api_group(item: Object) -> str:
    """Return the API group of an object, empty for the core group."""
    return str(item["apiVersion"]).rpartition("/")[0]


def sync_options(item: Object) -> set[str]:
    """Return the sync options that an object sets for itself, such as Prune=false."""
    options = (item["metadata"].get("annotations") or {}).get(SYNC_OPTIONS, "")
    return {option.strip() for option in options.split(",")}


def route_hosts(route: Object) -> Iterator[str]:
    """Return the hosts of an IngressRoute."""
    for rule in route["spec"].get("routes", []):
        for arguments in HOST_MATCHER.findall(rule.get("match", "")):
            yield from (host.strip(" `\"'") for host in arguments.split(","))


def containers(node: Any) -> Iterator[Object]:
    """Return every container of an object, wherever its pod template is."""
    if isinstance(node, dict):
        for field in ("containers", "initContainers"):
            yield from (c for c in node.get(field) or [] if isinstance(c, dict) and "image" in c)
        for child in node.values():
            yield from containers(child)
    elif isinstance(node, list):
        for child in node:
            yield from containers(child)


def is_cluster_scoped(item: Object, crds: list[Object]) -> bool:
    """Whether objects of this kind belong to no namespace."""
    for spec in (crd["spec"] for crd in crds):
        if (spec["group"], spec["names"]["kind"]) == (api_group(item), item["kind"]):
            return bool(spec["scope"] == "Cluster")
    return item["kind"] in CLUSTER_SCOPED


def is_foreign(item: Object, crds: list[Object]) -> bool:
    """Whether neither Kubernetes nor this repository defines the API of an object, for example an operator's."""
    group = api_group(item)
    return "." in group and not group.endswith(".k8s.io") and all(group != crd["spec"]["group"] for crd in crds)
