"""Ids in DNS records stay the same when the repository moves or a cluster is renamed."""

from __future__ import annotations

from typing import Any

import pytest
from copier import run_recopy
from copier.errors import UserMessageError

from tests.support.repository import examples, installation_id
from tests.support.updates.repository import Answers, Render, Repository, differences
from tests.support.updates.versions import FIRST

MINIMAL = examples()["minimal"] | {"repo_url": "https://github.com/acme/platform.git"}
ID = installation_id(MINIMAL)
NEW_PLACE = {"repo_url": "git@gitlab.example.com:acme/other.git"}
VALUES = ("external-dns", "traefik")
OWNED = {"dns_owner_id": f"{ID}-main", "ingress_host": f"ingress-main-{ID}.{MINIMAL['domain']}"}


def dns(repository: Repository, cluster: str) -> list[Any]:
    """Return what external-dns uses: the owner id, and the name of the endpoint."""
    external_dns, traefik = (
        repository.yaml(f"apps/platform/{addon}/clusters/{cluster}/values.yaml") for addon in VALUES
    )
    annotations = traefik["service"]["annotations"]
    return [external_dns["txtOwnerId"], annotations["external-dns.kubernetes.io/hostname"]]


def refusal(repository: Repository, answers: Answers) -> str:
    with pytest.raises(UserMessageError) as caught:
        repository.answer(answers)
    assert repository.changed() == set()
    return str(caught.value)


@pytest.mark.proof
def test_a_repository_that_moves_keeps_its_id(render: Render) -> None:
    repository = render(MINIMAL)
    before, files = dns(repository, "main"), repository.files()
    places = [MINIMAL["repo_url"], NEW_PLACE["repo_url"]]
    repository.answer({"additional_repo_urls": places[1:]})
    repository.commit()
    repository.answer(NEW_PLACE | {"additional_repo_urls": places[:1]})
    assert repository.answers()["installation_id"] == ID != installation_id(NEW_PLACE)
    assert dns(repository, "main") == before
    repository.commit()
    run_recopy(repository.path, defaults=True, overwrite=True, quiet=True, vcs_ref=FIRST)
    assert repository.answers()["installation_id"] == ID
    repository.answer({"repo_url": places[0], "additional_repo_urls": places[1:]})
    repository.commit()
    repository.answer({"additional_repo_urls": []})
    assert differences(repository.files(), files) == set()


@pytest.mark.proof
def test_another_id_is_refused_whatever_the_other_answers_are(render: Render) -> None:
    repository = render(MINIMAL)
    for answers in ({}, NEW_PLACE):
        assert f'installation_id: "other" is not {ID}, ' in refusal(repository, answers | {"installation_id": "other"})
    other = {"clusters": [{"name": "main", "dns_owner_id": "other"}]}
    assert f"is not {ID}-main, which the DNS records of cluster main carry" in refusal(repository, other)
    repository.answer({"installation_id": ID, "clusters": [{"name": "main"} | OWNED]})
    repository.commit()
    repository.answer({"clusters": MINIMAL.get("clusters", ["main"])})


def test_a_cluster_under_a_new_name_keeps_its_records(render: Render) -> None:
    repository = render(MINIMAL)
    before = dns(repository, "main")
    repository.answer({"clusters": [{"name": "prod-eu"} | OWNED], "argocd_cluster": "prod-eu"})
    assert dns(repository, "prod-eu") == before
    repository.commit()
    assert f"use dns_owner_id: {ID}-main" in refusal(repository, {"clusters": ["prod-eu"]})
