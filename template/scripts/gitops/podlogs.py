"""Find the pods of a workload whose logs to show."""

from __future__ import annotations

from pathlib import Path

from gitops.kubectl import overlays
from gitops.objects import MANIFEST_SUFFIXES, Object, mapping, parse_objects
from gitops.strictyaml import read_text
from gitops.text import closest, printable
from gitops.tools import GitOpsError

PERMANENT = ("Deployment", "StatefulSet", "DaemonSet")


def check_place(repository: Path, workload: str, environment: str) -> None:
    """Refuse names that do not exist.

    Raises:
        GitOpsError: with the names that do.
    """
    places = overlays(repository)
    if workload not in places:
        raise GitOpsError(unknown("workload", workload, list(places)))
    if environment not in places[workload]:
        raise GitOpsError(unknown("environment", environment, places[workload], f" of {workload}"))


def unknown(kind: str, name: str, names: list[str], place: str = "") -> str:
    """Return what to say of a name that does not exist."""
    close = closest(name, names)
    suggestion = f" Did you mean {close}?" if close else ""
    article = "an" if kind[0] in "aeiou" else "a"
    return printable(f"{name} is not {article} {kind}{place}.{suggestion} There are: {', '.join(names) or 'none'}")


def selector(repository: Path, workload: str, environment: str, component: str) -> str:
    """Return the label selector of a component's pods; without a component, of all that run permanently.

    Raises:
        GitOpsError: if there is no such component, or no selector for all.
    """
    folder = repository / "apps/workloads" / workload
    labels: dict[str, Object] = {}
    permanent: list[Object] = []
    for file in sorted([*folder.glob("base/*"), *folder.glob(f"overlays/{environment}/*")]):
        name = file.relative_to(repository).as_posix()
        if file.suffix in MANIFEST_SUFFIXES and not file.stem.startswith("kustomization"):
            for item in parse_objects(read_text(file, name), name):
                if pod_labels := labels_of_pods(item):
                    labels.setdefault(str(mapping(item.get("metadata")).get("name")), pod_labels)
                    permanent += [pod_labels] if item["kind"] in PERMANENT else []
    if component:
        if component not in labels:
            raise GitOpsError(unknown("component", component, list(labels), f" of {workload}"))
        return ",".join(f"{key}={value}" for key, value in labels[component].items())
    keys = {key for item in permanent for key in item}
    if len(keys) != 1 or any(len(item) != 1 for item in permanent):
        raise GitOpsError(f"Name a component of {workload}: {', '.join(labels) or 'there is none'}")
    (key,) = keys
    return f"{key} in ({','.join(sorted({str(item[key]) for item in permanent}))})"


def labels_of_pods(item: Object) -> Object:
    """Return the labels by which the pods of an object are found; none if it has no pods."""
    spec = mapping(item.get("spec"))
    match item["kind"]:
        case kind if kind in PERMANENT:
            return mapping(mapping(spec.get("selector")).get("matchLabels"))
        case "CronJob":
            spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
        case "Job":
            pass
        case _:
            return {}
    return mapping(mapping(mapping(spec.get("template")).get("metadata")).get("labels"))
