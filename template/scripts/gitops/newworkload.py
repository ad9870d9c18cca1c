"""Ask what a new workload needs, and check each reply."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops import names
from gitops.text import printable
from gitops.tools import GitOpsError

SCHEMA = ".copier-answers.schema.json"
NONE = "none"
Shape = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A field of the workload.

    Attributes:
        field: The name of the field, and of the option that gives it.
        prompt: The text of the prompt.
        shape: Where the schema defines it.
        default: What an empty reply means; None if there must be one.
        needs_port: Whether it concerns only workloads that listen on a port.
    """

    field: str
    prompt: str
    shape: str
    default: str | None = None
    needs_port: bool = False


QUESTIONS = (
    Question("name", "Name", "workload_name"),
    Question("image", "Image with its tag or digest", "image"),
    Question("port", "Port that the container listens on, or none", "port", NONE),
    Question("host", "Host below the domain of each environment, @ for the domain, or none", "label", "", True),
    Question("health", "HTTP path that returns 200 when it is healthy, or none", "health_path", NONE, True),
)


class NewWorkload:
    """Checks the replies against the schema of the answers, and collects them."""

    def __init__(self, repository: Path, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        try:
            content = json.loads((repository / SCHEMA).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise GitOpsError(f"{SCHEMA} cannot be read ({error}): restore it from Git") from None
        self.definitions: Shape = content["definitions"]

    def value(self, question: Question, reply: str) -> Any:
        """Return the value of a reply.

        Raises:
            GitOpsError: if the reply is not valid. The message names the field, the reply and the fix.
        """
        reply = reply.strip()
        if question.default is not None and reply in ("", NONE):
            # Without the field, a workload has a host.
            return False if question.field == "host" and reply else None
        value = int(reply) if question.field == "port" and re.fullmatch("[0-9]{1,9}", reply) else reply
        problem = self._reserved(reply) if question.field == "name" else ""
        problem = problem or self._misfit(question.shape, value)
        if problem:
            raise GitOpsError(f"{question.field}: {problem}")
        if question.field == "image":
            self._check_version(reply)
        return value

    def _check_version(self, image: str) -> None:
        name, tag, digest = re.findall(r"^(.*?)(?::([^/@]+))?(@.*)?$", image)[0]
        if not tag and not digest:
            raise GitOpsError(f"image: {image} has no tag: write a whole version, such as {image}:1.4.2")
        if not digest and re.search(self.definitions["image"]["x-moving-tag"], tag):
            raise GitOpsError(f"image: the tag {tag} moves: write a whole version, such as {name}:1.4.2")

    def _reserved(self, name: str) -> str:
        workloads = self.answers.get("workloads") or []
        if any(isinstance(entry, dict) and entry.get("name") == name for entry in workloads):
            return f"{name} exists: choose another name, or change it with mise run answers"
        environments = [
            str(entry["name"] if isinstance(entry, dict) else entry) for entry in self.answers["environments"]
        ]
        shown = printable(name) or "an empty reply"
        problems = (names.problem(shown, environment, ()) for environment in environments)
        return next(filter(None, problems), "")

    def fits(self, shape_name: str, value: Any) -> bool:
        """Whether a value is valid by a definition of the schema."""
        return _fits(self.definitions[shape_name], value, self.definitions)

    def _misfit(self, shape_name: str, value: Any) -> str:
        shape = self.definitions[shape_name]
        if self.fits(shape_name, value):
            return ""
        limits = {key: limit for key, limit in shape.items() if isinstance(limit, int)}
        rule = str(shape.get("x-rule", "is not valid: see docs/answers.md"))
        if fix := str(shape.get("x-fix", "")).partition("\t")[0]:
            rule += f"; {fix}"
        for key, limit in limits.items():
            rule = rule.replace(f"{{{key}}}", str(limit))
        return f"{printable(str(value)) or 'an empty reply'} {rule}"

    def collect(self, reply_to: Callable[[Question, str | None], Any]) -> dict[str, Any]:
        """Ask every question that applies, and return the workload as an answer.

        Args:
            reply_to: Returns the checked value of a question, given its default.
        """
        workload: dict[str, Any] = {}
        for question in QUESTIONS:
            if question.needs_port and "port" not in workload:
                continue
            # By default, a host is called like its workload.
            value = reply_to(question, workload["name"] if question.field == "host" else question.default)
            if value is not None and not (question.field == "host" and value == workload["name"]):
                workload[question.field] = value
        return workload


def _fits(shape: Shape, value: Any, definitions: Shape) -> bool:
    """Whether a value that is not a list or a map fits its shape, by the keywords that such shapes use."""
    reference = shape.get("$ref")
    if reference and not _fits(definitions[reference.rpartition("/")[2]], value, definitions):
        return False
    kinds: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    listed = shape.get("type", list(kinds))
    if not any(type(value) is kinds[kind] for kind in ([listed] if isinstance(listed, str) else listed)):
        return False
    if isinstance(value, str) and (
        len(value) > shape.get("maxLength", len(value)) or not re.search(shape.get("pattern", ""), value)
    ):
        return False
    if isinstance(value, int) and not shape.get("minimum", value) <= value <= shape.get("maximum", value):
        return False
    if value not in shape.get("enum", [value]) or ("not" in shape and _fits(shape["not"], value, definitions)):
        return False
    if not all(_fits(part, value, definitions) for part in shape.get("allOf", [])):
        return False
    return "anyOf" not in shape or any(_fits(part, value, definitions) for part in shape["anyOf"])
