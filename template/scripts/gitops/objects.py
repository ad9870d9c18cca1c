"""Read Kubernetes objects and their fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gitops.goyaml import Loader, describe
from gitops.strictyaml import check_bounds, read_text
from gitops.tools import GitOpsError

Object = dict[str, Any]

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
CRD = "CustomResourceDefinition"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
# Kinds of Kubernetes itself that belong to no namespace (kubectl api-resources --namespaced=false).
CLUSTER_SCOPED = {
    *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
    *("ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IPAddress", "IngressClass"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node"),
    *("PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass"),
    *("ServiceCIDR", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass"),
    # From an add-on's chart, which may be unavailable.
    "ClusterSecretStore",
}


def mapping(value: Any) -> Object:
    """Return a map unchanged, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Object]:
    """Return the maps of a list, and none for anything else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def load_yaml(text: str, name: str, loader: Any = Loader) -> list[Any]:
    """Return the documents of a YAML text that are not empty.

    Args:
        text: The text.
        name: Its name in messages.
        loader: How scalars are read: as Argo CD does, or goyaml.BASE for files that Copier writes and reads.

    Raises:
        GitOpsError: if it is not YAML, or exceeds bounds.
    """
    check_bounds(text, name)
    try:
        return [d for d in yaml.load_all(text, loader) if d is not None]
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise GitOpsError(f"{name} is not valid YAML: {describe(error)}") from None


def parse_objects(text: str, name: str) -> list[Object]:
    """Return the objects of a YAML text, with the items of lists.

    Raises:
        GitOpsError: if it is not YAML, or a document is not an object.
    """
    return [checked(item, name) for item in _items(text, name)]


def _items(text: str, name: str) -> list[Any]:
    return [item for document in load_yaml(text, name) for item in items_of(document)]


def items_of(document: Any) -> list[Any]:
    """Return the items of a list, regardless of its kind, or the document itself, as Argo CD does."""
    if not isinstance(document, dict) or "items" not in document:
        return [document]
    items = document["items"]
    if items is None and not document.keys() & {"spec", "status"}:
        return []
    return items if isinstance(items, list) else [document]


def checked(item: Any, name: str) -> Object:
    """Return an object whose common fields have the right types, so that no check has to test them again.

    An object with metadata.generateName gets that prefix as its name.

    Raises:
        GitOpsError: if a field has another type.
    """
    if not isinstance(item, dict):
        raise GitOpsError(f"{name} is not a Kubernetes manifest")
    metadata = item.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise GitOpsError(f"{name}: metadata must be a map")
    metadata = metadata | {"name": metadata.get("name") or metadata.get("generateName")}
    named = {"apiVersion": item.get("apiVersion"), "kind": item.get("kind"), "metadata.name": metadata["name"]}
    for field, value in named.items():
        if not isinstance(value, str) or not value:
            raise GitOpsError(f"{name}: {item.get('kind', 'an object')} needs a text in {field}")
    shown = f"{item['kind']}/{metadata['name']}"
    for field in ("annotations", "labels"):
        values = metadata.get(field) or {}
        if not isinstance(values, dict) or not all(
            isinstance(key, str) and isinstance(value, str | None) for key, value in values.items()
        ):
            raise GitOpsError(f"{name}: {shown}: metadata.{field} must map text to text: quote its values")
    if not isinstance(metadata.get("namespace") or "", str):
        raise GitOpsError(f"{name}: {shown}: metadata.namespace must be text")
    for field in ("finalizers", "ownerReferences"):
        if not isinstance(metadata.get(field) or [], list):
            raise GitOpsError(f"{name}: {shown}: metadata.{field} must be a list")
    return item | {"metadata": metadata}


def read_objects(file: Path) -> list[Object]:
    """Return the objects and patches in a file of a kustomization.

    Raises:
        GitOpsError: if it is not YAML.
    """
    items = [item for item in _items(read_text(file, file.name), file.name) if isinstance(item, dict)]
    return [item | {"metadata": item["metadata"] if isinstance(item.get("metadata"), dict) else {}} for item in items]


def digest(value: Any) -> str:
    """Return a short hash of a value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def kind_and_name(item: Object) -> str:
    """Return the name of an object in messages."""
    return f"{item['kind']}/{item['metadata']['name']}"


def api_group(item: Object) -> str:
    """Return the API group of an object, empty for the core group."""
    return str(item["apiVersion"]).rpartition("/")[0]


def sync_options(item: Object) -> set[str]:
    """Return the sync options that an object sets for itself, such as Prune=false."""
    options = (item["metadata"].get("annotations") or {}).get(SYNC_OPTIONS, "")
    return {option.strip() for option in options.split(",")}


def containers(node: Any) -> Iterator[Object]:
    """Return every container of an object, at any depth."""
    if isinstance(node, dict):
        for field in ("containers", "initContainers"):
            yield from (c for c in node.get(field) or [] if isinstance(c, dict) and "image" in c)
        for child in node.values():
            yield from containers(child)
    elif isinstance(node, list):
        for child in node:
            yield from containers(child)


def repository_of(image: Any) -> str:
    """Return an image without its tag and its digest."""
    name = str(image).partition("@")[0]
    return name if "/" in name.rpartition(":")[2] else name.rpartition(":")[0] or name


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
