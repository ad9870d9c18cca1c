"""A newer version may call an answer by another name: its value stays, and nobody is asked for trust."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from copier.errors import UserMessageError

from tests.updates.changes import edit
from tests.updates.conftest import EXAMPLES, Render
from tests.updates.versions import Versions


def rename(template: Path, old: str, new: str, default: str) -> None:
    """The recipe for maintainers: the new question takes the old answer as its default, and the old name is retired."""
    for file in (template / "copier.yml", *(template / "hooks").iterdir(), *(template / "template").rglob("*")):
        if file.is_file():
            file.write_text(re.sub(rf"\b{old}\b", new, file.read_text()))
    copier = template / "copier.yml"
    question = copier.read_text().split(f"\n{new}:\n")[1].split("\n\n")[0]
    without_default = "\n".join(line for line in question.splitlines() if not line.startswith("  default:"))
    edit(template, "copier.yml", question, f'{without_default}\n  default: "{default}"')
    edit(template, "hooks/checks.jinja", "[% set retired = {", f"[% set retired = {{'{old}': '{new}', ")


@pytest.mark.parametrize(
    ("old", "new", "default"),
    [
        ("target_revision", "branch", "[[ target_revision | default('main') ]]"),
        ("repo_url", "repository", "[[ repo_url | default(UNSET) ]]"),
    ],
    ids=["one with a default", "a required one"],
)
def test_a_renamed_answer_keeps_its_value(old: str, new: str, default: str, versions: Versions, render: Render) -> None:
    repository = render(EXAMPLES["minimal"] | {"target_revision": "trunk"})
    before = repository.answers()
    tag = versions.release(f"{old} renamed", lambda template: rename(template, old, new, default))
    repository.update(tag)

    assert repository.answers() == {new if name == old else name: value for name, value in before.items()}
    source = repository.yaml("argo/root-application.yaml")["spec"]["source"]
    assert (source["repoURL"], source["targetRevision"]) == (before["repo_url"], "trunk")

    repository.commit()
    with pytest.raises(UserMessageError, match=f"{old}: is called {new} now"):
        repository.answer({old: before[old]})
