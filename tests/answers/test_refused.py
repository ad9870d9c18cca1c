"""Every invalid set of answers is a file with its expected message, and nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.cases import FOLDER, Answers, Case, cases, minimal
from tests.support.commands import Copy, Outcome
from tests.support.repository import ROOT

INVALID = cases("invalid")
SOME = INVALID[::15]
FEW = INVALID[::150]


WIDTH = 80


def assert_refused(outcome: Outcome, case: Case) -> None:
    assert outcome.status == 1
    assert "Traceback" not in outcome.stderr
    assert sorted(outcome.problems) == sorted(case.expect)


def assert_listed(outcome: Outcome, case: Case) -> None:
    """Assert that the problems are a list that fits into a terminal, and that it ends with sentences."""
    assert_refused(outcome, case)
    count = f"{len(case.expect)} problem{'s' if len(case.expect) > 1 else ''}"
    first, *_, last, closing = [line for line in outcome.stderr.splitlines() if line]
    assert (first, last) == (f"{count} with the answers:", f"Nothing was written: {count}, listed above.")
    assert closing == "parameter 'valid_answers' was not provided"
    for line in outcome.listed:
        assert len(line) <= WIDTH or " " not in line.strip(), line


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_a_bad_answer_is_refused_with_its_message_and_nothing_is_written(
    case: Case, copy: Copy, tmp_path: Path
) -> None:
    assert_listed(copy(case.answers, tmp_path / "repository"), case)
    assert not (tmp_path / "repository").exists()


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_quiet_run_loses_nothing(case: Case, copy: Copy, tmp_path: Path) -> None:
    outcome = copy(case.answers, tmp_path / "repository", "--quiet")
    assert_refused(outcome, case)
    assert outcome.message.startswith("Nothing was written. ")
    assert "\n" not in outcome.message and "'" not in outcome.message
    assert len(outcome.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_refusal_leaves_an_existing_folder_as_it_was(case: Case, copy: Copy, tmp_path: Path) -> None:
    file = tmp_path / "repository" / "notes.txt"
    file.parent.mkdir()
    file.write_text("mine\n")
    assert_refused(copy(case.answers, file.parent, "--overwrite"), case)
    assert list(file.parent.rglob("*")) == [file]
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.name)
def test_the_installed_command_prints_the_list_to_stderr(case: Case, template: Path, tmp_path: Path) -> None:
    data = tmp_path / "answers.yaml"
    data.write_text(yaml.safe_dump(case.answers, sort_keys=False))
    destination = tmp_path / "repository"
    command: list[str | Path] = [
        Path(sys.executable).with_name("copier"),
        "copy",
        "--defaults",
        "--data-file",
        data,
        template,
        destination,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert_listed(Outcome(done.returncode, done.stdout, done.stderr), case)
    assert not destination.exists()


def test_every_file_expects_something_and_there_are_many() -> None:
    assert all(case.expect for case in INVALID)
    assert len(INVALID) >= 75 and len(FEW) >= 2


def test_every_problem_is_shown_up_to_forty(copy: Copy, tmp_path: Path) -> None:
    answers = Case.read(FOLDER / "invalid" / "workload-port-too-large.yaml").answers
    answers["workloads"] = [answers["workloads"][0] | {"name": f"whoami-{number}"} for number in range(45)]
    outcome = copy(answers, tmp_path / "repository")
    assert "45 problems with the answers:" in outcome.stderr
    assert outcome.problems[39].startswith("workloads[39].port: 70000 is not a port")
    assert outcome.problems[40:] == ["and 5 more"]
    assert copy(answers, tmp_path / "repository", "--quiet").problems[40:] == ["and more"]


def test_problems_are_in_the_order_of_the_file(copy: Copy, tmp_path: Path) -> None:
    workload = {"name": "whoami", "image": "whoami:1.0.0"}
    answers: Answers = {"workloads": [workload, workload | {"name": "api", "port": 0}, workload | {"image": "a"}]}
    answers |= {"ci": "jenkins", "domain": "Example.com"} | {"unknown": 1}
    places = [problem.split(":")[0] for problem in copy(minimal() | answers, tmp_path / "repository").problems]
    assert places == ["domain", "workloads[1].port", "workloads[2].name", "workloads[2].image", "ci", "unknown"]


@pytest.mark.parametrize("addon", json.loads((ROOT / "hooks/addons.json").read_text()))
def test_an_environment_cannot_have_the_project_of_an_add_on(
    addon: str, find_problems: Callable[[Answers], list[str]]
) -> None:
    (problem,) = find_problems(minimal() | {"environments": [addon], "workloads": []})
    assert problem == f"environments[0]: the name {addon} is reserved (the project of the add-on); choose another name"
