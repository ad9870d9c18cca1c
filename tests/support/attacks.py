"""Read attacks from files: what one commit to the dev overlay of one workload tries, and what must reject it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support import engines
from tests.support.repository import ROOT, Document

FOLDER = ROOT / "tests/attacks"
# The attacking workload in the files; each attack gets its own workload.
PLACEHOLDER, TEMPLATE = "EVIL", "evil"
TRACKING = "argocd.argoproj.io/tracking-id"
# One cluster, the victim `shop` in both environments, and the workload that each attack is a copy of.
ANSWERS = {
    "repo_url": "https://github.com/acme/platform-gitops.git",
    "domain": "acme.io",
    "acm_certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/aaaaaaaa-1111-2222-3333-444455556666",
    "clusters": [{"name": "main", "ingress_host": "ingress-main.acme.io"}],
    "environments": ["dev", "prod"],
    "workloads": [
        {"name": "shop", "image": "ghcr.io/acme/shop:2.7.1", "port": 8080},
        {"name": TEMPLATE, "image": "traefik/whoami:v1.11.0", "port": 80, "host": False, "environments": ["dev"]},
    ],
}


@dataclass(frozen=True)
class Attack:
    """One commit below `apps/workloads/<name>/overlays/dev`.

    Attributes:
        name: The name of the file, and of the workload that attacks.
        about: What it tries, in one sentence.
        files: Files by path: a text, or a list of objects.
        links: Targets of symbolic links by path.
        modes: Modes of files by path, such as `100755`.
        checks: The checks of `validate` that must fail.
        policies: One of these policies must deny an object if it is merged anyway.
        is_deployed: Whether only Argo CD shows what it does: it depends on how Argo CD builds or syncs.
    """

    name: str
    about: str
    files: dict[str, Any]
    links: dict[str, str]
    modes: dict[str, str]
    checks: tuple[str, ...]
    policies: tuple[str, ...]
    is_deployed: bool

    @property
    def namespace(self) -> str:
        """The namespace, and the application, of the attacker."""
        return f"{self.name}-dev"

    @property
    def folder(self) -> str:
        """Return the folder of the attacker's workload."""
        return f"apps/workloads/{self.name}"


def commits() -> list[Attack]:
    """Return the attacks of tests/attacks/commits, by name."""
    return [_read(file) for file in sorted((FOLDER / "commits").glob("*.yaml"))]


def _read(file: Path) -> Attack:
    text = file.read_text().replace(PLACEHOLDER, file.stem)
    content = yaml.load(text, yaml.CSafeLoader)
    refused_by = content.pop("refused_by")
    return Attack(
        name=file.stem,
        about=content.pop("about"),
        files=content.pop("files", {}),
        links=content.pop("links", {}),
        modes=content.pop("modes", {}),
        checks=tuple(refused_by.pop("validate")),
        policies=tuple(refused_by.pop("api_server", ())),
        is_deployed=content.pop("deployed", False),
        **content,
        **refused_by,
    )


def commit(attack: Attack, repository: Path, template: Path) -> None:
    """Add the workload of an attack, with its files, to a repository.

    Args:
        attack: The attack.
        repository: The repository to change.
        template: A repository that was rendered from `ANSWERS`.
    """
    workload = repository / attack.folder
    shutil.copytree(template / f"apps/workloads/{TEMPLATE}", workload)
    for file in (path for path in workload.rglob("*") if path.is_file()):
        file.write_text(file.read_text().replace(TEMPLATE, attack.name))
        file.rename(file.with_name(file.name.replace(TEMPLATE, attack.name)))
    overlay = workload / "overlays/dev"
    for name, content in attack.files.items():
        (overlay / name).parent.mkdir(parents=True, exist_ok=True)
        (overlay / name).write_text(content if isinstance(content, str) else "---\n".join(map(_as_yaml, content)))
    for name, target in attack.links.items():
        (overlay / name).symlink_to(target)
    for name, mode in attack.modes.items():
        (overlay / name).chmod(int(mode[-3:], 8))
    if "payload.yaml" in attack.files and "kustomization.yaml" not in attack.files:
        kustomization = overlay / "kustomization.yaml"
        text = kustomization.read_text()
        assert text.count("resources:\n") == 1
        kustomization.write_text(text.replace("resources:\n", "resources:\n  - payload.yaml\n"))


def _as_yaml(item: Document) -> str:
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in item.items())


def objects(attack: Attack, repository: Path) -> Iterator[Document]:
    """Yield the objects of an attack as Argo CD would apply them: with its tracking, and in its namespace."""
    for item in engines.kustomize_build(repository / attack.folder / "overlays/dev"):
        metadata = {"namespace": attack.namespace} | item["metadata"]
        group = item["apiVersion"].rpartition("/")[0]
        identity = f"{attack.namespace}:{group}/{item['kind']}:{metadata['namespace']}/{metadata.get('name', '')}"
        if item["kind"] == "Namespace":
            metadata.pop("namespace")
        yield item | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | {TRACKING: identity}}}
