"""A newer version renames an answer: its value is kept, without trust."""

from __future__ import annotations

import pytest
from copier.errors import UserMessageError

from tests.support.repository import examples
from tests.support.updates.repository import Render
from tests.support.updates.template_changes import rename_an_answer
from tests.support.updates.versions import Versions

EXAMPLES = examples()


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
    tag = versions.release(f"{old} renamed", lambda template: rename_an_answer(template, old, new, default))
    repository.update(tag)

    assert repository.answers() == {new if name == old else name: value for name, value in before.items()}
    source = repository.yaml("argo/root-application.yaml")["spec"]["source"]
    assert (source["repoURL"], source["targetRevision"]) == (before["repo_url"], "trunk")

    repository.commit()
    with pytest.raises(UserMessageError, match=f"{old}: was renamed; use {new}"):
        repository.answer({old: before[old]})
