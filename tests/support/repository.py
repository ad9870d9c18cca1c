"""Render the scenarios, and read rendered repositories."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.support import engines

ROOT = Path(__file__).parents[2]
Document = dict[str, Any]


class StrictLoader(yaml.CSafeLoader):
    """Read YAML strictly: a duplicate key is an error, not a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate keys {repeated}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> list[Document]:
    """Return the documents of a YAML text, without empty ones.

    Raises:
        yaml.YAMLError: if it is not valid YAML, duplicate keys included.
    """
    return [document for document in yaml.load_all(text, StrictLoader) if document is not None]


def installation_id(answers: dict[str, Any]) -> str:
    """Return the id of the repository in zones and accounts, computed independently of the template."""
    if "installation_id" in answers:
        return str(answers["installation_id"])
    parts = re.fullmatch(r"(?:\w+://)?(?:[^@/]*@)?([^/:]+)(:[0-9]+(?=/))?[/:]/?(.+?)(?:\.git)?", answers["repo_url"])
    assert parts
    host, port, path = parts.groups()
    server = f"{host.lower()}{'' if port in (':22', ':443') else port or ''}"
    name = re.sub("[^a-z0-9]", "", path.rpartition("/")[2].lower()).lstrip("0123456789") or "gitops"
    return name[:8] + hashlib.sha256(f"{server}/{path}".encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Repository:
    """A rendered repository and the answers that it was rendered from."""

    name: str
    path: Path
    answers: dict[str, Any]

    def read(self, path: str) -> list[Document]:
        """Return the documents of one rendered YAML file."""
        return load((self.path / path).read_text())

    def one(self, path: str) -> Document:
        """Return the only document of one rendered YAML file."""
        (document,) = self.read(path)
        return document

    @cached_property
    def files(self) -> list[Path]:
        """Return all files, relative to the repository."""
        return sorted(file.relative_to(self.path) for file in self.path.rglob("*") if file.is_file())

    @cached_property
    def clusters(self) -> list[dict[str, Any]]:
        """Return the clusters of the answers with their defaults, computed independently of the template."""
        result = []
        for given in self.answers.get("clusters", ["main"]):
            cluster = given if isinstance(given, dict) else {"name": given}
            inherited = {
                "acm_certificate_arn": self.answers.get("acm_certificate_arn", ""),
                "load_balancer": self.answers.get("load_balancer", "aws-load-balancer-controller"),
                "kubernetes_version": self.answers.get("kubernetes_version", "1.36"),
                "ingress_host": f"ingress-{cluster['name']}-{installation_id(self.answers)}.{self.answers['domain']}",
                "dns_owner_id": f"{installation_id(self.answers)}-{cluster['name']}",
            }
            result.append(inherited | cluster)
        return result

    @cached_property
    def environments(self) -> list[dict[str, Any]]:
        """Return the environments of the answers with their defaults, computed independently of the template."""
        result = []
        for given in self.answers["environments"]:
            environment = given if isinstance(given, dict) else {"name": given}
            inherited = {
                "cluster": self.clusters[0]["name"],
                "domain": f"{environment['name']}.{self.answers['domain']}",
                "protected": environment["name"] not in {"dev", "test", "qa", "sandbox", "staging"},
            }
            result.append(inherited | environment)
        return result

    @property
    def releasing(self) -> set[str]:
        """Return the names of the workloads with jobs before or after a release, in any environment."""
        found = self.answers.get("workloads", [])
        return {w["name"] for w in found if re.search('"(before|after)_release"', json.dumps(w))}

    def overlays(self) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
        """Yield each workload in each of its environments, with the path of its overlay."""
        for environment in self.environments:
            for workload in self.answers["workloads"]:
                if environment["name"] in workload.get("environments", [environment["name"]]):
                    yield workload, environment, f"apps/workloads/{workload['name']}/overlays/{environment['name']}"

    @cached_property
    def _built(self) -> dict[str, list[Document]]:
        return {}

    def build(self, overlay: str) -> list[Document]:
        """Return what Kustomize builds from a folder, such as an overlay or the bootstrap; built once."""
        if overlay not in self._built:
            self._built[overlay] = engines.kustomize_build(self.path / overlay, engines.argocd_manifests())
        return self._built[overlay]


def pick(documents: list[Document], kind: str) -> list[Document]:
    """Return the documents of one kind."""
    return [document for document in documents if document["kind"] == kind]


def examples() -> dict[str, dict[str, Any]]:
    """Return the example answers by name."""
    return {
        path.stem: yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted((ROOT / "examples").glob("*.yaml"))
    }


def town() -> dict[str, Any]:
    """Return the answers of workloads that call each other and use every field of a component."""
    return dict(yaml.load((ROOT / "tests/support/town.yaml").read_text(), yaml.CSafeLoader))


def choices(question: str) -> list[str]:
    """Return the values that a question of copier.yml offers."""
    return list(yaml.load((ROOT / "copier.yml").read_text(), yaml.CSafeLoader)[question]["choices"].values())


def scenarios() -> dict[str, dict[str, Any]]:
    """Return every example, and the choices of copier.yml combined so that each pair of them occurs.

    Each combination has a cluster with an environment for every load balancer.
    """
    all_scenarios = examples()
    load_balancers = choices("load_balancer")
    for ci, dns_provider in zip(choices("ci"), itertools.cycle(choices("dns_provider"))):
        all_scenarios[f"every-load-balancer+{ci}+{dns_provider}"] = examples()["minimal"] | {
            "clusters": [
                {"name": f"on-{name}"[:40], "load_balancer": name, "provides": ["metrics-server"]}
                for name in load_balancers
            ],
            "environments": [
                {"name": environment, "cluster": f"on-{name}"[:40]}
                for environment, name in zip(("dev", "qa", "prod"), load_balancers, strict=True)
            ],
            "workloads": [examples()["minimal"]["workloads"][0] | {"autoscaling": {"max": 4}}],
            "dns_provider": dns_provider,
            "ci": ci,
        }
    all_scenarios["empty"] = examples()["minimal"] | {"workloads": [], "addons": ["external-secrets"]}
    return all_scenarios


def snapshot(folder: Path) -> Path:
    """Copy the template from the working tree, uncommitted changes included, into an empty folder."""
    shutil.copy(ROOT / "copier.yml", folder)
    for part in ("hooks", "template"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def render(template: Path, answers: dict[str, Any], destination: Path) -> Path:
    """Render answers like a user: without prompts, and without trust."""
    from copier import run_copy  # Takes a second, which xdist's controller does not have to spend.

    run_copy(str(template), destination, data=answers, defaults=True, quiet=True)
    return destination
