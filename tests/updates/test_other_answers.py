"""Changed answers at the same version: an addition changes nothing else, and its removal leaves nothing behind."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from tests.support.properties import up_to
from tests.support.repository import ROOT, examples, town
from tests.support.strategies import answers
from tests.support.updates.repository import ANSWERS_FILE, Answers, Files, Render, differences, set_tag

EXAMPLES = examples()

MINIMAL, STAGES = EXAMPLES["minimal"], EXAMPLES["stages"]
INVENTORY = "docs/inventory.md"
# Other files that list environments and clusters: documents with commands to copy, and the preflight script.
LISTS = ("docs/", "AGENTS.md", "README.md", "bootstrap/preflight.sh", "infrastructure/")
# The policies are for the namespaces of all environments, and not for the add-ons of any cluster.
POLICIES = "apps/platform/policies/"
# Traefik reaches the namespaces of the environments in its cluster.
NETWORKS = "apps/platform/traefik/clusters/"
# external-dns of a cluster reads the zones of its environments.
ZONES = "apps/platform/external-dns/clusters/"
# The project of an add-on names its clusters.
# The hosts that the answers assign to workloads are data of a policy.
HOSTS = f"{POLICIES}base/hosts.yaml"
ADDON_PROJECTS = tuple(f"argo/projects/{addon}.yaml" for addon in json.loads((ROOT / "hooks/addons.json").read_text()))


@dataclass(frozen=True)
class Addition:
    """New answers, a part of the paths of the files that they add, and the files that may change besides."""

    example: Answers
    answers: Answers
    own: str
    touches: tuple[str, ...] = ()


def with_components() -> list[Any]:
    (whoami,) = deepcopy(MINIMAL["workloads"])
    # One before `whoami`, one after.
    names = ["api", "x-api"]
    others = [{"name": name, "image": f"ghcr.io/acme/{name}:1.0.0", "port": 9000} for name in names]
    return [{"name": "whoami", "components": [*others, whoami | {"public": True}]}]


def with_fields() -> list[Any]:
    """Return a workload with the fields of another one. Jobs of releases concern Argo CD's set of applications, too."""
    (whoami,) = MINIMAL["workloads"]
    (part,) = (part for workload in town()["workloads"] for part in workload.get("components", []) if "init" in part)
    own = {name: value for name, value in whoami.items() if name != "args"}
    return [{name: value for name, value in part.items() if name != "before_release"} | own]


def with_override() -> list[Any]:
    workloads: list[Any] = deepcopy(STAGES["workloads"])
    (reports,) = (workload for workload in workloads if workload["name"] == "reports")
    reports["overrides"] = {
        "prod": {"replicas": 3, "env": {"LEVEL": "warning"}, "resources": {"requests": {"memory": "1Gi"}}}
    }
    return workloads


# Additions come first, in order and by name: nothing may depend on being the first or the only one.
ADDITIONS = {
    "workload": Addition(
        STAGES,
        {"workloads": [{"name": "alpha", "image": "ghcr.io/acme/alpha:1.0.0", "port": 8080}, *STAGES["workloads"]]},
        own="apps/workloads/alpha/",
        touches=(INVENTORY, HOSTS),
    ),
    "environment": Addition(
        MINIMAL,
        {"environments": ["alpha", *MINIMAL["environments"]]},
        own="alpha",
        # Renovate moves images in the first environment.
        touches=(*LISTS, NETWORKS, ZONES, POLICIES, "renovate.json5"),
    ),
    "cluster": Addition(
        MINIMAL,
        {"clusters": ["alpha", "main"], "environments": [{"name": "dev", "cluster": "main"}]},
        own="alpha",
        touches=(*LISTS, *ADDON_PROJECTS, f"{POLICIES}base/own.yaml", HOSTS),
    ),
    "fields": Addition(
        MINIMAL,
        {"workloads": with_fields()},
        own="apps/workloads/whoami/",
        touches=(INVENTORY, "apps/workloads/whoami/"),
    ),
    "component": Addition(
        MINIMAL,
        {"workloads": with_components()},
        own="api.yaml",
        touches=(INVENTORY, "apps/workloads/whoami/"),
    ),
    "override": Addition(
        STAGES,
        {"workloads": with_override()},
        own="apps/workloads/reports/overlays/prod/",
        touches=("apps/workloads/reports/overlays/prod/",),
    ),
}


@dataclass(frozen=True)
class Story:
    """A repository before an addition, with it, and after its removal."""

    addition: Addition
    answers: Answers
    by_hand: set[str]
    before: Files
    added: Files
    after: Files
    folders_before: set[str]
    folders_after: set[str]


# The slow tier has the rest.
QUICK = ("workload", "environment")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=() if name in QUICK else pytest.mark.proof) for name in ADDITIONS],
)
def story(request: pytest.FixtureRequest, render: Render) -> Story:
    addition = ADDITIONS[request.param]
    repository = render(addition.example)
    first = repository.answers()
    repository.write("apps/workloads/crm/overlays/dev/kustomization.yaml", "resources: []\n")
    for file in repository.files():
        if Path(file).match("overlays/*/kustomization.yaml") and "newTag" in repository.text(file):
            set_tag(repository, file, "v2026.11")
    by_hand = repository.changed()
    repository.commit()
    before, folders_before = repository.files(), repository.folders()

    repository.answer(addition.answers)
    answers, added = repository.answers(), repository.files()
    repository.commit()

    repository.answer({name: first[name] for name in addition.answers})
    return Story(addition, answers, by_hand, before, added, repository.files(), folders_before, repository.folders())


