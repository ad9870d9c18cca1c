"""Read the answers of public systems, and the addresses that their programs call."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from tests.support.cases import Answers
from tests.support.repository import ROOT, Document, examples, pick

FOLDER = ROOT / "examples/systems"
# `redis:6379` in a text; a longer name such as `redis.other.svc:6379` is outside the workload.
ADDRESS = re.compile(r"(?<![\w.$-])([a-z][a-z0-9-]*):([0-9]{2,5})(?![\w.])")
URL = re.compile(r"\bhttp://([a-z][a-z0-9-]*)(?![\w.:-])")


def systems() -> dict[str, Answers]:
    """Return the answers of each system by name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


def joined() -> Answers:
    """Return answers of one repository with the workloads of all systems, each in the environments of its file."""
    workloads = []
    for answers in systems().values():
        names = [given["name"] if isinstance(given, dict) else given for given in answers["environments"]]
        workloads += [{"environments": names} | workload for workload in answers["workloads"]]
    first = {environment: None for workload in workloads for environment in workload["environments"]}
    return examples()["minimal"] | {"environments": sorted(first), "workloads": workloads}


def ports(documents: list[Document]) -> dict[str, set[int]]:
    """Return the ports of each Service."""
    return {
        service["metadata"]["name"]: {port["port"] for port in service["spec"]["ports"]}
        for service in pick(documents, "Service")
    }


def addresses(text: str) -> Iterator[tuple[str, int]]:
    """Yield each `host:port` and `http://host` of a text with a host of one label."""
    for host, port in ADDRESS.findall(text):
        yield host, int(port)
    for host in URL.findall(text):
        yield host, 80


def texts(documents: list[Document]) -> Iterator[tuple[str, str]]:
    """Yield the texts that programs are started with, each with the name of its container."""
    for document in documents:
        template = document.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*template.get("initContainers", []), *template.get("containers", [])]:
            words = [*container.get("command", []), *container.get("args", [])]
            words += [variable["value"] for variable in container.get("env", []) if "value" in variable]
            yield from ((container["name"], word) for word in words)


def in_files(documents: list[Document]) -> Iterator[tuple[str, str, int]]:
    """Yield the addresses in files of components, each with the name of the file."""
    for config_map in pick(documents, "ConfigMap"):
        for file, text in config_map.get("data", {}).items():
            yield from ((file, host, port) for host, port in addresses(text))
