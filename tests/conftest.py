"""Scenarios, each rendered once and shared by the tests that look at it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partialmethod
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import yaml
from copier import run_copy
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.sandbox import SandboxedEnvironment
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from tests import engines

ROOT = Path(__file__).parents[1]
Document = dict[str, Any]


class StrictLoader(yaml.SafeLoader):
    """YAML as the engines should read it: a duplicate key is an error, not a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate keys {repeated}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> list[Document]:
    """The documents of a YAML text, without empty ones.

    Raises:
        yaml.YAMLError: on anything that is not YAML, duplicate keys included.
    """
    return [document for document in yaml.load_all(text, StrictLoader) if document is not None]


@dataclass(frozen=True)
class Repository:
    """A rendered repository and the answers that it was rendered from."""

    name: str
    path: Path
    answers: dict[str, Any]

    def read(self, path: str) -> list[Document]:
        """The documents of one rendered YAML file."""
        return load((self.path / path).read_text())

    def one(self, path: str) -> Document:
        """The only document of one rendered YAML file."""
        (document,) = self.read(path)
        return document

    @cached_property
    def files(self) -> list[Path]:
        """All files, relative to the repository."""
        return sorted(file.relative_to(self.path) for file in self.path.rglob("*") if file.is_file())

    @cached_property
    def clusters(self) -> list[dict[str, Any]]:
        """The clusters of the answers with their defaults, worked out here a second time."""
        result = []
        for given in self.answers.get("clusters", ["main"]):
            cluster = given if isinstance(given, dict) else {"name": given}
            inherited = {
                "acm_certificate_arn": self.answers["acm_certificate_arn"],
                "load_balancer": self.answers.get("load_balancer", "aws-load-balancer-controller"),
                "kubernetes_version": self.answers.get("kubernetes_version", "1.36"),
                "ingress_host": f"ingress-{cluster['name']}.{self.answers['domain']}",
            }
            result.append(inherited | cluster)
        return result

    @cached_property
    def environments(self) -> list[dict[str, Any]]:
        """The environments of the answers with their defaults, worked out here a second time."""
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

    def overlays(self) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
        """Each workload in each of its environments, with the path of its overlay."""
        for environment in self.environments:
            for workload in self.answers["workloads"]:
                if environment["name"] in workload.get("environments", [environment["name"]]):
                    yield workload, environment, f"apps/workloads/{workload['name']}/overlays/{environment['name']}"

    @cached_property
    def _built(self) -> dict[str, list[Document]]:
        return {}

    def build(self, overlay: str) -> list[Document]:
        """What Kustomize builds from a folder, such as an overlay or the bootstrap; built once."""
        if overlay not in self._built:
            self._built[overlay] = engines.kustomize_build(self.path / overlay, engines.argocd_manifests())
        return self._built[overlay]


# Files of tests/cluster that share a stack: on one worker it is started once.
STACKS = {
    "small": ("test_admission.py", "test_bootstrap.py", "test_policies.py", "test_small_nodes.py"),
    "stages": (
        "test_clusters.py",
        "test_dns.py",
        "test_guards.py",
        "test_reconciliation.py",
        "test_traffic.py",
        "test_updates.py",
    ),
}


class ByStack(LoadFileScheduling):  # type: ignore[misc]
    """Keeps on one worker what shares a file, with all that the file rendered, or a stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder, _, name = file.rpartition("/")
        stacks = [stack for stack, files in STACKS.items() if folder == "tests/cluster" and name in files]
        return stacks[0] if stacks else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStack:
    """Hand out tests as said above."""
    return ByStack(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    texts = [
        text
        for report in reports
        if report.when == "call"
        for name, text in report.user_properties
        if name == "measured"
    ]
    if texts:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(map(str, texts)))


def pick(documents: list[Document], kind: str) -> list[Document]:
    """The documents of one kind."""
    return [document for document in documents if document["kind"] == kind]


def examples() -> dict[str, dict[str, Any]]:
    """The example answers by name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "examples").glob("*.yaml"))}


def choices(question: str) -> list[str]:
    """The values that a question of copier.yml offers."""
    return list(yaml.safe_load((ROOT / "copier.yml").read_text())[question]["choices"].values())


def scenarios() -> dict[str, dict[str, Any]]:
    """Every example, and the choices of copier.yml combined so that each pair of them occurs."""
    all_scenarios = examples()
    dns_providers = choices("dns_provider")
    for (i, load_balancer), (j, ci) in itertools.product(*map(enumerate, (choices("load_balancer"), choices("ci")))):
        dns_provider = dns_providers[(i + j) % len(dns_providers)]
        all_scenarios[f"{load_balancer}+{ci}+{dns_provider}"] = examples()["minimal"] | {
            "load_balancer": load_balancer,
            "dns_provider": dns_provider,
            "ci": ci,
            "environments": ["dev", {"name": "prod", "protected": True}],
        }
    all_scenarios["empty"] = examples()["minimal"] | {"workloads": []}
    return all_scenarios


def snapshot(folder: Path) -> Path:
    """Copy the template as it is in the working tree, uncommitted changes included, into an empty folder."""
    shutil.copy(ROOT / "copier.yml", folder)
    for part in ("hooks", "template"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def render(template: Path, answers: dict[str, Any], destination: Path) -> Path:
    """Render answers as a user does: without prompts, and without trust."""
    run_copy(str(template), destination, data=answers, defaults=True, quiet=True)
    return destination


@pytest.fixture(scope="session", autouse=True)
def a_machine_without_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither Git's nor Copier's settings of the person who runs the tests matter."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "copier.yml").write_text("{}\n")
    (folder / "gitconfig").write_text("[user]\n  name = A Test\n  email = test@example.com\n[gc]\n  auto = 0\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "copier.yml"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
        yield


class Compiled(BytecodeCache):
    """Jinja's own cache of compiled templates, kept in memory and shared by the many clones that Copier makes."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], CodeType | None] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Compiling takes half the time of a render, and an update renders three times."""
    with pytest.MonkeyPatch.context() as patch:
        init = partialmethod(SandboxedEnvironment.__init__, bytecode_cache=Compiled())
        patch.setattr(SandboxedEnvironment, "__init__", init)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as it is in the working tree, uncommitted changes included."""
    return snapshot(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session", params=scenarios().items(), ids=lambda item: item[0])
def repository(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """One rendered repository per scenario."""
    name, answers = request.param
    return Repository(name, render(template, answers, tmp_path_factory.mktemp(name) / "repository"), answers)


@pytest.fixture(scope="session")
def stages(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example with three environments on two clusters."""
    answers = examples()["stages"]
    return Repository("stages", render(template, answers, tmp_path_factory.mktemp("stages") / "repository"), answers)
