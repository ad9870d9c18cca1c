"""Checks that read files, and build nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from yamllint import linter  # type: ignore[import-untyped]
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.entries import problems_of_names
from gitops.keys import lines_with_references
from gitops.objects import digest
from gitops.tools import run
from gitops.tree import ANSWERS

# The lines around what Git cannot merge. Lines of equals signs are headings elsewhere.
MARKER = re.compile(rb"^(<{7}|\|{7}|>{7})( |\r?$)", re.MULTILINE)
DIGEST_PREFIX = "_rendered."
YAMLLINT_RULES = ".yamllint.yml"
# The rule of gitleaks that knows no format: a word such as `key` before a text that is not one.
GUESS = "generic-api-key"
# From this number of files on, a second process saves more time than its start takes.
FILES_PER_PROCESS = 200
_lint_results: dict[tuple[str, str], list[str]] = {}


@check("conflicts", "No conflict is left from an update or a merge", is_quick=True)
def conflicts(repository: Repository) -> Iterator[str]:
    """Find conflict markers and rejected hunks."""
    for name in repository.files:
        if name.endswith(".rej"):
            yield f"{name}: a change that could not be merged: apply it by hand, then delete this file"
            continue
        content = (repository.path / name).read_bytes()
        if marker := MARKER.search(content):
            line = content[: marker.start()].count(b"\n") + 1
            yield f"{name}:{line}: a conflict marker: keep one side, then delete the markers"


@check("answers", "The recorded answers are those that were rendered", is_quick=True)
def answers(repository: Repository) -> Iterator[str]:
    """Find answers that were edited in their file, which has no effect."""
    recorded = repository.tree.answers
    rendered = {name: value for name, value in recorded.items() if name.startswith(DIGEST_PREFIX)}
    if not rendered:
        raise NothingToCheckError(f"{ANSWERS} has no digests of answers")
    current = {}
    for name, value in recorded.items():
        if isinstance(value, list):
            for entry in value:
                item = entry.get("name") if isinstance(entry, dict) else entry
                current[f"{DIGEST_PREFIX}{name}.{item}"] = digest(entry)
        elif not name.startswith("_"):
            current[f"{DIGEST_PREFIX}{name}"] = digest(value)
    for name in sorted(rendered.keys() | current.keys()):
        if rendered.get(name) != current.get(name):
            yield (
                f"{ANSWERS}: {name.removeprefix(DIGEST_PREFIX)} was edited here, which has no effect: "
                "revert it, and follow docs/operations.md, Change an answer"
            )


@check("files", "Git stores plain files only", is_quick=True)
def plain_files(repository: Repository) -> Iterator[str]:
    """Find what Argo CD refuses, or reads otherwise than it seems, and names that not every machine can store."""
    yield from repository.tree.problems
    yield from problems_of_names(repository.all_files)


@check("local", "Kustomizations read files of this repository only", is_quick=True)
def local(repository: Repository) -> Iterator[str]:
    """Find paths that lead elsewhere or nowhere, and fields that cannot be checked. Nothing is built before this."""
    yield from repository.foreign_paths


@check("yaml", "YAML is clean", is_quick=True)
def yaml_style(repository: Repository) -> Iterator[str]:
    """Find what breaks the rules in .yamllint.yml."""
    names = [name for name in repository.files if name.endswith((".yaml", ".yml"))]
    if not names:
        raise NothingToCheckError("no YAML file changes")
    rules = (repository.path / YAMLLINT_RULES).read_text()
    lint_file = partial(_lint, repository.path, rules)
    if len(names) < FILES_PER_PROCESS:
        results = list(map(lint_file, names))
    else:
        # Not by forking: other threads run here.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            results = list(pool.map(lint_file, names, chunksize=FILES_PER_PROCESS // 4))
    yield from sorted(problem for problems in results for problem in problems)


def _lint(repository: Path, rules: str, name: str) -> list[str]:
    content = (repository / name).read_bytes()
    key = (f"{name}/{rules}", sha256(content).hexdigest())
    if key not in _lint_results:
        problems = linter.run(content, _lint_rules(rules), name)
        _lint_results[key] = [f"{name}:{p.line}:{p.column}: [{p.level}] {p.message}" for p in problems]
    return _lint_results[key]


@cache
def _lint_rules(rules: str) -> YamlLintConfig:
    return YamlLintConfig(rules)


@check("secrets", "No secret is committed", is_quick=True)
def secrets(repository: Repository) -> Iterator[str]:
    """Find what looks like a password, a key or a token."""
    options = ["--no-banner", "--redact", "--log-level=error", "--exit-code=0"]
    report = ["--report-format=json", "--report-path=-"]
    output = run("gitleaks", "dir", ".", *options, *report, folder=repository.tree.path)
    for entry in json.loads(output or "[]"):
        if entry["RuleID"] == GUESS and entry["StartLine"] in lines_with_references(repository.path / entry["File"]):
            continue
        if repository.changed is None or entry["File"] in repository.changed:
            place = f"{entry['File']}:{entry['StartLine']}"
            yield f"{place}: looks like a secret ({entry['RuleID']}): remove it, and revoke it where it was issued"
