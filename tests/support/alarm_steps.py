"""Steps that change a rendered repository: the vocabulary of the table of alarms."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import engines
from tests.support.checkout import Checkout

Step = Callable[[Checkout], None]

SHOP, REPORTS = "apps/workloads/shop", "apps/workloads/reports"
DEV, STAGING, PROD = (f"{SHOP}/overlays/{name}" for name in ("dev", "staging", "prod"))
REPORTS_PROD = f"{REPORTS}/overlays/prod"
API = "api\n    newTag: "
RESOURCES = "resources:\n  - ../../base\n"


@dataclass(frozen=True)
class Alarm:
    """A change.

    Attributes:
        change: What is changed.
        is_true: Whether the blast radius must exit with 1.
        before: An additional commit before the change.
        says: What the report must contain.
        never_says: What it must not contain.
    """

    change: Step
    is_true: bool
    before: Step | None = None
    says: str = ""
    never_says: str = ""


def both(*steps: Step) -> Step:
    """Do several things."""

    def step(checkout: Checkout) -> None:
        for each in steps:
            each(checkout)

    return step


def edit(file: str, old: str, new: str) -> Step:
    """Replace a text that stands once in a file."""
    return lambda checkout: checkout.replace(file, old, new)


def add(item: dict[str, Any], overlay: str = PROD) -> Step:
    """Add an object to an overlay, in a separate file."""
    name = f"{item['kind']}-{item['metadata']['name']}.yaml".lower()

    def step(checkout: Checkout) -> None:
        checkout.write(f"{overlay}/{name}", item)
        checkout.replace(f"{overlay}/kustomization.yaml", RESOURCES, f"{RESOURCES}  - {name}\n")

    return step


def change(item: dict[str, Any], overlay: str = PROD) -> Step:
    """Replace an object that was added before."""
    return lambda checkout: checkout.write(f"{overlay}/{item['kind']}-{item['metadata']['name']}.yaml".lower(), item)


def drop(item: dict[str, Any], overlay: str = PROD) -> Step:
    """Remove an object that was added before."""
    name = f"{item['kind']}-{item['metadata']['name']}.yaml".lower()
    return lambda checkout: checkout.replace(f"{overlay}/kustomization.yaml", f"  - {name}\n", "")


def config(text: str, overlay: str = PROD) -> Step:
    """Add fields to the kustomization of an overlay."""
    return lambda checkout: checkout.replace(f"{overlay}/kustomization.yaml", RESOURCES, f"{text}\n{RESOURCES}")


def regenerate(old: str, new: str) -> Step:
    return edit(f"{PROD}/kustomization.yaml", old, new)


def copy(source: str, target: str) -> Step:
    """Copy a folder of the repository, or one beside it."""

    def step(checkout: Checkout) -> None:
        shutil.copytree(checkout.path / source, checkout.path / target)

    return step


def move(source: str, target: str) -> Step:
    """Move a folder of the repository, or one beside it."""

    def step(checkout: Checkout) -> None:
        shutil.move(checkout.path / source, checkout.path / target)

    return step


def remove(folder: str) -> Step:
    return lambda checkout: shutil.rmtree(checkout.path / folder)


def everywhere(folder: str, old: str, new: str) -> Step:
    """Replace a text in all files of a folder."""

    def step(checkout: Checkout) -> None:
        for file in (checkout.path / folder).rglob("*.yaml"):
            file.write_text(file.read_text().replace(old, new))

    return step


def patched(kind: str, patch: dict[str, Any], overlay: str = REPORTS_PROD) -> Step:
    """Patch objects of one kind of an overlay."""
    whole = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any"}} | patch
    return config(f"patches: {json.dumps([{'target': {'kind': kind}, 'patch': json.dumps(whole)}])}", overlay)


def job(image: str, name: str = "migrate", **annotations: str) -> dict[str, Any]:
    """A migration."""
    names = {
        f"{'helm.sh' if key.startswith('helm_') else 'argocd.argoproj.io'}/{key}": v for key, v in annotations.items()
    }
    names = {key.replace("/helm_", "/").replace("_", "-"): value for key, value in names.items()}
    pod = {"containers": [{"name": "migrate", "image": image}], "restartPolicy": "Never"}
    metadata = {"name": name} | ({"annotations": names} if names else {})
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}


def claim(
    name: str = "data", size: str = "1Gi", spec: dict[str, Any] | None = None, **annotations: str
) -> dict[str, Any]:
    """A volume claim."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}} | (spec or {})
    names = {f"argocd.argoproj.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {"name": name} | ({"annotations": names} if names else {})
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def database(name: str = "db", size: str = "1Gi", kind: str = "StatefulSet", **fields: Any) -> dict[str, Any]:
    """A StatefulSet with claims, or the Deployment of the same pods."""
    labels = {"app": "db"}
    spec = {
        "serviceName": "db",
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "db", "image": "postgres:17.2"}]},
        },
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim(size=size)["spec"]}],
    } | fields
    if kind == "Deployment":
        spec = {key: spec[key] for key in ("selector", "template")}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def service(**spec: Any) -> dict[str, Any]:
    """The Service of a database."""
    spec = {"selector": {"app": "db"}, "ports": [{"port": 5432}]} | spec
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": spec}


def route(host: str, **annotations: str) -> dict[str, Any]:
    """A route with a DNS name."""
    names = {f"argocd.argoproj.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    names["external-dns.kubernetes.io/target"] = "ingress-nonprod.acme.io"
    spec = {"entryPoints": ["websecure"], "routes": [{"kind": "Rule", "match": f"Host(`{host}`)", "services": []}]}
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": "more", "annotations": names},
        "spec": spec,
    }


def config_map(name: str, value: str = "1") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}}


def user_of(name: str) -> Step:
    """Have reports read a ConfigMap."""
    return patched(
        "Deployment", {"spec": {"template": {"spec": {"volumes": [{"name": "own", "configMap": {"name": name}}]}}}}
    )


def generated_name(checkout: Checkout) -> str:
    """Return the name of the generated ConfigMap of prod."""
    built = engines.kustomize_build(checkout.path / PROD)
    (name,) = (item["metadata"]["name"] for item in built if item["metadata"]["name"].startswith("shop-config-"))
    return str(name)
