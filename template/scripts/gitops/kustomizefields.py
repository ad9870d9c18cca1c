"""The fields of kustomizations and of builtin transformers, and those that hold a path.

Source: sigs.k8s.io/kustomize/api/types and api/internal/builtins of Kustomize 5.8. Kustomize ignores the case
of field names. Here each field has one spelling, and any other name is rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gitops.tools import GitOpsError


class Target(StrEnum):
    """The target that a path must have."""

    FILE = "a file"
    FOLDER = "a folder with a kustomization"
    RESOURCE = "a file, or a folder with a kustomization"
    # A file with configuration of builtin transformers or generators, which has paths itself.
    PLUGIN = "a file with builtin generators, transformers or validators"


@dataclass(frozen=True)
class Reference:
    """A path in a kustomization.

    Attributes:
        field: Where it is, such as patches[0].path.
        path: The path.
        target: The target that it must have.
    """

    field: str
    path: str
    target: Target


# Returns the references in the value of a field.
Rule = Callable[[str, Any], Iterator[Reference]]


def _no_path(field: str, value: Any) -> Iterator[Reference]:
    return iter(())


def _refused(field: str, value: Any) -> Iterator[Reference]:
    raise GitOpsError(f"{field} is not supported, since Argo CD does not allow it either: commit what it generates")


def _path(target: Target) -> Rule:
    def rule(field: str, value: Any) -> Iterator[Reference]:
        if value is None:
            return
        if not isinstance(value, str):
            raise GitOpsError(f"{field} must be text")
        yield Reference(field, value, target)

    return rule


def _file_of_generator(field: str, value: Any) -> Iterator[Reference]:
    """Read `path` or `key=path`."""
    if not isinstance(value, str):
        raise GitOpsError(f"{field} must be text")
    yield Reference(field, value.partition("=")[2] if "=" in value else value, Target.FILE)


def _file_or_patch(field: str, value: Any) -> Iterator[Reference]:
    """Read a path or a patch. Text of several lines is a patch."""
    if not isinstance(value, str):
        raise GitOpsError(f"{field} must be text")
    if "\n" not in value.strip():
        yield Reference(field, value, Target.FILE)


def _list(rule: Rule) -> Rule:
    def of_list(field: str, value: Any) -> Iterator[Reference]:
        if not isinstance(value, list | None):
            raise GitOpsError(f"{field} must be a list")
        for index, entry in enumerate(value or []):
            yield from rule(f"{field}[{index}]", entry)

    return of_list


def fields(rules: dict[str, Rule]) -> Rule:
    """Return the rule of a map that has these fields."""

    def of_map(field: str, value: Any) -> Iterator[Reference]:
        prefix = f"{field}." if field else ""
        if not isinstance(value, dict | None):
            raise GitOpsError(f"{field or 'a kustomization'} must be a map")
        for name, entry in (value or {}).items():
            if name not in rules:
                raise GitOpsError(f"{prefix}{name} is not a field of Kustomize: check its spelling and its case")
            yield from rules[name](f"{prefix}{name}", entry)

    return of_map


def _plain(*names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, _no_path)


_FILE = _path(Target.FILE)
_PLUGINS = _list(_path(Target.PLUGIN))
_SOURCES = {"files": _list(_file_of_generator), "envs": _list(_FILE), "env": _FILE, **_plain("literals")}
_CONFIG_MAP = {**_SOURCES, **_plain("namespace", "name", "behavior", "options")}
_PATCH = {"path": _FILE, **_plain("patch", "target", "options")}
_REPLACEMENT = {"path": _FILE, **_plain("source", "sourceValue", "targets")}

KUSTOMIZATION: dict[str, Rule] = {
    **_plain("apiVersion", "kind", "metadata", "namePrefix", "nameSuffix", "namespace", "sortOptions"),
    **_plain("commonLabels", "labels", "commonAnnotations", "images", "imageTags", "replicas", "vars"),
    **_plain("generatorOptions", "buildMetadata"),
    "resources": _list(_path(Target.RESOURCE)),
    "bases": _list(_path(Target.RESOURCE)),
    "components": _list(_path(Target.FOLDER)),
    "crds": _list(_FILE),
    "configurations": _list(_FILE),
    "openapi": fields({"path": _FILE, **_plain("version")}),
    "patches": _list(fields(_PATCH)),
    "patchesJson6902": _list(fields(_PATCH)),
    "patchesStrategicMerge": _list(_file_or_patch),
    "replacements": _list(fields(_REPLACEMENT)),
    "configMapGenerator": _list(fields(_CONFIG_MAP)),
    "secretGenerator": _list(fields({**_CONFIG_MAP, **_plain("type")})),
    "generators": _PLUGINS,
    "transformers": _PLUGINS,
    "validators": _PLUGINS,
    "helmGlobals": _refused,
    "helmCharts": _refused,
    "helmChartInflationGenerator": _refused,
}

_OBJECT = _plain("apiVersion", "kind", "metadata")
# The builtin generators and transformers by kind.
PLUGINS: dict[str, dict[str, Rule]] = {
    "AnnotationsTransformer": _OBJECT | _plain("annotations", "fieldSpecs"),
    "ConfigMapGenerator": _OBJECT | _CONFIG_MAP,
    "HashTransformer": _OBJECT,
    "IAMPolicyGenerator": _OBJECT | _plain("cloud", "kubernetesService", "serviceAccount"),
    "ImageTagTransformer": _OBJECT | _plain("imageTag", "fieldSpecs"),
    "LabelTransformer": _OBJECT | _plain("labels", "fieldSpecs"),
    "NamespaceTransformer": _OBJECT | _plain("fieldSpecs", "unsetOnly", "setRoleBindingSubjects"),
    "PatchJson6902Transformer": _OBJECT | {"path": _FILE} | _plain("target", "jsonOp"),
    "PatchStrategicMergeTransformer": _OBJECT | {"paths": _list(_file_or_patch)} | _plain("patches"),
    "PatchTransformer": _OBJECT | _PATCH,
    "PrefixTransformer": _OBJECT | _plain("prefix", "fieldSpecs"),
    "ReplacementTransformer": _OBJECT | {"replacements": _list(fields(_REPLACEMENT))},
    "ReplicaCountTransformer": _OBJECT | _plain("replica", "fieldSpecs"),
    "SecretGenerator": _OBJECT | _CONFIG_MAP | _plain("type"),
    "SortOrderTransformer": _OBJECT | _plain("sortOptions"),
    "SuffixTransformer": _OBJECT | _plain("suffix", "fieldSpecs"),
    "ValueAddTransformer": _OBJECT | {"targetFilePath": _FILE} | _plain("value", "targets"),
}
