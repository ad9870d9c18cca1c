"""Read YAML with size limits, and strictly where all programs must read it in the same way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gitops.goyaml import Loader, describe
from gitops.tools import GitOpsError

# Argo CD's own manifests are 2 MB long.
MAX_BYTES = 10 * 2**20
# A text of that size has fewer values, unless aliases multiply them.
MAX_VALUES = 2_000_000
MAX_DEPTH = 100
ANCHOR = re.compile(r"(?:^|[\s\[{,:?-])&[\w-]", re.MULTILINE)
ALIAS = re.compile(r"(?:^|[\s\[{,:?-])\*[\w-]", re.MULTILINE)
# Control characters, and characters that are line breaks for some programs only.
UNUSUAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]|\r(?!\n)")


def read_text(file: Path, name: str) -> str:
    """Return the text of a file.

    Raises:
        GitOpsError: if it is not a regular file, too large, or not UTF-8.
    """
    try:
        if not file.is_file():
            raise GitOpsError(f"{name} does not exist, or is not a regular file")
        if file.stat().st_size > MAX_BYTES:
            raise GitOpsError(f"{name} is larger than {MAX_BYTES // 2**20} MiB: split it")
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        raise GitOpsError(f"{name} is not UTF-8: save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise GitOpsError(f"{name} cannot be read: {error}") from None


def check_bounds(text: str, name: str) -> None:
    """Refuse a text that becomes too large when its aliases are replaced.

    Raises:
        GitOpsError: if it does, or is not YAML.
    """
    if len(text) > MAX_BYTES:
        raise GitOpsError(f"{name} is larger than {MAX_BYTES // 2**20} MiB: split it")
    if ALIAS.search(text) and ANCHOR.search(text):
        for document in _composed(text, name):
            _count(document, name, {}, 0)


def load_strictly(text: str, name: str) -> list[Any]:
    """Return the documents of a YAML text that every program reads in the same way.

    Raises:
        GitOpsError: if it is not YAML, or has tags, repeated keys, keys that are not text, or unusual characters.
    """
    check_bounds(text, name)
    if match := UNUSUAL.search(text):
        raise GitOpsError(f"{name}: remove the character U+{ord(match[0]):04X}, which programs read differently")
    for event in _events(text, name):
        if getattr(event, "tag", None) is not None:
            raise GitOpsError(f"{name}:{event.start_mark.line + 1}: remove the tag {event.tag}")
    documents = _composed(text, name)
    for document in documents:
        _check_keys(document, name, set(), 0)
    try:
        return [Loader("").construct_document(document) for document in documents]
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise GitOpsError(f"{name} is not valid YAML: {describe(error)}") from None


def _events(text: str, name: str) -> list[Any]:
    try:
        return list(yaml.parse(text, Loader))
    except (yaml.YAMLError, RecursionError) as error:
        raise GitOpsError(f"{name} is not valid YAML: {describe(error)}") from None


def _composed(text: str, name: str) -> list[yaml.Node]:
    try:
        return [document for document in yaml.compose_all(text, Loader) if document is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise GitOpsError(f"{name} is not valid YAML: {describe(error)}") from None


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _count(node: yaml.Node, name: str, counts: dict[int, int], depth: int) -> int:
    """Return how many values a node has when its aliases are replaced."""
    if depth > MAX_DEPTH:
        raise GitOpsError(f"{name} is nested too deeply, or refers to itself")
    if id(node) not in counts:
        total = 1 + sum(_count(child, name, counts, depth + 1) for child in _children(node))
        if total > MAX_VALUES:
            raise GitOpsError(f"{name} becomes too large when its aliases are replaced: write it without aliases")
        counts[id(node)] = total
    return counts[id(node)]


def _check_keys(node: yaml.Node, name: str, seen: set[int], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise GitOpsError(f"{name} is nested too deeply")
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, _ in node.value:
            place = f"{name}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise GitOpsError(f"{place}: a key must be text: quote it, and write merge keys (<<) out")
            if key.value in keys:
                raise GitOpsError(f"{place}: the key {key.value} occurs twice: remove one")
            keys.add(key.value)
    for child in _children(node):
        _check_keys(child, name, seen, depth + 1)
