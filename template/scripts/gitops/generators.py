"""Expand the generators of an ApplicationSet to parameters, as Argo CD does.

Source: https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators/
"""

from __future__ import annotations

import fnmatch
import re
from pathlib import PurePosixPath
from typing import Any

from gitops import gotemplates
from gitops.objects import Object, load_yaml
from gitops.tools import GitOpsError
from gitops.tree import Tree

# The supported fields of a Git generator.
GIT_FIELDS = {"repoURL", "revision", "requeueAfterSeconds", "directories", "files", "pathParamPrefix", "values"}
INVALID_IN_NAMES = re.compile(r"[^-a-z0-9.]")
NAME_LENGTH = 253


def parameters_of(tree: Tree, generator: Object) -> list[Object]:
    """Return the parameters of a generator, one map per Application.

    Raises:
        GitOpsError: if the generator is of a kind that is not supported here, or a file is not YAML.
    """
    match generator:
        case {"list": {"elements": elements}} if len(generator) == 1:
            return list(elements)
        case {"matrix": {"generators": [first, second]}} if len(generator) == 1:
            return _matrix(tree, first, second)
        case {"git": settings} if len(generator) == 1 and not settings.keys() - GIT_FIELDS:
            tree.check_repository(settings["repoURL"])
            if settings.get("directories"):
                return _with_values(settings, _git_directories(tree, settings))
            if settings.get("files"):
                return _with_values(settings, _git_files(tree, settings))
    raise GitOpsError(f"its generator {next(iter(generator), 'without a kind')} is not supported here")


def _matrix(tree: Tree, first: Object, second: Object) -> list[Object]:
    """Combine two generators. The first one's parameters fill the templates in the second one's fields."""
    outer = parameters_of(tree, first)
    inner = [parameters_of(tree, filled) for filled in gotemplates.fill(second, outer)]
    return [_merged(values, parameters) for parameters, sets in zip(outer, inner, strict=True) for values in sets]


def _merged(below: Object, above: Object) -> Object:
    """Merge maps as Argo CD does: the first generator wins, unless its value is empty."""
    result = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        elif value or key not in result:
            result[key] = value
    return result


def _with_values(settings: Object, parameters: list[Object]) -> list[Object]:
    """Add the values of a Git generator, which are templates of its other parameters."""
    if not settings.get("values"):
        return parameters
    filled = gotemplates.fill(settings["values"], parameters)
    return [other | {"values": values} for other, values in zip(parameters, filled, strict=True)]


def _git_directories(tree: Tree, settings: Object) -> list[Object]:
    patterns = settings["directories"]
    result = []
    for name in tree.folders:
        matching = [pattern for pattern in patterns if _is_directory(name, pattern["path"])]
        if matching and not any(pattern.get("exclude") for pattern in matching):
            result.append(_at_path(settings, _path(name)))
    return result


def _is_directory(name: str, pattern: str) -> bool:
    """Whether a pattern matches a directory: `*` matches no slash, and hidden directories are left out."""
    return is_match(name, pattern) and not any(part.startswith(".") for part in name.split("/"))


def is_match(name: str, pattern: str) -> bool:
    """Whether a pattern matches a path part by part."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _git_files(tree: Tree, settings: Object) -> list[Object]:
    included = [pattern["path"] for pattern in settings["files"] if not pattern.get("exclude")]
    excluded = [pattern["path"] for pattern in settings["files"] if pattern.get("exclude")]
    result = []
    for name in tree.files:
        if _is_any_file(name, included) and not _is_any_file(name, excluded):
            documents: list[Any] = load_yaml((tree.path / name).read_text(), name) or [{}]
            file = PurePosixPath(name)
            path = _path(file.parent.as_posix())
            path |= {"filename": file.name, "filenameNormalized": _normalized(file.name)}
            for content in documents[0] if isinstance(documents[0], list) else documents[:1]:
                if not isinstance(content, dict):
                    raise GitOpsError(f"{name} is neither a map nor a list of maps")
                result.append(content | _at_path(settings, path))
    return result


def _is_any_file(name: str, patterns: list[str]) -> bool:
    """Whether a pattern matches a file as in `git ls-files`: `*` matches slashes, a folder all files below it."""
    return any(fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}/") for pattern in patterns)


def _path(folder: str) -> Object:
    """Return the parameters of a folder."""
    path = PurePosixPath(folder)
    return {
        "path": folder,
        "basename": path.name,
        "basenameNormalized": _normalized(path.name),
        "segments": folder.split("/"),
    }


def _at_path(settings: Object, path: Object) -> Object:
    prefix = settings.get("pathParamPrefix")
    return {prefix: {"path": path}} if prefix else {"path": path}


def _normalized(name: str) -> str:
    return INVALID_IN_NAMES.sub("-", name.lower())[:NAME_LENGTH].strip("-.")
