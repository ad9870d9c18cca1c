"""The updates that the real Renovate would open, with recorded responses of registries."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import engines
from tests.support.checkout import committed
from tests.support.renovate import Found, Update, look_up, published, releases_of
from tests.support.repository import examples

pytestmark = pytest.mark.proof
LONG_AGO, TODAY = "2021-01-01T00:00:00Z", datetime.now(UTC).isoformat()
OVERLAY = "apps/workloads/{}/overlays/{}/kustomization.yaml"
DIGEST = "sha256:" + 64 * "a"
# The form of an image, the tags in its registry, and what Renovate opens; `later` opens when it is old enough.
IMAGES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "ghcr.io/acme/plain": ("1.0.0", {"1.1.0": TODAY}, ["1.1.0"]),
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com/plain": ("1.0.0", {"1.1.0": TODAY}, ["1.1.0"]),
    "acme/old": ("1.0.0", {"1.1.0": LONG_AGO}, ["1.1.0"]),
    "acme/young": ("1.0.0", {"1.1.0": TODAY}, ["later 1.1.0"]),
    "acme/both": ("1.0.0", {"1.1.0": LONG_AGO, "1.2.0": TODAY}, ["1.1.0"]),
    "ghcr.io/acme/alpine": ("1.0.0-alpine", {"1.1.0-alpine": TODAY, "1.2.0": TODAY}, ["1.1.0-alpine"]),
    "ghcr.io/acme/with-v": ("v1.11.0", {"v1.12.0": TODAY}, ["v1.12.0"]),
    "ghcr.io/acme/two-numbers": ("1.10", {"1.11": TODAY}, ["1.11"]),
    "ghcr.io/acme/dated": ("2026.11.1", {"2026.11.28": TODAY}, ["2026.11.28"]),
    "ghcr.io/acme/day": ("20261101", {"20261128": TODAY}, ["20261128"]),
    "ghcr.io/acme/stable": ("1.0.0", {"1.1.0-rc.1": TODAY, "2.0.0-beta": TODAY}, []),
    "ghcr.io/acme/candidate": ("2.8.0-rc.1", {"2.8.0-rc.2": TODAY, "2.8.0": TODAY}, ["2.8.0"]),
    "ghcr.io/acme/next-candidate": ("v2.8.0-beta2", {"v2.8.0-beta3": TODAY}, ["v2.8.0-beta3"]),
    "ghcr.io/acme/pinned": (f"1.0.0@{DIGEST}", {"1.1.0": TODAY}, ["1.1.0", "digest"]),
    "ghcr.io/acme/no-version": ("main-0a1b2c3", {"main-3c2b1a0": TODAY}, []),
}
# Renovate has built-in data for GitHub's runners.
RUNNERS = "ubuntu"


def opened(updates: list[Update]) -> dict[tuple[str, str], list[str]]:
    """Return the versions of opened updates, by file and dependency."""
    result: dict[tuple[str, str], list[str]] = {}
    for update in (update for update in updates if update.dependency != RUNNERS):
        version = f"later {update.version}" if update.is_pending else update.version
        result.setdefault((update.file, update.dependency), []).append(version)
    return result


@pytest.fixture(scope="module", params=["github", "gitlab"])
def repository(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Found]:
    """Render a repository, and return it with the dependencies that Renovate looks up."""
    answers = examples()["stages"] | {"ci": request.param}
    path = published(template, answers, tmp_path_factory.mktemp(request.param) / "repository")
    return path, look_up(path, {})[0]


def test_whatever_is_looked_up_is_opened_once_it_is_old_enough(repository: tuple[Path, Found]) -> None:
    path, found = repository
    looked_up = {
        (file, dependency["depName"])
        for files in found.values()
        for file, dependencies in files.items()
        for dependency in dependencies
        if dependency["depName"] != RUNNERS
    }
    assert {file.partition("/")[0] for file, _ in looked_up} >= {".copier-answers.yml", "apps", "mise.toml"}
    old = opened(look_up(path, releases_of(found, LONG_AGO))[1])
    assert {place: versions for place, versions in old.items() if any("later" in v for v in versions)} == {}
    assert looked_up == old.keys()


def test_a_release_is_held_back_only_where_its_age_is_known(repository: tuple[Path, Found]) -> None:
    path, found = repository
    young = opened(look_up(path, releases_of(found, TODAY))[1])
    waiting = {file for (file, _), versions in young.items() if any("later" in version for version in versions)}
    ours = {".copier-answers.yml", OVERLAY.format("shop", "dev")}
    assert waiting == {file for file, _ in young} - ours


def write_images(path: Path, overlay: str, images: dict[str, str]) -> None:
    """Write an overlay with images by hand."""
    entries = "".join(
        f"  - name: image-{n}\n    newTag: {tag!r}\n    newName: {name}\n"
        for n, (name, tag) in enumerate(images.items())
    )
    (path / overlay).parent.mkdir(parents=True)
    (path / overlay).write_text(f"images:\n{entries}")


def test_images_move_however_their_tags_are_written(template: Path, tmp_path: Path) -> None:
    path = published(template, examples()["minimal"], tmp_path / "repository")
    shutil.rmtree(path / ".git")
    write_images(path, OVERLAY.format("by-hand", "dev"), {name: tag for name, (tag, _, _) in IMAGES.items()})
    write_images(path, OVERLAY.format("by-hand", "prod"), {"ghcr.io/acme/plain": "1.0.0"})
    releases = {name: {tag.partition("@")[0]: LONG_AGO} | newer for name, (tag, newer, _) in IMAGES.items()}
    versions = opened(look_up(committed(path), releases)[1])
    expected = {(OVERLAY.format("by-hand", "dev"), name): wanted for name, (_, _, wanted) in IMAGES.items() if wanted}
    assert versions == expected


def test_no_folder_is_ignored_and_components_of_one_name_do_not_mix(template: Path, tmp_path: Path) -> None:
    names = ["test", "tests", "examples", "vendor"]
    web = {"name": "web", "image": "ghcr.io/acme/plain:1.0.0", "port": 8080}
    workloads = [{"name": name, "components": [web]} for name in names]
    answers = examples()["minimal"] | {"environments": ["test", "prod"], "workloads": workloads}
    path = published(template, answers, tmp_path / "repository")
    versions = opened(look_up(path, {"ghcr.io/acme/plain": {"1.0.0": LONG_AGO, "1.1.0": TODAY}})[1])
    assert versions == {(OVERLAY.format(name, "test"), "ghcr.io/acme/plain"): ["1.1.0"] for name in names}


def test_an_image_of_the_answers_with_tag_and_digest_moves(template: Path, tmp_path: Path) -> None:
    workload = {"name": "shop", "image": f"ghcr.io/acme/shop:1.0.0@{DIGEST}", "port": 8080}
    path = published(template, examples()["minimal"] | {"workloads": [workload]}, tmp_path / "repository")
    file = OVERLAY.format("shop", "dev")
    (image,) = {
        container["image"]
        for item in engines.kustomize_build((path / file).parent)
        if item["kind"] == "Deployment"
        for container in item["spec"]["template"]["spec"]["containers"]
    }
    assert image == workload["image"]
    versions = opened(look_up(path, {"ghcr.io/acme/shop": {"1.0.0": LONG_AGO, "1.1.0": TODAY}})[1])
    assert versions == {(file, "ghcr.io/acme/shop"): ["1.1.0", "digest"]}
