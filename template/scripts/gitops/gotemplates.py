"""Fill Go templates, as ApplicationSets with goTemplate do."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gitops.objects import Object, load_yaml
from gitops.tools import GitOpsError, run

# A template of this kind needs no Helm: `{{ .path.basename }}` or `{{ index .path.segments 2 }}`.
ACTION = re.compile(r"\{\{\s*(?:index\s+(?P<of>(?:\.\w+)+)\s+(?P<index>\d+)|(?P<field>(?:\.\w+)+))\s*\}\}")


_filled_by_helm: dict[str, str] = {}


def fill(template: Any, parameters: list[Object]) -> list[Any]:
    """Fill a template once per map of parameters: every string in it is a Go template of its own.

    Raises:
        GitOpsError: if a parameter is missing, or Helm refuses a template.
    """
    texts = dict.fromkeys(_templates_in(template))
    pairs = [(text, values) for values in parameters for text in texts]
    filled = [_fill_simple(text, values) for text, values in pairs]
    others = [pair for pair, text in zip(pairs, filled, strict=True) if text is None]
    from_helm = iter(_fill_by_helm_once(others))
    results = iter([next(from_helm) if text is None else text for text in filled])
    return [_replaced(template, {text: next(results) for text in texts}) for _ in parameters]


def patched(manifest: Object, patch: str) -> Object:
    """Merge a templatePatch into an Application: maps key by key, everything else as a whole, null deletes."""

    def merge(below: Any, above: Any) -> Any:
        if not isinstance(above, dict):
            return above
        below = below if isinstance(below, dict) else {}
        merged = below | {key: merge(below.get(key), value) for key, value in above.items()}
        return {key: value for key, value in merged.items() if value is not None}

    (change,) = load_yaml(patch, "templatePatch") or [{}]
    return dict(merge(manifest, change))


def _fill_simple(text: str, values: Object) -> str | None:
    """Fill a template that only reads strings; return None for any other."""
    if "{{" in ACTION.sub("", text):
        return None
    try:
        strings = [_looked_up(match, values) for match in ACTION.finditer(text)]
    except (KeyError, IndexError, TypeError):
        place = _folder_of(values)
        where = f" for {place}" if place else ""
        raise GitOpsError(f"{text} refers to a parameter that does not exist{where}") from None
    if not all(isinstance(value, str) for value in strings):
        return None
    iterator = iter(strings)
    return ACTION.sub(lambda _: str(next(iterator)), text)


def _folder_of(values: Object) -> str:
    """Return the folder that parameters of a Git generator are for; empty if there is none."""
    for part in (values, *values.values()):
        path = part.get("path") if isinstance(part, dict) else None
        if isinstance(path, dict) and "path" in path:
            return str(path["path"])
    return ""


def _looked_up(match: re.Match[str], values: Object) -> Any:
    value: Any = values
    for key in (match["of"] or match["field"]).split(".")[1:]:
        value = value[key]
    return value[int(match["index"])] if match["of"] else value


def _fill_by_helm_once(pairs: list[tuple[str, Object]]) -> list[str]:
    """Fill any templates. Each pair is filled only once, since Helm starts slowly."""
    keys = [json.dumps(pair, sort_keys=True) for pair in pairs]
    new = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in _filled_by_helm}
    if new:
        _filled_by_helm.update(zip(new, _fill_by_helm(list(new.values())), strict=True))
    return [_filled_by_helm[key] for key in keys]


def _fill_by_helm(pairs: list[tuple[str, Object]]) -> list[str]:
    """Fill any templates with Helm, which has the same template language and functions (Sprig) as Argo CD."""
    chart = {
        "Chart.yaml": "{apiVersion: v2, name: strings, version: 0.0.0}",
        "values.yaml": json.dumps({"pairs": [{"text": text, "parameters": values} for text, values in pairs]}),
        "templates/strings.yaml": (
            "strings:\n{{- range .Values.pairs }}\n  - {{ tpl .text .parameters | toJson }}\n{{- end }}\n"
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in chart.items():
            file = Path(folder) / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return list(yaml.safe_load(run("helm", "template", "strings", folder))["strings"])


def _templates_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _templates_in(key)
            yield from _templates_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _templates_in(value)
    elif isinstance(node, str) and "{{" in node:
        yield node


def _replaced(node: Any, texts: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {_replaced(key, texts): _replaced(value, texts) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, texts) for value in node]
    return texts.get(node, node) if isinstance(node, str) else copy.deepcopy(node)
