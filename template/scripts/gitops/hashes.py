"""Recognize the names that Kustomize generates: name, hyphen, and a hash of the content.

Source: api/hasher/hasher.go and api/internal/builtins/HashTransformer.go of Kustomize.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gitops.objects import Object

# A second field that the hash covers if it is set. `data` and the type of a Secret are always covered.
HASHED_KINDS = {"ConfigMap": "binaryData", "Secret": "stringData"}
# Characters that Go escapes in JSON, but Python does not.
ESCAPED = "<>&\u2028\u2029"
# Kustomize replaces these, so that a hash does not spell a word.
LETTERS = str.maketrans("013ae", "ghkmt")
LENGTH = 10


def name_without_hash(item: Object) -> str:
    """Return the name of an object without the hash of its content, or the whole name if it does not end in it.

    A name that only looks like a generated one is an ordinary name.
    """
    name = str(item["metadata"]["name"])
    base, separator, suffix = name.rpartition("-")
    return base if separator and len(suffix) == LENGTH and suffix == _hash(item) else name


def _hash(item: Object) -> str:
    """Return the hash that Kustomize appends to the name of an object; empty if it appends none."""
    if item["kind"] not in HASHED_KINDS or item["apiVersion"] != "v1":
        return ""
    # The name is always empty: Kustomize looks for a field that is called metadata/name.
    content = {"kind": item["kind"], "name": "", "data": item.get("data", "")}
    other = HASHED_KINDS[item["kind"]]
    if isinstance(item.get(other), dict):
        content[other] = item[other]
    if item["kind"] == "Secret":
        content["type"] = item.get("type", "")
    return hashlib.sha256(_as_go_writes(content).encode()).hexdigest()[:LENGTH].translate(LETTERS)


def _as_go_writes(content: Any) -> str:
    # A value that is not text, such as a date, has another form in Go, so that its hash matches no name.
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    for character in ESCAPED:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
