"""Recorded answers that are edited by hand, merged by Git, or passed as data."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import copier
import pytest
import yaml

from tests.support.repository import examples, town
from tests.support.terminal import (
    ACCOUNT,
    ARGOCD_CLUSTER,
    BRANCH,
    CLEAR,
    ENTER,
    ENVIRONMENTS,
    QUESTIONS,
    SOMETIMES,
    Person,
    start_copier,
)
from tests.support.updates.repository import ANSWERS_FILE, Answers, Render, Repository, differences, seeds
from tests.support.updates.versions import Versions, git

EXAMPLES = examples()

STAGES = EXAMPLES["stages"]
INVENTORY = "docs/inventory.md"
# The files that have lines of every workload.
LISTS = {ANSWERS_FILE, INVENTORY, "apps/platform/policies/base/hosts.yaml"}
EDITS = {
    "domain": ("domain: acme.io", "domain: acme.dev"),
    "workloads.shop": ("replicas: 4", "replicas: 5"),
    "clusters.third": ("\nclusters:\n", "\nclusters:\n- third\n"),
}


def refusal(repository: Repository, tag: str | copier.VcsRef, answers: Answers | None = None) -> str:
    """Return the message of an update that must be rejected without any change."""
    before = repository.files()
    with pytest.raises(Exception, match="Nothing was written") as caught:
        repository.update(tag, answers)
    assert repository.files() == before
    return str(caught.value)


@pytest.mark.parametrize("named", EDITS)
def test_an_edit_of_the_file_has_no_effect_so_it_is_refused(named: str, render: Render) -> None:
    repository = render(STAGES)
    repository.replace(ANSWERS_FILE, *EDITS[named])
    repository.commit()
    assert f"{named}: was changed in {ANSWERS_FILE}. Edits there have no effect" in refusal(
        repository, copier.VcsRef.CURRENT
    )


def test_an_edit_of_the_file_is_refused_by_a_newer_version_and_with_other_answers(
    render: Render, next_version: str
) -> None:
    repository = render(STAGES)
    repository.replace(ANSWERS_FILE, *EDITS["domain"])
    repository.commit()
    assert f"domain: was changed in {ANSWERS_FILE}" in refusal(repository, next_version)
    assert f"domain: was changed in {ANSWERS_FILE}" in refusal(repository, copier.VcsRef.CURRENT, {"ci": "none"})


def test_the_edited_file_can_be_given_as_data_once_the_edit_is_undone(render: Render) -> None:
    repository = render(STAGES)
    original = repository.text(ANSWERS_FILE)
    repository.replace(ANSWERS_FILE, *EDITS["domain"])
    edited = repository.yaml(ANSWERS_FILE)
    repository.write(ANSWERS_FILE, original)
    repository.answer(edited)
    assert repository.answers() == {name: value for name, value in edited.items() if not name.startswith("_")}
    assert "acme.dev" in repository.text(INVENTORY)


@pytest.mark.proof
def test_the_documented_way_to_change_an_answer_works_as_typed(render: Render, tmp_path: Path) -> None:
    repository = render(STAGES)
    page = repository.text("docs/operations.md").split("\n## Change an answer\n")[1]
    (commands, *_) = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i.old \'s/^domain: .*/domain: acme.dev/\' "$1" && rm "$1.old"\n')
    editor.chmod(0o755)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"EDITOR": str(editor), "PATH": path}
    subprocess.run(["bash", "-euc", commands], cwd=repository.path, env=environment, check=True, capture_output=True)
    assert repository.answers() == render(STAGES).answers() | {"domain": "acme.dev"}
    assert "acme.dev" in repository.text(INVENTORY)
    assert not (repository.path / "answers.yml").exists()


@pytest.mark.proof
def test_an_older_file_without_sums_is_taken_as_it_is(render: Render, next_version: str) -> None:
    repository = render(STAGES)
    kept = [line for line in repository.text(ANSWERS_FILE).splitlines() if not line.startswith("_rendered.")]
    repository.write(ANSWERS_FILE, "\n".join(kept) + "\n")
    repository.commit()
    repository.update(next_version)
    assert "_rendered.domain" in repository.text(ANSWERS_FILE)


@pytest.mark.proof
def test_one_answer_is_changed_in_the_prompt(render: Render) -> None:
    repository = render(EXAMPLES["minimal"])
    with start_copier(["update", "--vcs-ref=:current:"], repository.path) as terminal:
        person = Person(terminal)
        for question in QUESTIONS:
            if question == BRANCH:
                person.answers(question, CLEAR, "release", ENTER)
            elif question not in SOMETIMES:
                person.answers(question, ENTER)
        assert person.is_done() == 0
    assert repository.answers() == render(EXAMPLES["minimal"]).answers() | {"target_revision": "release"}
    assert "targetRevision: release" in repository.text("argo/root-application.yaml")


@pytest.mark.proof
@pytest.mark.parametrize("answers", [STAGES, town()], ids=["stages", "town"])
def test_whoever_only_presses_enter_changes_nothing(answers: Answers, render: Render) -> None:
    repository = render(answers)
    with start_copier(["update", "--vcs-ref=:current:"], repository.path) as terminal:
        person = Person(terminal)
        for question in QUESTIONS:
            if question not in SOMETIMES or (question == ARGOCD_CLUSTER and len(answers["clusters"]) > 1):
                person.answers(question, ENTER)
        assert person.is_done() == 0
    assert repository.changed() == set()


@pytest.mark.proof
def test_names_typed_at_an_update_are_recorded_as_a_list(render: Render) -> None:
    answers = EXAMPLES["minimal"] | {"acm_certificate_arn": "", "aws_region": "eu-west-1", "workloads": []}
    repository = render(answers)
    for environments in ("dev, prod", ""):
        with start_copier(["update", "--vcs-ref=:current:"], repository.path, columns=80) as terminal:
            person = Person(terminal)
            for question in QUESTIONS:
                if question == ENVIRONMENTS and environments:
                    person.answers(question, CLEAR, environments, ENTER)
                elif question not in (ARGOCD_CLUSTER, ACCOUNT):
                    person.answers(question, ENTER)
            assert person.is_done() == 0
        assert bool(repository.changed()) == bool(environments)
        repository.commit()
    assert repository.answers() == render(answers | {"environments": ["dev", "prod"]}).answers()


def with_workload(name: str) -> Answers:
    """Return the answers with an additional workload."""
    answers = deepcopy(STAGES)
    answers["workloads"].append({"name": name, "image": f"ghcr.io/acme/{name}:1.0.0", "port": 8080})
    return answers


def keep_both_sides(repository: Repository, file: str) -> None:
    """Resolve a conflict between two additions with the commands of docs/operations.md."""
    git(repository.path, "checkout", "--quiet", "--conflict=diff3", file)
    lines = repository.text(file).splitlines(keepends=True)
    repository.write(file, "".join(line for line in lines if not re.match(r"<{7} |\|{7} |={7}$|>{7} ", line)))


@pytest.mark.proof
def test_two_branches_that_each_add_a_workload_merge_into_what_both_answers_render(
    render: Render, versions: Versions, tmp_path: Path
) -> None:
    repository = render(STAGES)
    for name in ("alpha", "beta"):
        git(repository.path, "switch", "--quiet", "--create", name, "main")
        repository.answer(with_workload(name))
        repository.commit()
    merge = subprocess.run(["git", "merge", "--quiet", "alpha"], cwd=repository.path, capture_output=True, check=False)
    assert merge.returncode
    assert repository.conflicts() == LISTS
    for file in LISTS:
        keep_both_sides(repository, file)
    repository.commit()

    both = with_workload("alpha") | {
        "workloads": [*with_workload("alpha")["workloads"], *with_workload("beta")["workloads"][-1:]]
    }
    merged = repository.files()
    fresh = Repository.copy(versions, tmp_path / "fresh", both).files()
    # Only the order of these lists comes from the merge.
    assert differences(merged, fresh) <= LISTS
    for file in LISTS:
        assert sorted(merged[file].splitlines()) == sorted(fresh[file].splitlines())
    repository.answer(yaml.safe_load(merged[ANSWERS_FILE]))
    assert not repository.changed()
    assert seeds(merged) == seeds(fresh)
