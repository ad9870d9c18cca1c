"""An update with other answers never changes an image that a release has changed."""

from __future__ import annotations

from copy import deepcopy

import pytest
from copier.errors import UserMessageError

from tests.support.repository import examples
from tests.support.updates.repository import Answers, Render, Repository, set_tag

FILE = "apps/workloads/shop/overlays/{}/kustomization.yaml"
SHOP = {"name": "shop", "image": "ghcr.io/acme/shop:1.0.0", "port": 8080}
ANSWERS = examples()["minimal"] | {
    "environments": ["dev", "qa", "prod"],
    "workloads": [SHOP | {"environments": ["dev", "prod"]}],
}


@pytest.fixture
def released(render: Render) -> Repository:
    """Return a repository in which a release has reached the first environment."""
    repository = render(ANSWERS)
    set_tag(repository, FILE.format("dev"), "1.7.3")
    repository.commit()
    return repository


def with_shop(**fields: object) -> Answers:
    answers = deepcopy(ANSWERS)
    answers["workloads"][0] |= fields
    return answers


@pytest.mark.parametrize(
    ("answers", "environments"),
    [
        (with_shop(image="ghcr.io/acme/shop:1.8.0"), "dev, prod"),
        (with_shop(image=f"ghcr.io/acme/shop@sha256:{64 * 'a'}"), "dev, prod"),
        (with_shop(overrides={"prod": {"image": "ghcr.io/acme/shop:1.8.0"}}), "prod"),
    ],
    ids=["tag", "digest", "override"],
)
def test_another_version_is_no_answer(released: Repository, answers: Answers, environments: str) -> None:
    with pytest.raises(UserMessageError) as caught:
        released.answer(answers)
    assert released.changed() == set()
    assert f"instead of ghcr.io/acme/shop:1.0.0 would change {environments} without a release" in str(caught.value)
    assert "keep ghcr.io/acme/shop:1.0.0 in the answers" in str(caught.value)


def test_another_image_takes_the_place_and_conflicts_where_a_release_was(released: Repository) -> None:
    released.answer(with_shop(image="ghcr.io/acme-new/shop:1.0.0"))
    assert "newName: ghcr.io/acme-new/shop" in released.text(FILE.format("prod"))
    assert released.conflicts() == {FILE.format("dev")}


def test_what_is_new_may_start_with_its_own_image(released: Repository) -> None:
    overrides = {"qa": {"image": "ghcr.io/acme/shop:1.7.3"}}
    released.answer(with_shop(environments=["dev", "qa", "prod"], overrides=overrides))
    assert 'newTag: "1.7.3"' in released.text(FILE.format("qa"))
    assert 'newTag: "1.0.0"' in released.text(FILE.format("prod"))
    assert "newTag: 1.7.3" in released.text(FILE.format("dev"))
