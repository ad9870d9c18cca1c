"""Every rendered file, whatever it is for: readable, tidy, and made by a template that some answers reach."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

from tests import engines
from tests.conftest import ROOT, Repository, load, render, scenarios

TEMPLATE = ROOT / "template"
ANSWERS_FILE = ".copier-answers.yml"


def yaml_files(repository: Repository) -> list[Path]:
    return [file for file in repository.files if file.suffix in {".yaml", ".yml"}]


def test_all_yaml_parses_without_duplicate_keys(repository: Repository) -> None:
    for file in yaml_files(repository):
        load((repository.path / file).read_text())


def test_all_yaml_is_lint_clean_under_the_rules_that_are_rendered_with_it(repository: Repository) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yamllint", "--strict", "."], cwd=repository.path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_formatter_leaves_all_yaml_alone(repository: Repository) -> None:
    assert engines.yamlfmt(repository.path) == ""


def test_all_files_follow_the_editorconfig(repository: Repository) -> None:
    assert engines.editorconfig(repository.path) == ""


def without_python(repository: Repository) -> list[Path]:
    """All files but Python's, which has double brackets and blank lines of its own; ruff looks after it."""
    assert not list(TEMPLATE.rglob("*.py.jinja"))
    return [file for file in repository.files if file.suffix != ".py"]


def test_no_trace_of_a_delimiter_is_left(repository: Repository) -> None:
    for file in without_python(repository):
        text = (repository.path / file).read_text()
        assert not re.search(r"\[\[|\]\]|\[%|%\]|\[#|#\]", text), file


def test_text_ends_with_one_newline_and_has_no_blank_runs_or_trailing_spaces(repository: Repository) -> None:
    for file in without_python(repository):
        text = (repository.path / file).read_text()
        assert text.endswith("\n") and not text.endswith("\n\n"), file
        assert "\n\n\n" not in text, file
        assert not re.search(r"[ \t]$", text, re.MULTILINE), file


def test_file_names_are_valid_on_windows() -> None:
    for file in (path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*")):
        assert not set(str(file)) & set('|"<>:*?\\'), file


def rendered_name(template_file: str) -> re.Pattern[str]:
    """What a template's file name may become."""
    name = re.sub(r"\[% yield .*?\[% endyield %\]", "YIELD", template_file)
    name = re.sub(r"\[% if .*?%\](.*?)\[% endif %\]", r"\1", name)
    name = name.replace("[[ _copier_conf.answers_file ]]", ANSWERS_FILE).removesuffix(".jinja")
    return re.compile(re.escape(name).replace("YIELD", "[^/]+"))


def test_every_template_file_is_rendered_by_some_scenario(template: Path, tmp_path: Path) -> None:
    rendered: set[str] = set()
    for name, answers in scenarios().items():
        path = render(template, answers, tmp_path / name)
        rendered |= {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    for file in (path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_file()):
        assert any(rendered_name(str(file)).fullmatch(name) for name in rendered), file


def test_the_schema_is_rendered_as_it_is(repository: Repository) -> None:
    rendered = (repository.path / ".copier-answers.schema.json").read_text()
    assert rendered == (ROOT / "hooks/answers.schema.json").read_text()


def test_recorded_answers_are_those_given_and_valid(repository: Repository) -> None:
    recorded = repository.one(ANSWERS_FILE)
    answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
    assert answers.items() >= repository.answers.items()
    schema = yaml.safe_load((ROOT / "hooks/answers.schema.json").read_text())
    assert set(answers) == set(schema["properties"])
    jsonschema.validate(answers, schema)
