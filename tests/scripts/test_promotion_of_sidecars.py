"""Images of sidecars and jobs are promoted with their component, and new overlays start with them."""

from __future__ import annotations

import pytest

from gitops.images import read_images
from gitops.stages import Images, differing
from tests.support.checkout import Checkout

FILE = "apps/workloads/shop/overlays/{}/kustomization.yaml"
EXPORTER = '  - name: api-exporter\n    newTag: "1.0.0"\n    newName: prom/statsd-exporter\n'
NEWER = {"api": "2.8.0-rc.1", "api-exporter": "1.1.0", "api-before-release": "1.1.0"}


@pytest.fixture
def extended(with_jobs: Checkout) -> Checkout:
    """Return a clone in which dev also runs newer sidecars and migrations."""
    file = with_jobs.path / FILE.format("dev")
    file.write_text(file.read_text().replace('"1.0.0"', '"1.1.0"'))
    with_jobs.commit()
    return with_jobs


def tags(checkout: Checkout, environment: str) -> dict[str, str]:
    file = FILE.format(environment)
    images = read_images((checkout.path / file).read_text(), file).images
    return {name: image.fields["newTag"] for name, image in images.items() if "newTag" in image.fields}


def promote(checkout: Checkout, *arguments: str) -> str:
    result = checkout.script("promote.py", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_all_images_of_a_workload_move_together(extended: Checkout) -> None:
    promote(extended, "shop", "dev", "staging")
    assert tags(extended, "staging") == tags(extended, "dev")


def test_a_component_moves_with_its_sidecars_and_jobs(extended: Checkout) -> None:
    before = tags(extended, "staging")
    promote(extended, "shop", "dev", "staging", "--component", "api", "--branch")
    branch = "promote/shop/dev/staging/api"
    assert "the branch changes nothing else" in promote(extended, "--check", branch, "main", branch)
    extended.git("switch", "--quiet", branch)
    assert tags(extended, "staging") == before | NEWER


def test_a_component_whose_name_begins_like_another_moves_alone(extended: Checkout) -> None:
    before = tags(extended, "staging")
    promote(extended, "shop", "dev", "staging", "--component", "api-docs")
    assert tags(extended, "staging") == before | {"api-docs": "1.1.0"}


def test_a_sidecar_can_move_alone(extended: Checkout) -> None:
    before = tags(extended, "staging")
    promote(extended, "shop", "dev", "staging", "--component", "api-exporter")
    assert tags(extended, "staging") == before | {"api-exporter": "1.1.0"}


def test_a_sidecar_of_one_environment_holds_no_promotion_up(extended: Checkout) -> None:
    extended.replace(FILE.format("staging"), EXPORTER, "")
    extended.commit()
    text = promote(extended, "shop", "dev", "staging", "--branch")
    assert text.startswith("staging has no image api-exporter: skipped\n")
    branch = "promote/shop/dev/staging"
    assert "the branch changes nothing else" in promote(extended, "--check", branch, "main", branch)
    extended.git("switch", "--quiet", branch)
    assert tags(extended, "staging") == {n: tag for n, tag in tags(extended, "dev").items() if n != "api-exporter"}
    only = promote(extended, "shop", "dev", "staging", "--component", "api-exporter")
    assert only == "staging has no image api-exporter: skipped\nstaging already has the images of dev.\n"


OLD, NEW, OTHER = "acme/app:1", "acme/app:2", "acme/other:1"
COMPARED: dict[str, tuple[Images, Images, list[tuple[str, list[str]]]]] = {
    "the same": ({"web": OLD}, {"web": OLD}, []),
    "another version": ({"web": OLD}, {"web": NEW}, [(OLD, [NEW])]),
    "another image": ({"web": OTHER}, {"web": NEW}, []),
    "two versions of one image": ({"web": OLD, "job": NEW}, {"web": OLD, "job": NEW}, []),
    "two versions that are swapped": (
        {"web": OLD, "job": NEW},
        {"web": NEW, "job": OLD},
        [(OLD, [NEW]), (NEW, [OLD])],
    ),
    "one of two is older": ({"web": OLD, "job": OLD}, {"web": NEW, "job": OLD}, [(OLD, [NEW])]),
    "two are older": ({"web": OLD, "job": OLD}, {"web": NEW, "job": NEW}, [(OLD, [NEW])]),
    "another name": ({"frontend": OLD}, {"web": NEW}, [(OLD, [NEW])]),
    "another name with a version that runs": ({"frontend": OLD}, {"web": OLD, "job": NEW}, []),
}


@pytest.mark.parametrize("name", COMPARED)
def test_an_image_is_compared_with_that_of_its_name(name: str) -> None:
    images, others, expected = COMPARED[name]
    assert differing(images, others) == expected


def test_a_new_sidecar_starts_with_the_image_of_the_environment_before(checkout: Checkout) -> None:
    patch = """patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: api}
      spec: {template: {spec: {initContainers: [{name: api-exporter, image: api-exporter, restartPolicy: Always}]}}}
"""

    def add(environment: str, tag: str) -> None:
        file = FILE.format(environment)
        checkout.replace(file, "images:\n", f"images:\n{EXPORTER.replace('1.0.0', tag)}")
        text = (checkout.path / file).read_text()
        has_patches = "patches:\n" in text
        (checkout.path / file).write_text(text.replace("patches:\n", patch, 1) if has_patches else f"{text}\n{patch}")

    add("staging", "1.2.0")
    checkout.commit()
    add("prod", "1.0.0")
    (outdated,) = checkout.blast_radius()["changes"]["shop-prod"]["outdated"]
    versions = "prom/statsd-exporter:1.0.0: staging runs prom/statsd-exporter:1.2.0"
    assert outdated == f"{versions}: run scripts/promote.py shop staging prod"
    checkout.replace(FILE.format("prod"), "1.0.0", "1.2.0")
    assert checkout.blast_radius()["changes"]["shop-prod"]["outdated"] == []
