"""Kustomize applies the entries of `images` one after the other, so one can replace the image of another."""

from __future__ import annotations

import pytest

from gitops import checks
from tests.support.checkout import Checkout

PROD = "apps/workloads/shop/overlays/prod/kustomization.yaml"


@pytest.mark.parametrize(("component", "image", "is_found"), [("web", "worker", True), ("worker", "web", False)])
def test_an_image_that_a_later_entry_replaces_is_found(
    checkout: Checkout, component: str, image: str, is_found: bool
) -> None:
    checkout.replace(PROD, f"newName: ghcr.io/acme/shop-{component}", f"newName: {image}")
    (result,) = checks.run(checkout.path, only=["entries"])
    digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    problem = (
        f"{PROD}: images: web would run ghcr.io/acme/shop-worker@{digest} in place of worker:2.7.1, since the entry "
        "worker comes later: move worker above web, or write docker.io/library/worker as newName of web"
    )
    assert result.problems == ([problem] if is_found else [])
