"""Check objects against the schemas of Kubernetes and of custom resources."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from gitops.objects import Object, digest
from gitops.tools import run

# Where the schemas of Kubernetes refer to their shared definitions.
DEFINITIONS = "/api/_definitions.json#/$defs/"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# Longer parts of a schema are shared, so that kubeconform reads each only once.
SHARED_LENGTH = 500
_problems: dict[tuple[str, ...], list[str]] = {}


@dataclass(frozen=True)
class Schema:
    """The schema of a kind, and the definitions that it refers to."""

    root: Object
    definitions: dict[str, Object]


@cache
def known_versions() -> dict[str, Path]:
    """Return the Kubernetes versions that can be checked, oldest first, with the folders of their schemas."""
    package = Path(str(resources.files("kubernetes_validate"))) / "kubernetes-json-schema"
    folders = {path.name.removeprefix("v").removesuffix(".0-local-strict"): path for path in package.glob("*-strict")}
    return dict(sorted(folders.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def problems_of(version: str, crds: list[Object], items: list[Object]) -> Iterator[tuple[Object, str]]:
    """Return what a Kubernetes version rejects or drops: unknown kinds and fields, and wrong types.

    Args:
        version: One of known_versions(), or empty for the newest.
        crds: The definitions of custom resources.
        items: The objects.

    Raises:
        UnavailableError: if kubeconform is not installed.
    """
    definitions = digest([crd["spec"] for crd in crds])
    keys = [(version, definitions, digest(item)) for item in items]
    if new := {key: item for key, item in zip(keys, items, strict=True) if key not in _problems}:
        with tempfile.TemporaryDirectory() as folder:
            _write_schemas(Path(folder), version, {item["kind"] for item in new.values()}, crds)
            results = _kubeconform(list(new.values()), Path(folder))
        _problems.update(zip(new, results, strict=True))
    for key, item in zip(keys, items, strict=True):
        yield from ((item, problem) for problem in _problems[key])


def schema_of(version: str, crds: list[Object], item: Object) -> Schema | None:
    """Return the schema of an object, with the extensions of Kubernetes, or None if there is none."""
    versions = known_versions()
    source = versions[version] if version else list(versions.values())[-1]
    group, _, served = str(item["apiVersion"]).rpartition("/")
    for spec in (crd["spec"] for crd in crds):
        if (spec["group"], spec["names"]["kind"]) == (group, item["kind"]):
            schemas = [v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["name"] == served]
            return Schema(schemas[0], {}) if schemas else None
    parts = [item["kind"].lower(), group.split(".")[0], served]
    file = source / f"{'-'.join(filter(None, parts))}.json"
    return Schema(_read(file), _definitions(source)) if file.exists() else None


@cache
def _read(file: Path) -> Object:
    schema: Object = json.loads(file.read_text())
    return schema


def _kubeconform(items: list[Object], folder: Path) -> list[list[str]]:
    """Return the problems of each object."""
    location = f"{folder}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    (folder / "objects").mkdir()
    for index, item in enumerate(items):
        (folder / f"objects/{index}.json").write_text(json.dumps(item))
    options = ["-strict", "-output", "json", "-schema-location", location]
    output = run("kubeconform", *options, str(folder / "objects"), reports=True)
    result: list[list[str]] = [[] for _ in items]
    for entry in json.loads(output)["resources"] or []:
        result[int(Path(entry["filename"]).stem)].append(entry["msg"].rpartition("#' - ")[2])
    return result


def _write_schemas(folder: Path, version: str, kinds: set[str], crds: list[Object]) -> None:
    """Write JSON schemas under the names by which kubeconform looks for them."""
    versions = known_versions()
    source = versions[version] if version else list(versions.values())[-1]
    shared = _definitions(source)
    schemas = {f.stem: json.loads(f.read_text()) for kind in kinds for f in source.glob(f"{kind.lower()}-*.json")}
    schemas |= {f.stem: json.loads(f.read_text()) for kind in kinds for f in source.glob(f"{kind.lower()}.json")}
    for spec in (crd["spec"] for crd in crds if crd["spec"]["names"]["kind"] in kinds):
        for served in spec["versions"]:
            name = f"{spec['names']['kind']}-{spec['group'].split('.')[0]}-{served['name']}".lower()
            schemas[name] = _custom(served["schema"]["openAPIV3Schema"])
    for name, schema in schemas.items():
        # Each with only the definitions that it uses: kubeconform takes seconds to read all of them.
        used: dict[str, Object] = schema.get("$defs", {})
        missing = _references(schema) - used.keys()
        while missing:
            used |= {reference: shared[reference] for reference in missing}
            missing = {r for reference in missing for r in _references(shared[reference])} - used.keys()
        text = json.dumps(schema | {"$defs": used})
        (folder / f"{name}.json").write_text(text.replace(f'"{DEFINITIONS}', '"#/$defs/'))


@cache
def _definitions(source: Path) -> dict[str, Object]:
    definitions: dict[str, Object] = json.loads((source / "_definitions.json").read_text())["$defs"]
    return definitions


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return {reference for child in node for reference in _references(child)}
    if not isinstance(node, dict):
        return set()
    references = {reference for child in node.values() for reference in _references(child)}
    own = node.get("$ref")
    return references | {own.rpartition("/")[2]} if isinstance(own, str) else references


def _custom(schema: Object) -> Object:
    """Return the schema of a custom resource as JSON Schema."""
    shared: dict[str, Object] = {}
    closed = _closed(schema, shared)
    closed["properties"]["metadata"] = {"$ref": f"{DEFINITIONS}{OBJECT_META}"}
    return closed | {"$defs": shared}


def _closed(schema: Object, shared: dict[str, Object]) -> Object:
    """Return a schema that rejects every field that the API server would drop."""
    closed = {key: value for key, value in schema.items() if key not in ("description", "nullable", "properties")}
    if "properties" in schema:
        closed["properties"] = {name: _shared(child, shared) for name, child in schema["properties"].items()}
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            closed[key] = _shared(schema[key], shared)
    if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        closed.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if schema.get("nullable") and "type" in schema:
        closed["type"] = [schema["type"], "null"]
    return closed


def _shared(schema: Object, shared: dict[str, Object]) -> Object:
    """Return a closed schema, or a reference to it where it is long: sets repeat their template many times."""
    closed = _closed(schema, shared)
    if len(json.dumps(closed)) < SHARED_LENGTH:
        return closed
    name = digest(closed)
    shared[name] = closed
    return {"$ref": f"{DEFINITIONS}{name}"}
