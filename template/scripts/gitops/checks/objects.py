"""Check objects one at a time: their schemas, their images, and the values that they are rendered from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gitops import schemas as kubernetes_schemas
from gitops import validation as kubernetes_validation
from gitops.applications import GENERATE_PATHS
from gitops.chartvalues import unread_values
from gitops.checks.types import Note, NothingToCheckError, Repository, check
from gitops.hooks import runs_in_each_sync
from gitops.objects import CRD, Object, containers, is_foreign, kind_and_name


@check("schemas", "Objects match their schemas", tools=("kubeconform",))
def schemas(repository: Repository) -> Iterator[str]:
    """Find unknown kinds and fields, which the API server of the cluster rejects or drops.

    Kinds of an operator that this repository does not install are not checked.
    """
    crds = repository.crds
    by_version, owners = _by_version(repository, crds)
    for version, items in by_version.items():
        for item, problem in kubernetes_schemas.problems_of(version, crds, items):
            yield f"{owners[id(item)]}: {kind_and_name(item)}: {problem}"
    _require_schemas(repository)


@check("validation", "The API server accepts the objects", tools=("kubeconform",))
def validation(repository: Repository) -> Iterator[str]:
    """Find objects that match their schemas, but that the API server of the cluster rejects."""
    crds = repository.crds
    by_version, owners = _by_version(repository, crds)
    for version, items in by_version.items():
        misfits = {id(item) for item, _ in kubernetes_schemas.problems_of(version, crds, items)}
        for item in items:
            schema = kubernetes_schemas.schema_of(version, crds, item)
            if schema and id(item) not in misfits:
                for path, problem in kubernetes_validation.problems(item, schema):
                    yield f"{owners[id(item)]}: {kind_and_name(item)}: {path + ': ' if path else ''}{problem}"
    _require_schemas(repository)


def _by_version(repository: Repository, crds: list[Object]) -> tuple[dict[str, list[Object]], dict[int, str]]:
    """Return the objects by the Kubernetes version of their cluster, and the Application of each.

    Versions without schemas are left out.
    """
    by_version: dict[str, list[Object]] = defaultdict(list)
    owners: dict[int, str] = {}
    for application, item in repository.objects():
        if item["kind"] != CRD and not is_foreign(item, crds):
            by_version[repository.tree.kubernetes_version(application.cluster)].append(item)
            owners[id(item)] = application.name
    _require(owners, "there is no object to check")
    known = {*kubernetes_schemas.known_versions(), ""}
    return {version: items for version, items in by_version.items() if version in known}, owners


def _require_schemas(repository: Repository) -> None:
    versions = kubernetes_schemas.known_versions()
    needed = {repository.tree.kubernetes_version(a.cluster) for a in repository.applications}
    if unknown := sorted(needed - versions.keys() - {""}):
        raise NothingToCheckError(f"no schemas of Kubernetes {', '.join(unknown)}, only up to {list(versions)[-1]}")


@check("hooks", "Each release runs its jobs")
def hooks(repository: Repository) -> Iterator[str]:
    """Find hooks that a rollout can skip.

    If an Application lists the paths to watch, Argo CD treats a commit that arrives during a sync as drift. It repairs
    drift without hooks (Argo CD 3.6, controller/appcontroller.go: autoSync).
    """
    workloads = [application for application in repository.applications if application.workload]
    _require(workloads, "there is no workload to check")
    for application in workloads:
        watches_paths = application.manifest["metadata"].get("annotations", {}).get(GENERATE_PATHS)
        for item in repository.objects_of(application) if watches_paths else ():
            if runs_in_each_sync(item):
                yield Note(
                    f"{application.name}: {kind_and_name(item)}: a commit that arrives while another is rolled out "
                    "goes live without this hook; use a job of a component in the answers instead: docs/jobs.md"
                )


@check("values", "Values are read by their chart")
def values(repository: Repository) -> Iterator[str]:
    """Find keys of values files that their chart does not read."""
    pairs = [(a, source) for a in repository.applications for source in a.sources if "chart" in source]
    _require(pairs, "there is no chart to check")
    for application, source in pairs:
        if objects := repository.objects_of(application):
            yield from unread_values(repository.tree, application, source, objects)


@check("images", "Images of the platform are pinned")
def images(repository: Repository) -> Iterator[str]:
    """Find images of the platform that can change without a commit. Policies check those of workloads."""
    applications = [application for application in repository.applications if not application.workload]
    _require(applications, "there is no application of the platform to check")
    for application in applications:
        for item in repository.objects_of(application):
            for container in () if item["kind"] == CRD else containers(item):
                image = container["image"]
                tag = image.rpartition("/")[2].partition(":")[2]
                if "@sha256:" not in image and tag in ("", "latest") and container.get("imagePullPolicy") != "Always":
                    yield f"{application.name}: {kind_and_name(item)}: {image} has no fixed tag or digest"


def _require(items: object, reason: str) -> None:
    if not items:
        raise NothingToCheckError(reason)
