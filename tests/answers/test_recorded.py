"""An update checks the recorded answers and the user's own files before it writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy
from jinja2 import Environment

from tests.support.answers import ANSWERS_FILE, recorded
from tests.support.cases import Answers, minimal
from tests.support.commands import Copy, Outcome
from tests.support.repository import render

WHOAMI = minimal()["workloads"][0]
SHOP = {"name": "shop", "components": [{"name": "web", "image": "shop:1.0.0", "port": 8080, "public": True}]}
ANSWERS = minimal() | {"environments": ["dev", "prod"], "workloads": [WHOAMI, SHOP]}
BY_HAND = "apps/workloads/byhand/overlays"


@pytest.fixture(scope="session")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, ANSWERS, tmp_path_factory.mktemp("rendered") / "repository")


@pytest.fixture(params=["repository", "re[po]s* {x}"])
def repository(rendered: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A rendered repository to be changed, once in a folder whose name looks like a pattern."""
    return Path(shutil.copytree(rendered, tmp_path / request.param))


def record(repository: Path, **answers: Any) -> None:
    """Change the answers file without its checksum, like the file of an older version."""
    path = repository / ANSWERS_FILE
    before = {name: value for name, value in yaml.safe_load(path.read_text()).items() if "_rendered." not in name}
    path.write_text(yaml.safe_dump(before | answers))


def write(repository: Path, path: str) -> None:
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text("by: hand\n")


def files(repository: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in repository.rglob("*") if file.is_file()}


Again = Callable[..., Outcome]


@pytest.fixture
def copy_again(copy: Copy, repository: Path) -> Again:
    """Render the repository again with the recorded answers, except those passed."""
    return lambda **answers: copy(answers, repository, "--overwrite", "--quiet")


@pytest.fixture
def refusal(copy_again: Again, repository: Path) -> Callable[..., list[str]]:
    """Return the problems of rendering again, and assert that nothing changed."""

    def run(**answers: Any) -> list[str]:
        before = files(repository)
        outcome = copy_again(**answers)
        assert outcome.status == 1 and "Traceback" not in outcome.stderr
        assert files(repository) == before
        return outcome.problems

    return run


# --- recorded answers -------------------------------------------------------------------------------------------------

ORIGIN = " (recorded in .copier-answers.yml; pass another with --data or --data-file)"


def test_recorded_answers_are_enough(copy_again: Again, repository: Path) -> None:
    before = files(repository)
    assert copy_again().status == 0
    assert files(repository) == before


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"dns_provider": "gandi"}, 'dns_provider: "gandi" is not a known value; use cloudflare or route53'),
        ({"kubernetes_version": "1.19"}, 'kubernetes_version: "1.19" is not a supported Kubernetes version; use 1.31'),
        ({"workloads": [WHOAMI | {"port": 70000}]}, "workloads[0].port: 70000 is not a port; use 1-65535"),
        ({"argocd_cluster": "gone"}, 'argocd_cluster: "gone" is not a cluster; use main'),
        ({"color": "blue"}, "color: is not a known answer"),
        ({"model": {}}, "model: is computed and cannot be set; remove it"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_recorded_answer_that_is_no_longer_right_stops_before_anything_is_written(
    answers: Answers, problem: str, repository: Path, refusal: Callable[..., list[str]]
) -> None:
    record(repository, **answers)
    (found,) = refusal()
    assert found.startswith(problem) and found.endswith(ORIGIN)


def test_a_given_answer_takes_the_place_of_a_bad_recorded_one(copy_again: Again, repository: Path) -> None:
    record(repository, dns_provider="gandi", workloads="whoami")
    assert copy_again(dns_provider="route53", workloads=ANSWERS["workloads"]).status == 0
    assert recorded(repository)["dns_provider"] == "route53"


URL, NEW = ANSWERS["repo_url"], "git@git.example.com:acme/platform.git"
LOCK = f"repo_url: the projects in the cluster do not allow {NEW} yet"
LACKS = f"additional_repo_urls: lacks {URL}, which Argo CD still reads"


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ([], {"repo_url": NEW}, LOCK),
        ([], {"repo_url": NEW, "additional_repo_urls": [URL]}, LOCK),
        (["https://github.com/acme/other.git"], {"repo_url": NEW, "additional_repo_urls": [URL]}, LOCK),
        ("no list", {"repo_url": NEW, "additional_repo_urls": [URL]}, LOCK),
        ([NEW], {"repo_url": NEW, "additional_repo_urls": []}, LACKS),
        ([NEW], {"repo_url": NEW, "additional_repo_urls": ["https://github.com/acme/other.git"]}, LACKS),
    ],
)
def test_a_repository_does_not_move_before_its_projects_admit_both_urls(
    before: Any, after: Answers, problem: str, repository: Path, refusal: Callable[..., list[str]]
) -> None:
    record(repository, additional_repo_urls=before)
    (found,) = refusal(**after)
    assert found.startswith(problem) and "Move the repository in docs/operations.md" in found


def test_a_repository_moves_in_three_steps_and_back(copy_again: Again, repository: Path) -> None:
    steps: list[Answers] = [
        {"additional_repo_urls": [NEW]},
        {"repo_url": NEW, "additional_repo_urls": [URL]},
        {"repo_url": URL, "additional_repo_urls": [NEW]},
        {"repo_url": NEW, "additional_repo_urls": [URL]},
        {"additional_repo_urls": []},
    ]
    for step in steps:
        assert copy_again(**step).status == 0
        assert recorded(repository).items() >= step.items()


@pytest.mark.parametrize("same", [URL.removesuffix(".git"), URL.replace("acme", "Acme")])
def test_another_spelling_that_argocd_takes_for_the_same_url_is_no_move(
    same: str, copy_again: Again, repository: Path
) -> None:
    assert copy_again(repo_url=same).status == 0
    assert recorded(repository)["repo_url"] == same