def test_an_addition_equals_a_fresh_copy(story: Story, render: Render) -> None:
    fresh = render(story.answers).files()
    assert differences(story.added, fresh) == story.by_hand


def test_removing_an_addition_leaves_no_trace(story: Story) -> None:
    assert differences(story.after, story.before) == set()
    assert story.folders_after == story.folders_before


def test_an_addition_touches_only_its_own_files(story: Story) -> None:
    may_change = (ANSWERS_FILE, *story.addition.touches)
    for file in differences(story.before, story.added):
        assert file.startswith(may_change) if file in story.before else story.addition.own in file, file


def is_part(part: Any, whole: Any) -> bool:
    """Return whether `whole` has everything that `part` has."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(is_part(item, other) for other in whole) for item in part)
    if isinstance(part, str) and isinstance(whole, str) and '"' in part:
        # An expression of a policy that contains the names of environments.
        lists = [set(re.findall(r'"([^"]*)"', text)) for text in (part, whole)]
        return lists[0] <= lists[1]
    if isinstance(part, str) and isinstance(whole, str) and "|" in part:
        # A regular expression with the domains of environments.
        return set(part.strip("^()$").split("|")) <= set(whole.strip("^()$").split("|"))
    return bool(part == whole)


def test_an_addition_renames_nothing(story: Story) -> None:
    for file in story.before.keys() & story.added.keys():
        if file.startswith(("apps/", "argo/")) and file.endswith(".yaml") and story.addition.own not in file:
            before, added = (list(yaml.safe_load_all(files[file])) for files in (story.before, story.added))
            assert is_part(before, added), file


def names_in_inventory(files: Files) -> set[str]:
    """Return the rows without their last cell, which lists the workloads."""
    return {line.rsplit(" | ", 1)[0] for line in files[INVENTORY].decode().splitlines() if line.startswith("| ")}


def test_an_addition_keeps_every_name_in_the_inventory(story: Story) -> None:
    assert names_in_inventory(story.before) - names_in_inventory(story.added) == set()


def add_a_workload(answers: Answers) -> Answers:
    return answers | {"workloads": [{"name": "alpha", "image": "ghcr.io/acme/alpha:1.0.0"}, *answers["workloads"]]}


def add_an_environment(answers: Answers) -> Answers:
    return answers | {"environments": [{"name": "alpha", "cluster": "main"}, *answers["environments"]]}


def add_a_cluster(answers: Answers) -> Answers:
    environments = [
        {"name": "dev", "cluster": "main"} if given == "dev" else given for given in answers["environments"]
    ]
    return answers | {"clusters": ["alpha", "main"], "environments": environments}


def add_components(answers: Answers) -> Answers:
    *others, whoami = answers["workloads"]
    parts = [{"name": name, "image": f"ghcr.io/acme/{name}:1.0.0", "port": 9000} for name in ("admin", "zeta")]
    return answers | {"workloads": [*others, {"name": "whoami", "components": [*parts, whoami | {"public": True}]}]}


def add_an_override(answers: Answers) -> Answers:
    workloads = deepcopy(answers["workloads"])
    parts = workloads[-1].get("components", workloads)
    parts[-1] = {"overrides": {"dev": {"replicas": 3, "env": {"A": "b"}}}} | parts[-1]
    return answers | {"workloads": workloads}


@pytest.mark.proof
def test_the_order_in_which_things_are_added_does_not_matter(render: Render) -> None:
    additions = [add_a_workload, add_an_environment, add_a_cluster, add_components, add_an_override]
    results: list[Files] = []
    for order in (additions, additions[::-1]):
        repository, answers = render(MINIMAL), MINIMAL
        for add in order:
            answers = add(answers)
            repository.answer(answers)
            repository.commit()
        results.append(repository.files())
    assert differences(*results) == set()
    assert differences(results[0], render(repository.answers()).files()) == set()


@pytest.mark.proof
@up_to(3)
@given(whole=answers().filter(lambda answers: answers["workloads"]))
def test_adding_and_removing_a_workload_touches_only_its_own_files(whole: Answers, render: Render) -> None:
    first, *others = whole["workloads"]
    repository = render(whole | {"workloads": others})
    before = repository.files()
    repository.answer({"workloads": whole["workloads"]})
    # The sets name the workloads with jobs around a release: docs/jobs.md of a rendered repository.
    sets = ("argo/applicationsets/workloads-",) if re.search('"(before|after)_release"', json.dumps(first)) else ()
    may_change = (ANSWERS_FILE, INVENTORY, HOSTS, *sets, f"apps/workloads/{first['name']}/")
    assert [file for file in repository.changed() if not file.startswith(may_change)] == []
    assert differences(repository.files(), render(repository.answers()).files()) == set()
    repository.commit()
    repository.answer({"workloads": others})
    assert differences(repository.files(), before) == set()


def words(text: bytes) -> list[bytes]:
    return sorted(re.findall(rb"[^\s,()]+", text))


@up_to(4)
@given(given_answers=answers())
def test_the_order_of_answers_renames_nothing(given_answers: Answers, render: Render) -> None:
    """Lists are rendered in another order, with the same words."""
    reordered = given_answers | {name: given_answers[name][::-1] for name in ("clusters", "environments")}
    reordered["workloads"] = [
        workload | ({"components": workload["components"][::-1]} if "components" in workload else {})
        for workload in given_answers["workloads"]
    ]
    once, again = render(given_answers).files(), render(reordered).files()
    assert once.keys() == again.keys()
    # Renovate moves images in the first environment.
    for file in once.keys() - {ANSWERS_FILE, "renovate.json5"}:
        if not file.startswith("docs/"):
            assert words(once[file]) == words(again[file]), file
