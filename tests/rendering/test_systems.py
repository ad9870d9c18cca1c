"""Rendered public systems pass their checks, and their programs reach each other at their addresses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.own_checks import Validate
from tests.support.repository import Repository, render
from tests.support.systems import addresses, in_files, ports, systems, texts

SYSTEMS = systems()
# The system of the fast tier has files, copied folders, claims and all kinds of images.
FAST = "robot-shop"
# Addresses that do not exist in the systems' own manifests either.
NOWHERE = {"shoppingassistantservice", "localhost"}


def in_tiers(names: Iterable[str]) -> list[object]:
    """Return parameters: all but one belong to the slow tier."""
    return [pytest.param(name, marks=[] if name == FAST else pytest.mark.proof) for name in names]


@pytest.fixture(scope="module", params=in_tiers(SYSTEMS))
def system(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return the repository of each system."""
    answers = SYSTEMS[request.param]
    path = render(template, answers, tmp_path_factory.mktemp("system") / "repository")
    return Repository(request.param, path, answers)


@pytest.mark.proof
def test_its_own_checks_pass_and_policies_admit_it(system: Repository, validate: Validate) -> None:
    assert validate(system.path, is_kyverno_built=True) == {}


def test_addresses_are_found_in_texts() -> None:
    text = "amqp://mq:5672,tcp://db:3306/a http://web/ http://api:8080/x db.other.svc:3306 $(HOST):80 10:30 v1:2"
    assert list(addresses(text)) == [("mq", 5672), ("db", 3306), ("api", 8080), ("web", 80)]


def test_addresses_lead_to_services(system: Repository) -> None:
    for workload, _, overlay in system.overlays():
        documents = system.build(overlay)
        services = ports(documents)
        known = services.keys() | {component["name"] for component in workload.get("components", [workload])}
        calls = [(place, *address) for place, text in texts(documents) for address in addresses(text)]
        # Files contain other words with colons.
        calls += [call for call in in_files(documents) if call[1] in known]
        assert [call for call in calls if call[2] not in services.get(call[1], set()) and call[1] not in NOWHERE] == []
