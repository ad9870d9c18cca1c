"""Find the changes of a live object that the API server rejects, and what to do instead.

Source: the validation of each kind in Kubernetes (ValidateStatefulSetUpdate, ValidatePersistentVolumeClaimUpdate, …).
A test compares it with the real API server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops.objects import Object
from gitops.validation import quantities

CLAIM, SET = "PersistentVolumeClaim", "StatefulSet"
TEMPLATES = "spec.volumeClaimTemplates"
FIELDS = {
    "DaemonSet": ["spec.selector"],
    "Deployment": ["spec.selector"],
    "IngressClass": ["spec.controller"],
    "Job": ["spec.completionMode", "spec.selector", "spec.template"],
    "ClusterRoleBinding": ["roleRef"],
    "RoleBinding": ["roleRef"],
    "Secret": ["type"],
    "Service": ["spec.clusterIP", "spec.loadBalancerClass"],
    SET: ["spec.podManagementPolicy", "spec.selector", "spec.serviceName", TEMPLATES],
    "StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
}
# The fields of an object with `immutable: true`.
FROZEN = ["binaryData", "data", "immutable", "stringData"]
# The defaults of missing fields in the API server.
DEFAULTS = {"podManagementPolicy": "OrderedReady", "serviceName": "", "volumeMode": "Filesystem"}
# These fields of a claim may change.
SIZE, ATTRIBUTES = "resources.requests.storage", "volumeAttributesClassName"
# Longer values are not shown.
LENGTH = 60


def refusals(old: Object, new: Object) -> list[str]:
    """Return each change that the API server rejects, with what to do instead."""
    if old["kind"] == CLAIM:
        return [*_of_claim(old, new)]
    fields = FIELDS.get(old["kind"], []) + (FROZEN if old.get("immutable") is True else [])
    return [
        _shown(field, before, after, _fix(new, field))
        for field in fields
        for before, after in [(value_of(old, field), value_of(new, field))]
        if _differ(field, before, after)
    ]


def _of_claim(old: Object, new: Object) -> Iterator[str]:
    specs = [item.get("spec") or {} for item in (old, new)]
    before, after = (value_of(spec, SIZE) for spec in specs)
    amounts = [quantities.exact(size) for size in (before, after)]
    if amounts[0] is not None and amounts[1] is not None and amounts[1] < amounts[0]:
        fix = "a volume never shrinks: keep its size, or copy the data to a new volume"
        yield _shown(f"spec.{SIZE}", before, after, fix)
    for field in sorted({*specs[0], *specs[1]} - {ATTRIBUTES}):
        before, after = (_without_size(spec) if field == "resources" else spec.get(field) for spec in specs)
        if _differ(field, before, after):
            fix = "fixed once the claim exists: keep it, or copy the data to a new volume"
            if field == "storageClassName" and not before:
                fix = "rejected, unless the claim already has this class as the default of its cluster: check the claim"
            yield _shown(f"spec.{field}", before, after, fix)


def _without_size(spec: Object) -> Any:
    resources = spec.get("resources") or {}
    return {
        side: {unit: amount for unit, amount in (amounts or {}).items() if (side, unit) != ("requests", "storage")}
        for side, amounts in resources.items()
    }


def _fix(item: Object, field: str) -> str:
    kind, name = item["kind"].lower(), item["metadata"]["name"]
    namespace = item["metadata"].get("namespace")
    delete = f"kubectl delete {kind} {name}" + (f" --namespace {namespace}" if namespace else "")
    again = "and Argo CD creates it again"
    if item["kind"] != SET:
        return f"once this is merged, run `{delete}`, {again}"
    if field == "spec.selector":
        return f"once this is merged, run `{delete}`: its pods are deleted, its claims stay, {again}"
    fix = f"once this is merged, run `{delete} --cascade=orphan`: pods and claims stay, {again}"
    return (
        f"{fix}. Existing claims keep their size: resize each with `kubectl patch pvc`" if field == TEMPLATES else fix
    )


def _shown(field: str, old: Any, new: Any, fix: str) -> str:
    if field == TEMPLATES and _sizes(old) != _sizes(new):
        old, new = _sizes(old), _sizes(new)
    texts = ["nothing" if value in (None, "", {}, []) else json.dumps(value, default=str) for value in (old, new)]
    is_long = max(map(len, texts)) > LENGTH
    return f"{field}{' differs' if is_long else ': ' + ' → '.join(texts)}: {fix}"


def _sizes(templates: Any) -> dict[str, Any]:
    """Return the size of each claim template by its name."""
    claims = [claim for claim in templates or [] if isinstance(claim, dict)]
    return {str(value_of(claim, "metadata.name")): value_of(claim, f"spec.{SIZE}") for claim in claims}


def _differ(field: str, old: Any, new: Any) -> bool:
    key = field.rpartition(".")[2]
    return bool(_normal(old, key) != _normal(new, key))


def _normal(value: Any, key: str = "") -> Any:
    """Return a value as the API server compares it: with defaults, without empty fields, quantities as numbers."""
    if value is None:
        return DEFAULTS.get(key)
    if key == "storage":
        amount = quantities.exact(value)
        return value if amount is None else amount
    if key == "volumeClaimTemplates" and isinstance(value, list):
        return [_normal(_template(entry)) for entry in value] or None
    if isinstance(value, dict):
        fields = {name: _normal(child, name) for name, child in value.items()}
        return {name: child for name, child in fields.items() if child not in (None, {}, [])} or None
    return [_normal(child) for child in value] if isinstance(value, list) else value


def _template(claim: Any) -> Any:
    if not isinstance(claim, dict):
        return claim
    claim = {name: value for name, value in claim.items() if name not in ("apiVersion", "kind", "status")}
    spec = claim.get("spec") or {}
    return claim | {"spec": {"volumeMode": DEFAULTS["volumeMode"]} | spec} if isinstance(spec, dict) else claim


def value_of(item: Object, path: str) -> Any:
    """Return the value of a field, or None."""
    value: Any = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
