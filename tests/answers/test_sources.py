"""Answers from every source are checked before any question and before any file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy
from copier.errors import UserMessageError

from tests.support.answers import ANSWERS_FILE, recorded
from tests.support.cases import minimal
from tests.support.commands import Copy

COMPUTED = ["check_given", "model"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def set_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the settings file of a Copier user."""

    def write(**defaults: Any) -> None:
        path = tmp_path / "settings.yml"
        path.write_text(yaml.safe_dump({"defaults": defaults}))
        monkeypatch.setenv("COPIER_SETTINGS_PATH", str(path))

    return write


def test_without_any_answers_all_that_are_required_are_named(copy: Copy, repository: Path) -> None:
    outcome = copy({}, repository)
    names = [problem.split(": is missing")[0] for problem in outcome.problems]
    assert names == ["repo_url", "domain", "environments"]
    assert (outcome.status, repository.exists()) == (1, False)


def test_a_copied_answers_file_is_taken_with_what_copier_wrote_into_it(
    copy: Copy, repository: Path, template: Path
) -> None:
    answers = minimal() | {"_commit": "v1.0.0", "_src_path": "https://example.com/template.git"}
    assert copy(answers, repository, "--quiet").status == 0
    assert recorded(repository)["domain"] == "example.com"
    # Copier was given a relative path, which an update would look for below the repository.
    assert f"\n_src_path: {template}\n" in (repository / ANSWERS_FILE).read_text()


def test_lists_on_the_command_line_are_names_in_brackets(copy: Copy, repository: Path) -> None:
    lists = ["--data", "environments=[dev, 'prod']", "--data", 'clusters=["main"]', "--data", "workloads=[]"]
    assert copy(minimal(), repository, "--quiet", *lists).status == 0
    assert recorded(repository)["environments"] == ["dev", "prod"]
    assert recorded(repository)["clusters"] == ["main"]
    assert recorded(repository)["workloads"] == []


@pytest.mark.parametrize("text", ["dev, prod", "dev,prod", "dev prod", " dev,  prod, "])
def test_names_on_the_command_line_need_no_brackets(text: str, copy: Copy, repository: Path) -> None:
    given = ["--data", f"environments={text}", "--data", "workloads=none", "--data", "clusters=main"]
    assert copy(minimal(), repository, "--quiet", *given).status == 0
    brackets = ["--data", "environments=[dev, prod]", "--data", "workloads=[]", "--data", "clusters=[main]"]
    assert copy(minimal(), repository.with_name("brackets"), "--quiet", *brackets).status == 0
    files = [(folder / ANSWERS_FILE).read_bytes() for folder in (repository, repository.with_name("brackets"))]
    assert files[0] == files[1]


@pytest.mark.parametrize("text", ["[{name: prod}]", "- main", "main, [a", "[main", "[*main]", "[2026-13-01]", "[a: b]"])
def test_any_other_text_for_a_list_belongs_into_a_file(text: str, copy: Copy, repository: Path) -> None:
    (problem,) = copy(minimal(), repository, "--data", f"environments={text}").problems
    assert problem.endswith(
        "is not a list of names (--data takes names only, --data-file anything); use a list, such as [dev, prod]"
    )


@pytest.mark.parametrize("given", ["limits={replicas: 3}", 'workloads=[{name: api, image: "api:1.4.2"}]'])
def test_maps_on_the_command_line_belong_into_a_file(given: str, copy: Copy, repository: Path) -> None:
    (problem,) = copy(minimal(), repository, "--data", given).problems
    assert problem.endswith(" is text, and --data takes names only; write it into a file, for --data-file")


def test_numbers_on_the_command_line_stay_text_where_text_belongs(copy: Copy, repository: Path) -> None:
    options = ["--data", "kubernetes_version=1.40", "--data", "target_revision=1.10"]
    options += ["--data", "hsts_seconds=60", "--data", "repo_private=true"]
    assert copy(minimal(), repository, "--quiet", *options).status == 0
    assert recorded(repository)["hsts_seconds"] == 60
    assert recorded(repository)["repo_private"] is True
    assert recorded(repository)["kubernetes_version"] == "1.40"
    assert recorded(repository)["target_revision"] == "1.10"


@pytest.mark.parametrize("name", COMPUTED)
def test_the_settings_of_a_user_cannot_replace_a_computed_value(
    name: str, copy: Copy, repository: Path, set_defaults: Any
) -> None:
    set_defaults(**{name: ""})
    outcome = copy(minimal() | {"domain": "Bad."}, repository)
    assert outcome.problems[0] == (
        f"{name}: is computed and cannot be set; remove it (a default in your Copier settings)"
    )
    assert outcome.problems[1].startswith('domain: "Bad." is not a domain name')
    assert (outcome.status, repository.exists()) == (1, False)


def test_a_bad_default_in_the_settings_of_a_user_is_refused(copy: Copy, repository: Path, set_defaults: Any) -> None:
    set_defaults(dns_provider="gandi")
    (problem,) = copy(minimal(), repository).problems
    assert (
        problem
        == 'dns_provider: "gandi" is not a known value; use cloudflare or route53 (a default in your Copier settings)'
    )
    assert not repository.exists()


def test_a_given_answer_takes_the_place_of_a_bad_default(copy: Copy, repository: Path, set_defaults: Any) -> None:
    set_defaults(dns_provider="gandi")
    assert copy(minimal() | {"dns_provider": "route53"}, repository, "--quiet").status == 0
    assert recorded(repository)["dns_provider"] == "route53"


def test_settings_for_other_templates_do_not_matter(copy: Copy, repository: Path, set_defaults: Any) -> None:
    set_defaults(author="Someone", domian="x", target_revision="trunk")
    assert copy(minimal(), repository, "--quiet").status == 0
    assert recorded(repository)["target_revision"] == "trunk"


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        ({"model": {}}, "model: is computed and cannot be set; remove it"),
        ({"check_given": ""}, "check_given: is computed and cannot be set; remove it"),
        ({"domain": "Example.com"}, 'domain: "Example.com" is not a domain name'),
        ({"domian": "example.com"}, "domian: is not a known answer; did you mean domain?"),
        ({"_external_data": {}}, "_external_data: is not a known answer"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_defaults_of_a_program_are_looked_at_too(
    defaults: dict[str, Any], message: str, template: Path, repository: Path
) -> None:
    answers = {name: value for name, value in minimal().items() if name not in defaults}
    with pytest.raises(UserMessageError, match="Nothing was written") as refused:
        run_copy(str(template), repository, data=answers, user_defaults=defaults, defaults=True, quiet=True)
    assert message in str(refused.value)
    assert not repository.exists()


def test_nothing_in_the_template_asks_for_trust(template: Path) -> None:
    settings = yaml.safe_load((template / "copier.yml").read_text())
    assert settings.keys().isdisjoint({"_tasks", "_jinja_extensions", "_migrations"})
