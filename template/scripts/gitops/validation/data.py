"""Rules of ConfigMaps, Secrets and claims (k8s.io/kubernetes, pkg/apis/core/validation), and of metadata."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar, quantities
from gitops.validation.selectors import annotation_map, labels
from gitops.validation.terms import Problem, Rule, choice, keys, optional, required, valid

MAX_BYTES = 1024 * 1024
# The keys that a type of Secret needs.
KEYS_OF_TYPE = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
BASIC, BASIC_KEYS = "kubernetes.io/basic-auth", ("username", "password")
ACCOUNT, ACCOUNT_NAME = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
# Names of the kinds that the API server does not read as DNS subdomains.
LABELS = ("Service", "Namespace", "StatefulSet")
PATHS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "PodDisruptionBudget", "APIService")


def metadata(node: Object) -> Iterator[Problem]:
    """Check the metadata that every object has."""
    kind, name = node["kind"], node["metadata"].get("name", "")
    check = grammar.dns_label if kind in LABELS else grammar.path_segment if kind in PATHS else grammar.dns_subdomain
    if message := check(name):
        yield "metadata.name", f"{name} {message}"
    yield from optional("metadata", *labels("labels"), annotation_map, valid(grammar.label_key, "finalizers"))(node)


def config_map(node: Object) -> Iterator[Problem]:
    """Check the size of a ConfigMap, and that its keys are unique."""
    texts, blobs = node.get("data") or {}, node.get("binaryData") or {}
    size = sum(len((text or "").encode()) for text in texts.values())
    for key, text in blobs.items():
        try:
            size += len(base64.b64decode(text or "", validate=True))
        except binascii.Error:
            yield f"binaryData[{key}]", "must be base64"
    if size > MAX_BYTES:
        yield "", f"{size} bytes are more than {MAX_BYTES}: split it, or put the files into the image"
    for key in sorted(texts.keys() & blobs.keys()):
        yield f"binaryData[{key}]", "occurs in data, too: remove one"


def secret(node: Object) -> Iterator[Problem]:
    """Check that a Secret has the keys of its type. Its values are hidden from every check."""
    kind = node.get("type", "Opaque")
    given = {**(node.get("data") or {}), **(node.get("stringData") or {})}
    for key in KEYS_OF_TYPE.get(kind, ()):
        if key not in given:
            yield "data", f"type {kind} needs the key {key}"
    if kind == BASIC and given.keys().isdisjoint(BASIC_KEYS):
        yield "data", f"type {kind} needs the key {' or '.join(BASIC_KEYS)}"
    if kind == ACCOUNT and not (node["metadata"].get("annotations") or {}).get(ACCOUNT_NAME):
        yield "metadata.annotations", f"type {kind} needs {ACCOUNT_NAME}"


def claim(node: Object) -> Iterator[Problem]:
    """Check that a claim has a size and an access mode."""
    modes, storage = node.get("accessModes") or [], ((node.get("resources") or {}).get("requests") or {}).get("storage")
    if not modes:
        yield "accessModes", "must not be empty"
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield "accessModes", f"{mode} is not one of {', '.join(ACCESS_MODES)}"
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        yield "accessModes", "ReadWriteOncePod excludes others: keep one"
    if storage is None:
        yield "resources.requests.storage", "must be set"
    elif message := quantities.positive(storage):
        yield "resources.requests.storage", f"{storage} {message}"


SPEC = (required("spec"),)
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(
        ("Service", "PersistentVolumeClaim", "apps/Deployment", "apps/DaemonSet", "apps/StatefulSet"), SPEC
    ),
    "autoscaling/HorizontalPodAutoscaler": SPEC,
    "ConfigMap": (config_map, keys(grammar.config_key, "data"), keys(grammar.config_key, "binaryData")),
    "Secret": (secret, keys(grammar.config_key, "data"), keys(grammar.config_key, "stringData")),
    "core.v1.PersistentVolumeClaim": SPEC,
    "core.v1.PersistentVolumeClaimSpec": (
        claim,
        choice("volumeMode", "Filesystem", "Block", even_if_empty=True),
        valid(grammar.dns_subdomain, "storageClassName", "volumeAttributesClassName"),
    ),
}
