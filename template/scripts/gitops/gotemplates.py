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

from gitops.objects import Object
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


def _fill_simple(text: str, values: Object) -> str | None:
    """Fill a template that only reads strings; return None for any other."""
    if "{{" in ACTION.sub("", text):
        return None
    try:
        strings = [_looked_up(match, values) for match in ACTION.finditer(text)]
    except (KeyError, IndexError, TypeError):
        raise GitOpsError(f"{text} refers to a parameter that does not exist") from None
    if not all(isinstance(value, str) for value in strings):
        return None
    iterator = iter(strings)
    return ACTION.sub(lambda _: str(next(iterator)), text)


def _looked_up(match: re.Match[str], values: Object) -> Any:
    value: Any = values
    for key in (match["of"] or match["field"]).split(".")[1:]:
        value = value[key]
    return value[int(match["index"])] if match["of"] else value


def _fill_by_helm_once(pairs: list[tuple[str, Object]]) -> list[str]:
    """Fill any template, each with the same parameters only once: starting Helm takes long."""
    keys = [json.dumps(pair, sort_keys=True) for pair in pairs]
    new = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in _filled_by_helm}
    if new:
        _filled_by_helm.update(zip(new, _fill_by_helm(list(new.values())), strict=True))
    return [_filled_by_helm[key] for key in keys]


def _fill_by_helm(pairs: list[tuple[str, Object]]) -> list[str]:
    """Fill any template. Helm's are Go's, with the functions that Argo CD's have too (Sprig)."""
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
