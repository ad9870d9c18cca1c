"""Read CODEOWNERS as GitHub and GitLab do, to find out which files have an owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# A user, a group or team, a role of GitLab, or an address.
OWNER = re.compile(r"@@?[\w.-]+(/[\w.-]+)*|[^@\s]+@[\w-]+(\.[\w-]+)+")
# GitLab: [name], ^[optional], [name][approvals], each with default owners.
SECTION = re.compile(r"(?P<optional>\^?)\[(?P<name>[^\]]+)\](\[\d+\])?(?P<owners>(\s.*)?)")
# A pattern ends at a space that is not escaped.
PATTERN = re.compile(r"(?P<pattern>(\\.|[^\s\\])+)(?P<owners>.*)")
COMMENT = re.compile(r"(^|\s)#.*")
# Patterns with more wildcards match nothing, since each one multiplies the time of a match.
MOST_WILDCARDS = 5
NOTHING = "(?!)"
WILDCARDS = re.compile(r"(?P<folders>\*\*/)|(?P<all>\*\*)|(?P<name>\*)|(?P<character>\?)|\\(?P<escaped>.)|(?P<other>.)")


@dataclass(frozen=True)
class Rule:
    """A line: a pattern of files, and whether it names an owner."""

    pattern: re.Pattern[str]
    has_owner: bool
    is_exclusion: bool = False


@dataclass
class CodeOwners:
    """The rules of a file, by section. GitHub has one section only."""

    sections: dict[str, list[Rule]] = field(default_factory=dict)

    def has_owner(self, file: str) -> bool:
        """Whether a section names an owner of a file: its last rule that matches decides."""
        for rules in self.sections.values():
            matching = [rule for rule in rules if rule.pattern.fullmatch(file)]
            if matching and matching[-1].has_owner and not any(rule.is_exclusion for rule in matching):
                return True
        return False


def read_github(text: str) -> CodeOwners:
    """Read the rules for GitHub, which ignores a line with anything but owners after the pattern."""
    rules = []
    for line in _lines(text):
        match = PATTERN.fullmatch(line)
        owners = match["owners"].split() if match else []
        if match and all(map(OWNER.fullmatch, owners)) and not re.match(r"!|\\#", match["pattern"]):
            rules.append(Rule(_github_pattern(match["pattern"]), bool(owners)))
    return CodeOwners({"": rules})


def read_gitlab(text: str) -> CodeOwners:
    """Read the rules for GitLab, without optional sections. A line without owners has those of its section."""
    result = CodeOwners({"": []})
    name, has_default, is_optional = "", False, False
    for line in _lines(text):
        if section := SECTION.fullmatch(line):
            name, is_optional = section["name"].strip().casefold(), bool(section["optional"])
            has_default = _names_owner(section["owners"])
        elif (match := PATTERN.fullmatch(line)) and not is_optional:
            pattern, is_exclusion = match["pattern"].removeprefix("!"), line.startswith("!")
            has_owner = _names_owner(match["owners"]) or (has_default and not match["owners"].strip())
            result.sections.setdefault(name, []).append(Rule(_gitlab_pattern(pattern), has_owner, is_exclusion))
    return result


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if content := COMMENT.sub("", line).strip():
            yield content


def _names_owner(text: str) -> bool:
    return any(map(OWNER.fullmatch, text.split()))


def _github_pattern(pattern: str) -> re.Pattern[str]:
    """Translate a pattern of .gitignore: a folder matches everything in it, but `folder/*` only its files."""
    is_anchored = "/" in pattern.rstrip("/")
    files = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(/.*)?"
    return re.compile(("" if is_anchored else "(.*/)?") + _wildcards(pattern.strip("/")) + files)


def _gitlab_pattern(pattern: str) -> re.Pattern[str]:
    """Translate a pattern of GitLab: a slash at the start anchors it, and a slash at the end matches a folder."""
    files = "/.*" if pattern.endswith("/") else ""
    return re.compile(("" if pattern.startswith("/") else "(.*/)?") + _wildcards(pattern.strip("/")) + files)


def _wildcards(pattern: str) -> str:
    expressions = {"folders": "(.*/)?", "all": ".*", "name": "[^/]*", "character": "[^/]"}
    parts = list(WILDCARDS.finditer(pattern))
    if sum(part.lastgroup in ("folders", "all", "name") for part in parts) > MOST_WILDCARDS:
        return NOTHING
    return "".join(
        expressions.get(part.lastgroup or "") or re.escape(part["escaped"] or part["other"]) for part in parts
    )
