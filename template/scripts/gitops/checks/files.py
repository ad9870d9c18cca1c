"""Check files without building anything."""

from __future__ import annotations

import json
import re
import signal
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
from gitops.strictyaml import read_text
from gitops.tools import GitOpsError, run
from gitops.tree import ANSWERS

# The lines around a conflict in Git. Lines of equals signs are headings in other files.
MARKER = re.compile(rb"^(<{7}|\|{7}|>{7})( |\r?$)", re.MULTILINE)
DIGEST_PREFIX = "_rendered."
YAMLLINT_RULES = ".yamllint.yml"
# The rule of gitleaks that guesses: a word such as `key` before a random text.
GUESS = "generic-api-key"
# With this many files, a second process saves more time than it takes to start.
FILES_PER_PROCESS = 200
_lint_results: dict[tuple[str, str], list[str]] = {}


@check("conflicts", "No conflict is left from an update or a merge", is_quick=True)
def conflicts(repository: Repository) -> Iterator[str]:
    """Find conflict markers and rejected hunks."""
    if not repository.files:
        raise NothingToCheckError("the branch changes no file")
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
    """Find answers that were edited in their file. Such edits have no effect."""
    recorded = repository.tree.answers
    rendered = {name: value for name, value in recorded.items() if name.startswith(DIGEST_PREFIX)}
    if not rendered:
        is_there = ANSWERS in repository.all_files
        raise NothingToCheckError(f"{ANSWERS} has no digests of answers" if is_there else f"there is no {ANSWERS}")
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
                f"{ANSWERS}: {name.removeprefix(DIGEST_PREFIX)} was edited here. Edits here have no effect: "
                "revert it, and follow docs/operations.md, Change an answer"
            )


@check("files", "Git stores plain files only", is_quick=True)
def plain_files(repository: Repository) -> Iterator[str]:
    """Find files that Argo CD rejects or reads differently, and names that not every machine can store."""
    yield from repository.tree.problems
    yield from problems_of_names(repository.all_files)


@check("local", "Kustomizations read files of this repository only", is_quick=True)
def local(repository: Repository) -> Iterator[str]:
    """Find paths that leave the repository or do not exist, and fields that cannot be checked, before any build."""
    yield from repository.foreign_paths


@check("yaml", "YAML is clean", is_quick=True)
def yaml_style(repository: Repository) -> Iterator[str]:
    """Find violations of the rules in .yamllint.yml."""
    names = [name for name in repository.files if name.endswith((".yaml", ".yml"))]
    if not names:
        raise NothingToCheckError("the branch changes no YAML file")
    rules = read_text(repository.path / YAMLLINT_RULES, YAMLLINT_RULES)
    try:
        _lint_rules(rules)
    except Exception as error:
        raise GitOpsError(f"{YAMLLINT_RULES} is not a configuration of yamllint: {error}") from None
    lint_file = partial(_lint, repository.path, rules)
    if len(names) < FILES_PER_PROCESS:
        results = list(map(lint_file, names))
    else:
        # Not by forking, since other threads run. This process handles an interrupt for all.
        ignore = (signal.SIGINT, signal.SIG_IGN)
        with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=signal.signal, initargs=ignore) as pool:
            results = list(pool.map(lint_file, names, chunksize=FILES_PER_PROCESS // 4))
    yield from sorted(problem for problems in results for problem in problems)


def _lint(repository: Path, rules: str, name: str) -> list[str]:
    content = (repository / name).read_bytes()
    key = (f"{name}/{rules}", sha256(content).hexdigest())
    if key not in _lint_results:
        try:
            problems = list(linter.run(content, _lint_rules(rules), name))
        except UnicodeError:
            return [f"{name} is not UTF-8: save it as UTF-8"]
        _lint_results[key] = [f"{name}:{p.line}:{p.column}: [{p.level}] {p.message}" for p in problems]
    return _lint_results[key]


@cache
def _lint_rules(rules: str) -> YamlLintConfig:
    return YamlLintConfig(rules)


@check("secrets", "No secret is committed", is_quick=True, tools=("gitleaks",))
def secrets(repository: Repository) -> Iterator[str]:
    """Find text that looks like a password, a key or a token."""
    options = ["--no-banner", "--redact", "--log-level=error", "--exit-code=0"]
    report = ["--report-format=json", "--report-path=-"]
    output = run("gitleaks", "dir", ".", *options, *report, folder=repository.tree.path)
    for entry in json.loads(output or "[]"):
        if entry["RuleID"] == GUESS and entry["StartLine"] in lines_with_references(repository.path / entry["File"]):
            continue
        if repository.changed is None or entry["File"] in repository.changed:
            place = f"{entry['File']}:{entry['StartLine']}"
            yield f"{place}: looks like a secret ({entry['RuleID']}): remove it, and revoke it where it was issued"
