"""The report lists the manual work that a change needs for Secrets of the External Secrets Operator."""

from __future__ import annotations

from typing import Any

import pytest

from gitops.externalsecrets import note
from gitops.objects import Object
from tests.support.checkout import Checkout, added

VERSION = "external-secrets.io/v1"
STAYS = (
    "the Secret added stays, with its last values. Delete it once no pod reads it: "
    "kubectl --context nonprod delete secret added --namespace shop-dev"
)
NEEDED = "first create what does not exist yet: dev/shop/db. Pods wait for their Secrets"


def external(key: str = "dev/shop/db", **target: str) -> Object:
    """An ExternalSecret with one key, in the namespace of a workload."""
    spec = {"dataFrom": [{"extract": {"key": key}}], "target": {"creationPolicy": "Orphan"} | target}
    item = added("ExternalSecret", VERSION, spec=spec)
    return item | {"metadata": item["metadata"] | {"namespace": "shop-dev"}}


def test_the_blast_radius_says_which_keys_must_exist_and_which_secrets_stay(checkout: Checkout) -> None:
    before = checkout.git("rev-parse", "HEAD")
    checkout.add(external())
    report = checkout.blast_radius()
    assert report["changes"]["shop-dev"]["secrets"] == [f"ExternalSecret/added: {NEEDED}"]
    assert report["status"] == 0
    after = checkout.commit()
    report = checkout.blast_radius(after, before)
    assert report["changes"]["shop-dev"]["deleted"] == ["ExternalSecret/added"]
    assert report["changes"]["shop-dev"]["secrets"] == [f"ExternalSecret/added: {STAYS}"]
    text = checkout.script("blast_radius.py", "--brief", after, before).stdout
    assert f"\n  shop in dev: ExternalSecret/added: {STAYS}\n" in text


@pytest.mark.parametrize(
    ("effect", "old", "new", "text"),
    [
        ("added", None, external(), NEEDED),
        ("changed", external("dev/shop/old"), external(), NEEDED),
        ("changed", external(), external(name="other"), ""),
        ("deleted", external(), None, STAYS),
        ("deleted", external(name="other"), None, STAYS.replace("added", "other")),
        ("deleted", external(creationPolicy="Owner"), None, "the Secret added is deleted with it."),
        # A remaining Application keeps its Secrets.
        ("kept", external(), None, ""),
        ("deleted", added("ExternalSecret", "example.com/v1"), None, ""),
        ("added", None, added("Secret"), ""),
    ],
)
def test_what_somebody_must_do_for_a_secret(effect: str, old: Object | None, new: Object | None, text: str) -> None:
    found = note(effect, old, new, "nonprod")
    assert found.startswith(text) if text else found == ""


@pytest.mark.parametrize("spec", [None, [], {"data": "a", "dataFrom": [1, {"extract": []}], "target": 1}])
def test_a_spec_of_another_shape_is_no_reason_to_stop(spec: Any) -> None:
    item = added("ExternalSecret", VERSION, spec=spec)
    assert note("added", None, item, "nonprod") == ""
    assert "added is deleted with it" in note("deleted", item, None, "nonprod")
