"""Every rendered file is tidy and formatted, and some answers render it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

import jsonschema
import yaml

from tests.support import engines
from tests.support.platforms import problems_of_files
from tests.support.repository import ROOT, Repository, scenarios

TEMPLATE = ROOT / "template"
ANSWERS_FILE = ".copier-answers.yml"


def template_paths() -> list[PurePath]:
    """Return every file and folder, relative to the folder `template`."""
    return [path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*")]


def test_the_formatter_leaves_all_yaml_alone(repository: Repository) -> None:
    assert engines.yamlfmt(repository.path) == ""


def test_all_files_follow_the_editorconfig(repository: Repository) -> None:
    assert engines.editorconfig(repository.path) == ""


def test_no_delimiter_and_no_blank_run_is_left(repository: Repository) -> None:
    assert not list(TEMPLATE.rglob("*.py.jinja"))
    for file in repository.files:
        # Python has double brackets and blank lines, and ruff checks it. So do locks, which uv writes.
        if file.suffix not in (".py", ".lock"):
            text = (repository.path / file).read_text()
            assert not re.search(r"\[\[|\]\]|\[%|%\]|\[#|#\]", text), file
            assert "\n\n\n" not in text and not text.endswith("\n\n"), file


def test_every_system_can_store_the_files(repository: Repository) -> None:
    assert problems_of_files(repository.path) == []


def test_no_condition_stands_in_a_file_name() -> None:
    assert [path for path in template_paths() if "[% if" in str(path)] == []


def rendered_name(template_file: PurePath) -> re.Pattern[str]:
    """Return a pattern of the names that a template's file is rendered to."""
    name = re.sub(r"\[% ?(yield|for) .*?\[% ?end\1 ?%\]", "YIELD", str(template_file))
    name = name.replace("[[ _copier_conf.answers_file ]]", ANSWERS_FILE).removesuffix(".jinja")
    return re.compile(re.escape(name).replace("YIELD", "[^/]+"))


def test_every_template_file_is_rendered_by_some_scenario(repositories: Callable[[str], Repository]) -> None:
    rendered = {file.as_posix() for name in scenarios() for file in repositories(name).files}
    for path in template_paths():
        if (TEMPLATE / path).is_file():
            assert any(rendered_name(path).fullmatch(name) for name in rendered), path


def test_the_schema_is_rendered_as_it_is(stages: Repository) -> None:
    rendered = (stages.path / ".copier-answers.schema.json").read_text()
    assert rendered == (ROOT / "hooks/answers.schema.json").read_text()


def test_recorded_answers_are_those_given_and_valid(repository: Repository) -> None:
    recorded = repository.one(ANSWERS_FILE)
    answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
    assert answers.items() >= repository.answers.items()
    schema = yaml.safe_load((ROOT / "hooks/answers.schema.json").read_text())
    assert set(answers) == set(schema["properties"])
    jsonschema.validate(answers, schema)
