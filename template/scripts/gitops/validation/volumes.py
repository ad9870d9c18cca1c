"""Rules of volumes (k8s.io/kubernetes, pkg/apis/core/validation, ValidateVolumes)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import grammar, quantities
from gitops.validation.terms import Problem, Rule, between, choice, each, exactly_one, repeated, required, valid

# Kubernetes drops the others, unless a feature gate is on.
PROJECTED = ("secret", "configMap", "downwardAPI", "serviceAccountToken")
IN_A_FILE = (
    *("metadata.name", "metadata.namespace", "metadata.uid"),
    *("metadata.labels", "metadata.annotations"),
)
RESOURCES = tuple(
    f"{side}.{unit}" for side in ("limits", "requests") for unit in ("cpu", "memory", "ephemeral-storage")
)
# The divisors of a resource. Other spellings of the decimal ones are valid, too.
DIVISORS = {
    "cpu": ("1", "1m"),
    "bytes": ("1", *(f"1{unit}" for unit in "kMGTPE"), *(f"1{unit}i" for unit in "KMGTPE")),
}
MODE = between(0, 0o777, "mode", "defaultMode")


def volume(node: Object) -> Iterator[Problem]:
    """Check that a volume has one source; without any it is an emptyDir."""
    yield from exactly_one(*(field for field in node if field != "name"), may_lack=True)(node)


def projected(node: Object) -> Iterator[Problem]:
    """Check that each projection has one source, and that no two write the same file."""
    paths: list[str] = []
    for name, source in each(node, "sources"):
        yield from ((name, message) for _, message in exactly_one(*PROJECTED, may_lack=True)(source))
        for kind in ("secret", "configMap", "downwardAPI"):
            part = source.get(kind) or {}
            if kind in source and kind != "downwardAPI" and not part.get("name"):
                yield f"{name}.{kind}.name", "must not be empty"
            paths += [entry.get("path", "") for entry in part.get("items") or []]
    for path in repeated([path for path in paths if path]):
        yield "sources", f"{path} comes from two sources: rename one"


def field_of(paths: tuple[str, ...]) -> Rule:
    """Return the rule of a reference to a field of the pod."""

    def rule(node: Object) -> Iterator[Problem]:
        path = node.get("fieldPath", "")
        name, bracket, rest = path.partition("['")
        if bracket and name in ("metadata.labels", "metadata.annotations"):
            key = rest.removesuffix("']")
            message = grammar.annotation_key(key) if name.endswith("annotations") else grammar.label_key(key)
            if message or not rest.endswith("']"):
                yield "fieldPath", f"{path} {message or 'must end with a quote and a bracket'}"
        elif path not in paths:
            yield "fieldPath", f"{path} is not one of {', '.join(paths)}"

    return rule


def resource(node: Object) -> Iterator[Problem]:
    """Check that a reference names a resource of a container."""
    name = node.get("resource", "")
    if name not in RESOURCES and not name.startswith(("requests.hugepages-", "limits.hugepages-")):
        yield "resource", f"{name} is not one of {', '.join(RESOURCES)}"
    divisor = node.get("divisor", "0")
    allowed = DIVISORS["cpu" if name.endswith(".cpu") else "bytes"]
    amount = quantities.exact(divisor)
    if amount and str(divisor) not in allowed and amount not in [quantities.exact(text) for text in allowed[:7]]:
        yield "divisor", f"{divisor} is not one of {', '.join(allowed)}"


def downward_file(node: Object) -> Iterator[Problem]:
    """Check that a file has one field or resource of the pod."""
    yield from exactly_one("fieldRef", "resourceFieldRef")(node)
    if "fieldRef" in node:
        yield from (("fieldRef." + path, message) for path, message in field_of(IN_A_FILE)(node["fieldRef"]))
    if "resourceFieldRef" in node and not node["resourceFieldRef"].get("containerName"):
        yield "resourceFieldRef.containerName", "must not be empty"


RULES: dict[str, tuple[Rule, ...]] = {
    "core.v1.Volume": (volume, required("name"), valid(grammar.dns_label, "name")),
    "core.v1.EmptyDirVolumeSource": (valid(quantities.not_negative, "sizeLimit"),),
    "core.v1.SecretVolumeSource": (required("secretName"), MODE),
    "core.v1.ConfigMapVolumeSource": (required("name"), MODE),
    "core.v1.PersistentVolumeClaimVolumeSource": (required("claimName"),),
    "core.v1.HostPathVolumeSource": (
        required("path"),
        valid(grammar.forward_path, "path"),
        choice(
            "type",
            *("DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"),
        ),
    ),
    "core.v1.NFSVolumeSource": (required("server", "path"),),
    "core.v1.KeyToPath": (required("key", "path"), valid(grammar.file_path, "path"), MODE),
    "core.v1.DownwardAPIVolumeSource": (MODE,),
    "core.v1.DownwardAPIVolumeFile": (downward_file, required("path"), valid(grammar.file_path, "path"), MODE),
    "core.v1.ProjectedVolumeSource": (projected, MODE),
    "core.v1.ServiceAccountTokenProjection": (
        required("path"),
        valid(grammar.file_path, "path"),
        between(600, 1 << 32, "expirationSeconds"),
    ),
    "core.v1.ResourceFieldSelector": (resource,),
}