def test_names_that_were_answers_once_stay_known(template: Path, tmp_path: Path, rendered: Path) -> None:
    newer = Path(shutil.copytree(template, tmp_path / "newer"))
    checks = newer / "hooks" / "rules" / "shape.jinja"
    before = "[% set retired = {} %]"
    assert before in checks.read_text()
    checks.write_text(checks.read_text().replace(before, "[% set retired = {'color': 'nothing'} %]"))
    repository = Path(shutil.copytree(rendered, tmp_path / "repository"))
    record(repository, color="blue")
    run_copy(str(newer), repository, defaults=True, overwrite=True, quiet=True)
    assert "color" not in recorded(repository)


# --- users' own files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "notes.md",
        "base/patch.yaml",
        "base/config/deep/er/settings.yaml",
        "overlays/prod/.env",
        "overlays/qa/kustomization.yaml",
    ],
)
def test_a_workload_is_not_taken_away_while_its_folder_holds_files_made_by_hand(
    path: str, repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, f"apps/workloads/shop/{path}")
    (problem,) = refusal(workloads=[WHOAMI])
    assert problem == (
        f"workloads: shop is removed, but apps/workloads/shop/{path} was not created by the template, and nothing "
        "would manage it any more; delete or move it, and commit that"
    )


def test_an_environment_is_not_taken_away_while_workloads_made_by_hand_run_in_it(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, f"{BY_HAND}/prod/kustomization.yaml")
    write(repository, f"{BY_HAND}/prod/config/settings.yaml")
    write(repository, f"{BY_HAND}/dev/kustomization.yaml")
    problems = refusal(environments=["dev"])
    assert [problem.split(" was not created")[0] for problem in problems] == [
        f"environments: prod is removed, but {BY_HAND}/prod/config/settings.yaml",
        f"environments: prod is removed, but {BY_HAND}/prod/kustomization.yaml",
    ]


def test_a_workload_does_not_leave_an_environment_that_holds_files_made_by_hand(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, "apps/workloads/shop/overlays/prod/patch.yaml")
    (problem,) = refusal(workloads=[WHOAMI, SHOP | {"environments": ["dev"]}])
    assert problem.startswith(
        "workloads: shop no longer runs in prod, "
        "but apps/workloads/shop/overlays/prod/patch.yaml was not created by the template"
    )


def test_each_file_is_named_once_when_its_workload_and_its_environment_go(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, "apps/workloads/shop/overlays/prod/patch.yaml")
    (problem,) = refusal(environments=["dev"], workloads=[WHOAMI])
    assert problem.startswith("workloads: shop is removed, but apps/workloads/shop/overlays/prod/patch.yaml")


def test_what_the_template_made_can_be_taken_away(copy_again: Again) -> None:
    assert copy_again(environments=["dev"], workloads=[WHOAMI]).status == 0


def test_files_made_by_hand_elsewhere_do_not_matter(copy_again: Again, repository: Path) -> None:
    write(repository, "apps/workloads/whoami/base/patch.yaml")
    write(repository, f"{BY_HAND}/dev/kustomization.yaml")
    assert copy_again(environments=["dev"], workloads=[WHOAMI]).status == 0


def test_a_new_workload_does_not_take_over_a_folder_made_by_hand(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, f"{BY_HAND}/dev/kustomization.yaml")
    (problem,) = refusal(workloads=[WHOAMI, SHOP, WHOAMI | {"name": "byhand"}])
    assert problem == (
        f"workloads: byhand is new, but {BY_HAND}/dev/kustomization.yaml exists already. To keep it, move the folder "
        "away and commit that, then move your changes back; move it away, or use another name"
    )


def test_a_new_component_does_not_take_the_place_of_a_file_made_by_hand(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, "apps/workloads/shop/base/worker.yaml")
    worker = {"name": "worker", "image": "worker:1.0.0"}
    (problem,) = refusal(workloads=[WHOAMI, {**SHOP, "components": [*SHOP["components"], worker]}])
    assert problem == (
        "workloads: apps/workloads/shop/base/worker.yaml would be created, but exists already; move it away and "
        "commit that, then restore your changes"
    )


def test_a_new_environment_does_not_start_what_was_made_by_hand(
    repository: Path, refusal: Callable[..., list[str]]
) -> None:
    write(repository, f"{BY_HAND}/qa/kustomization.yaml")
    (problem,) = refusal(environments=["dev", "qa", "prod"])
    assert problem.startswith(f"environments: qa is new, but {BY_HAND}/qa/kustomization.yaml exists already")


def test_a_first_render_does_not_take_over_a_folder_made_by_hand(copy: Copy, tmp_path: Path) -> None:
    write(tmp_path / "repository", "apps/workloads/whoami/notes.md")
    outcome = copy(minimal(), tmp_path / "repository", "--overwrite")
    assert outcome.problems[0].startswith("workloads: whoami is new, but apps/workloads/whoami/notes.md exists already")
    assert [file.name for file in (tmp_path / "repository").rglob("*") if file.is_file()] == ["notes.md"]


def test_the_checks_know_every_file_of_a_workload_that_the_template_makes(jinja: Environment, rendered: Path) -> None:
    known = jinja.from_string(
        "[% from 'hooks/model/complete.jinja' import answers with context %]"
        "[% from 'hooks/model/model.jinja' import model with context %]"
        "[% from 'hooks/folder/generated.jinja' import generated with context %][[ generated | to_json ]]"
    )
    folder = rendered / "apps" / "workloads"
    made = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert made == set(json.loads(known.render(given=ANSWERS)))
