"""The prompts of add-workload, and the file in which users edit the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gitops.answers import DRAFT, read_answers, recorded_text, start_draft
from gitops.newworkload import QUESTIONS, SCHEMA, NewWorkload, Question
from gitops.tools import GitOpsError
from tests.support.checkout import Checkout
from tests.support.repository import ROOT

BY_FIELD = {question.field: question for question in QUESTIONS}


@pytest.fixture(scope="module")
def workload(original: Path) -> NewWorkload:
    return NewWorkload(original, read_answers(recorded_text(original), ""))


@pytest.mark.parametrize(
    ("field", "reply", "value"),
    [
        ("name", " pay ", "pay"),
        ("image", "localhost:5000/pay:1.0.0", "localhost:5000/pay:1.0.0"),
        ("image", f"pay@sha256:{'0' * 64}", f"pay@sha256:{'0' * 64}"),
        ("port", "8080", 8080),
        ("port", "", None),
        ("port", "none", None),
        ("host", "www", "www"),
        ("host", "@", "@"),
        ("host", "", None),
        ("host", "none", False),
        ("health", "/healthz?full=1", "/healthz?full=1"),
        ("health", "", None),
        ("health", "none", None),
    ],
)
def test_a_reply_becomes_a_value(field: str, reply: str, value: Any, workload: NewWorkload) -> None:
    assert workload.value(BY_FIELD[field], reply) == value


@pytest.mark.parametrize(
    ("field", "reply", "fix"),
    [
        ("name", "", "an empty reply is not a workload name: use at most 40 lowercase letters"),
        ("name", "Pay", "Pay is not a workload name: use at most 40 lowercase letters"),
        ("name", "p" * 41, "use at most 40 lowercase letters"),
        ("name", "kube-pay", "kube-pay is reserved: rename the workload"),
        ("name", "no", "no is reserved: rename the workload"),
        ("name", "shop", "shop exists: choose another name, or change it with mise run answers"),
        ("image", "", "an empty reply is not an image reference"),
        ("image", "nginx", "nginx has no tag: write a whole version, such as nginx:1.4.2"),
        ("image", "localhost:5000/pay", "has no tag"),
        ("image", "nginx:latest", "the tag latest moves: write a whole version, such as nginx:1.4.2"),
        ("image", "postgres:16-alpine", "the tag 16-alpine moves: write a whole version, such as postgres:1.4.2"),
        ("image", "Pay:1.0.0", "Pay:1.0.0 is not an image"),
        ("port", "0", "0 is not a port; use 1-65535"),
        ("port", "65536", "65536 is not a port; use 1-65535"),
        ("port", "http", "http is not a port; use 1-65535"),
        ("port", "8080/tcp", "8080/tcp is not a port"),
        ("host", "WWW", "WWW is not a label below the environment's domain"),
        ("host", "https://www", "https://www is not a label"),
        ("health", "healthz", "healthz is not an HTTP path; use a path such as /healthz"),
        ("health", "/a b", "/a b is not an HTTP path"),
    ],
)
def test_a_reply_is_refused_with_the_field_the_reply_and_the_fix(
    field: str, reply: str, fix: str, workload: NewWorkload
) -> None:
    with pytest.raises(GitOpsError) as caught:
        workload.value(BY_FIELD[field], reply)
    assert str(caught.value).startswith(f"{field}: ")
    assert fix in str(caught.value)


@pytest.mark.parametrize("question", QUESTIONS, ids=BY_FIELD)
def test_replies_are_checked_as_the_schema_says(question: Question, workload: NewWorkload) -> None:
    schema = json.loads((ROOT / "hooks/answers.schema.json").read_text())
    texts = [
        "a",
        "A",
        "a-1",
        "-a",
        "a.b",
        "@",
        "no",
        "default",
        "kube-a",
        "con",
        "/",
        "/a?b=1",
        "a b",
        "a\n",
        "x" * 401,
    ]
    texts += ["nginx:1.27.3", "a/b:1.0", "80", "", "ä"]
    values: list[Any] = [*texts, 0, 1, 65535, 65536, True, False, 1.5, None, [], {}]
    validator = Draft7Validator(schema | {"$ref": f"#/definitions/{question.shape}"})
    fitting = [value for value in values if validator.is_valid(value)]
    assert 0 < len(fitting) < len(values)
    assert [value for value in values if workload.fits(question.shape, value)] == fitting


def test_a_schema_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(GitOpsError, match=f"{SCHEMA} cannot be read .*: restore it from Git"):
        NewWorkload(tmp_path, {})


def test_a_draft_has_all_answers_and_goes_on_where_it_was_left(checkout: Checkout) -> None:
    assert start_draft(checkout.path) is False
    draft = checkout.path / DRAFT
    recorded = read_answers(recorded_text(checkout.path), "")
    assert read_answers(draft.read_text(), "") == recorded
    # Git ignores it, so an update does not reject it.
    assert checkout.git("status", "--porcelain") == ""
    checkout.replace(DRAFT, "domain: acme.io", "domain: acme.dev")
    assert start_draft(checkout.path) is True
    assert read_answers(draft.read_text(), "")["domain"] == "acme.dev"


def test_a_draft_of_other_answers_is_not_replaced_and_not_applied(checkout: Checkout) -> None:
    start_draft(checkout.path)
    edited = (checkout.path / DRAFT).read_text()
    checkout.replace(".copier-answers.yml", "hsts_seconds: 300", "hsts_seconds: 600")
    for answers in (None, {"domain": "acme.dev"}):
        with pytest.raises(GitOpsError, match=f"{DRAFT} exists and may have edits that were not applied"):
            start_draft(checkout.path, answers)
    assert (checkout.path / DRAFT).read_text() == edited


@pytest.mark.parametrize(("text", "message"), [("a: [", "not valid YAML"), ("", "no answers"), ("- a", "no answers")])
def test_a_file_without_answers_is_refused(text: str, message: str) -> None:
    with pytest.raises(GitOpsError, match=f"{DRAFT} .*{message}"):
        read_answers(text, DRAFT)


@pytest.mark.parametrize("arguments", [["update"], ["answers"], ["add-workload", "--name", "pay", "--image", "a:1.0"]])
def test_other_changes_are_committed_first(arguments: list[str], checkout: Checkout) -> None:
    checkout.write("notes.md", "Notes.\n")
    result = checkout.script("render.py", *arguments)
    assert (result.returncode, result.stderr) == (1, "Commit or stash your changes first: notes.md\n")


@pytest.mark.parametrize("arguments", [["update"], ["answers"], ["add-workload"]])
def test_a_repository_without_its_template_is_not_rendered(arguments: list[str], checkout: Checkout) -> None:
    (checkout.path / ".copier-answers.yml").unlink()
    result = checkout.script("render.py", *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith(".copier-answers.yml is missing, so this repository no longer follows its template")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--name is missing"),
        (["--name", "pay"], "--image is missing"),
        (["--name", "pay", "--image", "pay:1.0.0", "--port", "0"], "port: 0 is not a port; use 1-65535"),
    ],
)
def test_without_a_terminal_options_are_checked(options: list[str], message: str, checkout: Checkout) -> None:
    result = checkout.script("render.py", "add-workload", *options)
    assert (result.returncode, result.stderr.strip()) == (1, message)
    assert not (checkout.path / DRAFT).exists()


def test_an_editor_that_is_missing_or_fails_loses_nothing(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    result = checkout.script("render.py", "answers")
    assert result.stderr == "The editor no-such-editor is not installed: set EDITOR, such as EDITOR=nano\n"
    monkeypatch.setenv("EDITOR", "false")
    result = checkout.script("render.py", "answers")
    assert result.returncode == 1 and "Your answers are in answers.yml" in result.stderr
    assert (checkout.path / DRAFT).exists()
    monkeypatch.setenv("EDITOR", "true")
    result = checkout.script("render.py", "answers")
    assert result.returncode == 0 and "nothing to apply" in result.stdout
    assert not (checkout.path / DRAFT).exists()
