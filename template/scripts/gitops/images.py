"""Read and change the images of a kustomization. Comments and the order of keys stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gitops.goyaml import describe
from gitops.tools import GitOpsError

# The fields of an entry of `images` that identify the image.
FIELDS = ("newName", "newTag", "digest")
# How lists are indented: below their key, or at its level.
INDENTATIONS = ({"sequence": 4, "offset": 2}, {"sequence": 2, "offset": 0})


@dataclass(frozen=True)
class Image:
    """An entry of `images`.

    Attributes:
        fields: Its fields as texts.
        node: The entry as ruamel.yaml reads it, with its comments.
    """

    fields: dict[str, str]
    node: Any

    @property
    def reference(self) -> str:
        """The image, as a container has it."""
        tag = f":{self.fields['newTag']}" if "newTag" in self.fields else ""
        digest = f"@{self.fields['digest']}" if "digest" in self.fields else ""
        return f"{self.fields.get('newName', self.fields['name'])}{tag}{digest}"

    @property
    def is_mutable(self) -> bool:
        """Whether it can be another image tomorrow."""
        return "digest" not in self.fields and self.fields.get("newTag", "latest") == "latest"


@dataclass(frozen=True)
class Kustomization:
    """A kustomization that has images.

    Attributes:
        text: Its text.
        document: The text as ruamel.yaml reads it.
        images: Its entries of `images` by name.
    """

    text: str
    document: Any
    images: dict[str, Image]


def read_images(text: str, name: str) -> Kustomization:
    """Read the images of a kustomization.

    Args:
        text: Its text.
        name: The name of the file in messages.

    Raises:
        GitOpsError: if it is not YAML, or has no images with names.
    """
    try:
        document, texts = _parser().load(text), yaml.load(text, yaml.BaseLoader)
    except (YAMLError, yaml.YAMLError) as error:
        raise GitOpsError(f"{name} is not valid YAML: {describe(error)}") from None
    nodes = document.get("images") if isinstance(document, dict) else None
    if not isinstance(nodes, list) or not nodes:
        raise GitOpsError(f"{name} has no images: there is nothing to promote")
    for node in nodes:
        if not isinstance(node, dict) or "name" not in node:
            raise GitOpsError(f"{name}:{getattr(node, 'lc', nodes.lc).line + 1}: the image has no name")  # type: ignore[attr-defined]
    images = [Image(fields, node) for fields, node in zip(texts["images"], nodes, strict=True)]
    return Kustomization(text, document, {image.fields["name"]: image for image in images})


def with_images(target: Kustomization, source: Kustomization, names: list[str]) -> str:
    """Return the text of a kustomization with some images of another one. This changes the kustomization."""
    changed = [name for name in names if target.images[name].reference != source.images[name].reference]
    for name in changed:
        _set_fields(target.images[name].node, source.images[name].node)
    return _dump(target) if changed else target.text


def _set_fields(node: Any, new: Any) -> None:
    """Copy the fields of another entry. New fields follow existing ones."""
    ending = _take_ending(node)
    for field in FIELDS:
        if field in node and field not in new:
            del node[field]
    for field in (field for field in new if field in FIELDS):
        if field in node:
            node[field] = new[field]
        else:
            node.insert(len([key for key in node if key == "name" or key in FIELDS]), field, new[field])
    if ending:
        node.ca.items[list(node)[-1]] = ending


def _take_ending(node: Any) -> Any:
    """Return the lines after an entry, such as empty ones, which ruamel.yaml attaches to its last key."""
    last = list(node)[-1]
    tokens = node.ca.items.get(last)
    is_on_own_lines = tokens and tokens[2] and tokens[2].value.startswith("\n")
    return node.ca.items.pop(last) if is_on_own_lines else None


def _parser() -> YAML:
    parser = YAML()
    parser.preserve_quotes = True
    parser.width = 4096
    return parser


def _dump(kustomization: Kustomization) -> str:
    """Return the text of a document, with lists indented as they were."""
    for indentation in INDENTATIONS:
        parser = _parser()
        parser.indent(mapping=2, **indentation)
        if _text(parser, parser.load(kustomization.text)) == kustomization.text:
            break
    return _text(parser, kustomization.document)


def _text(parser: YAML, document: Any) -> str:
    output = StringIO()
    parser.dump(document, output)
    return output.getvalue()
