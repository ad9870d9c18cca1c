"""scripts/validate.py of a rendered repository: what must not be merged is named, with the way out."""

from __future__ import annotations

import pytest

from tests.scripts.conftest import Checkout

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"


def test_a_rendered_repository_passes(checkout: Checkout) -> None:
    result = checkout.script("validate.py")
    assert result.returncode == 0
    assert {line.split()[0] for line in result.stdout.splitlines()} == {"ok"}


@pytest.mark.parametrize("committed", [False, True])
def test_a_conflict_is_found_wherever_it_is(checkout: Checkout, committed: bool) -> None:
    files = ["README.md", "apps/workloads/shop/base/shop-api.yaml", ".yamllint.yml", "notes/ours.txt"]
    (checkout.path / "notes").mkdir()
    (checkout.path / "notes/ours.txt").touch()
    for name in files:
        file = checkout.path / name
        file.write_text("".join([file.read_text(), CONFLICT]))
    (checkout.path / "README.md.rej").touch()
    if committed:
        checkout.commit()
    result = checkout.script("validate.py")
    assert result.returncode == 1
    assert {line.split(":")[0].strip() for line in result.stdout.splitlines() if line.startswith(" ")} == {
        *files, "README.md.rej",
    }  # fmt: skip
    assert "notes/ours.txt:1: has a conflict marker" in result.stdout


def test_text_that_only_looks_like_a_conflict_passes(checkout: Checkout) -> None:
    (checkout.path / "ours.md").write_text("Heading\n=======\n\n> <<<<<<< quoted\n<<<<<<<<<< ten\n")
    assert checkout.script("validate.py").returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("domain: acme.io", "domain: acme.dev", "domain"),
        ("replicas: 4", "replicas: 5", "workloads.shop"),
        ("- nonprod\n", "- nonprod\n- third\n", "clusters.third"),
        ("- name: staging\n  cluster: nonprod\n  protected: true\n", "", "environments.staging"),
    ],
)
def test_an_edited_answer_is_named(checkout: Checkout, old: str, new: str, named: str) -> None:
    checkout.replace(".copier-answers.yml", old, new)
    result = checkout.script("validate.py")
    assert result.returncode == 1
    (line,) = [line.strip() for line in result.stdout.splitlines() if line.startswith(" ")]
    assert line.startswith(f".copier-answers.yml: {named} was edited here, which renders nothing")


def test_answers_in_another_style_are_the_same_answers(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io", 'domain: "acme.io"')
    assert checkout.script("validate.py").returncode == 0


def test_a_conflict_in_the_answers_is_told_without_a_traceback(checkout: Checkout) -> None:
    checkout.replace(".copier-answers.yml", "domain: acme.io\n", CONFLICT)
    result = checkout.script("validate.py")
    assert (result.returncode, result.stderr) == (1, "")


def test_a_repository_that_has_left_its_template_passes(checkout: Checkout) -> None:
    (checkout.path / ".copier-answers.yml").unlink()
    assert checkout.script("validate.py").returncode == 0
