"""Changes that newer versions of the template can make, independent of its current files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def edit(template: Path, file: str, old: str, new: str) -> None:
    path = template / file
    text = path.read_text()
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new))


def edit_schema(template: Path, *keys: str, **fields: Any) -> None:
    """Set fields of the schema's node at `keys`."""
    path = template / "hooks/answers.schema.json"
    schema = json.loads(path.read_text())
    node = schema
    for key in keys:
        node = node[key]
    node.update(fields)
    path.write_text(json.dumps(schema, indent=2))


def drop_question(template: Path, name: str) -> str:
    """Remove a question from copier.yml, and return its text."""
    path = template / "copier.yml"
    before, question, after = re.split(rf"(?ms)^({name}:\n.*?\n)\n", path.read_text(), maxsplit=1)
    path.write_text(before + after)
    return question


def text_files(template: Path) -> list[Path]:
    return [file for file in (template / "template").rglob("*") if file.is_file()]


# --- files ------------------------------------------------------------------------------------------------------------


def reword_every_comment(template: Path) -> None:
    """Change nearly every file, but only its comments."""
    for file in text_files(template):
        file.write_text(re.sub(r"(?m)^( *# .+)$", r"\1 Reworded.", file.read_text()))


def add_a_last_line(template: Path) -> None:
    """Change every file."""
    for file in text_files(template):
        file.write_text(file.read_text() + "# The last line.\n")


def add_a_document(template: Path) -> None:
    (template / "template/docs/new.md.jinja").write_text("# What is new in [[ model.repository.name ]]\n")


def remove_a_document(template: Path) -> None:
    (template / "template/docs/domain-configuration.md.jinja").unlink()


def rename_a_document(template: Path) -> None:
    (template / "template/docs/operations.md.jinja").rename(template / "template/docs/day-two.md.jinja")


# The migration of a renamed directory, as in docs/migrations.md.
MIGRATION = """
  - version: {version}
    when: "true"
    command:
      - "[[ _copier_python ]]"
      - "[[ _copier_conf.src_path ]]/hooks/migrations/move.py"
      - "[[ _copier_conf.answers_file ]]"
      - {old}
      - {new}
"""
OVERLAYS = ("apps/workloads/*/overlays", "apps/workloads/*/stages")
PLATFORM = ("apps/platform", "apps/addons")


def rename_directories(template: Path, version: str) -> None:
    """Rename a directory in every workload, and one with seeded files."""
    edit(template, "copier.yml", "apps/platform/", "apps/addons/")
    for file in (*(template / "hooks").rglob("*.jinja"), *text_files(template)):
        text = file.read_text().replace("apps/platform/", "apps/addons/")
        file.write_text(re.sub(r"\boverlays/", "stages/", text))
    (template / "template/apps/platform").rename(template / "template/apps/addons")
    for folder in (template / "template/apps/workloads").glob("*/overlays"):
        folder.rename(folder.with_name("stages"))
    settings = template / "copier.yml"
    migrations = "".join(MIGRATION.format(version=version, old=old, new=new) for old, new in (OVERLAYS, PLATFORM))
    settings.write_text(f"{settings.read_text()}\n_migrations:{migrations}")


# --- answers ----------------------------------------------------------------------------------------------------------


def add_an_answer(template: Path) -> None:
    edit(
        template, "copier.yml", "ci:\n", "team:\n  type: str\n  help: Who looks after it?\n  default: platform\n\nci:\n"
    )
    edit_schema(template, "properties", team={"type": "string", "default": "platform", "description": "The team."})
    edit(template, "hooks/model/model.jinja", "'ci': answers.ci,", "'ci': answers.ci, 'team': answers.team,")
    readme = template / "template/README.md.jinja"
    readme.write_text(readme.read_text() + "\nAsk [[ model.team ]].\n")


def rename_an_answer(template: Path, old: str, new: str, default: str) -> None:
    """Rename an answer as documented: its old value is the default of the new question."""
    for file in (template / "copier.yml", *(template / "hooks").rglob("*"), *text_files(template)):
        if file.is_file():
            file.write_text(re.sub(rf"\b{old}\b", new, file.read_text()))
    copier = template / "copier.yml"
    question = copier.read_text().split(f"\n{new}:\n")[1].split("\n\n")[0]
    without_default = "\n".join(line for line in question.splitlines() if not line.startswith("  default:"))
    edit(template, "copier.yml", question, f'{without_default}\n  default: "{default}"')
    edit(template, "hooks/rules/shape.jinja", "[% set retired = {", f"[% set retired = {{'{old}': '{new}', ")


def rename_the_branch(template: Path) -> None:
    rename_an_answer(template, "target_revision", "branch", "[[ target_revision | default('main') ]]")


def remove_an_answer(template: Path) -> None:
    """Remove the answer `ci`, as if it were always `github`."""
    drop_question(template, "ci")
    path = template / "hooks/answers.schema.json"
    schema = json.loads(path.read_text())
    del schema["properties"]["ci"]
    path.write_text(json.dumps(schema, indent=2))
    edit(template, "hooks/model/model.jinja", "'ci': answers.ci,", "'ci': 'github',")
    edit(template, "hooks/rules/shape.jinja", "[% set retired = {", "[% set retired = {'ci': '', ")


def tighten_a_check(template: Path) -> None:
    edit_schema(template, "definitions", "domain", maxLength=100)


def change_defaults(template: Path) -> None:
    """Change the default of a recorded answer, and of a field that is not recorded."""
    edit(template, "copier.yml", "default: aws-load-balancer-controller", "default: eks-auto-mode")
    edit_schema(template, "definitions", "load_balancer", default="eks-auto-mode")
    edit_schema(template, "definitions", "run_as_user", default=65533)


KINDS = {
    "a line changed in nearly every file": reword_every_comment,
    "a file added": add_a_document,
    "a file removed": remove_a_document,
    "a file renamed": rename_a_document,
    "an answer added": add_an_answer,
    "an answer renamed": rename_the_branch,
    "an answer removed": remove_an_answer,
    "a check tightened": tighten_a_check,
    "a default changed": change_defaults,
}
