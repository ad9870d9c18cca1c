"""Run the documented commands that create AWS roles, against a stand-in for the AWS CLI."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A line per call, its words separated by tabs.
AWS = """#!/bin/sh
(IFS='	'; echo "$*") >>"$CALLS"
"""


@dataclass
class Role:
    """A role as AWS knows it after the commands."""

    name: str
    trust: dict[str, Any]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    associations: list[dict[str, str]] = field(default_factory=list)


def roles_of(repository: Path, folder: Path) -> dict[str, Role]:
    """Type the documented commands for the roles of all clusters.

    Returns:
        The roles that exist then, by name.
    """
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    page = (repository / "docs/installation.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    commands = "".join(block for block in blocks if "aws iam create-role" in block)
    calls = folder / "calls"
    calls.write_text("")
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls)}
    subprocess.run(["bash", "-eu", "-c", commands], cwd=repository, env=environment, check=True, capture_output=True)

    def document(word: str) -> dict[str, Any]:
        """Return what the CLI reads for file://, relative to where it runs."""
        assert word.startswith("file://")
        return dict(json.loads((repository / word.removeprefix("file://")).read_text()))

    roles: dict[str, Role] = {}
    for line in calls.read_text().splitlines():
        service, command, *words = line.split("\t")
        given = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
        name = given["role-arn"].partition(":role/")[2] if "role-arn" in given else given["role-name"]
        match f"{service} {command}":
            case "iam create-role":
                roles[name] = Role(name, document(given["assume-role-policy-document"]))
            case "iam put-role-policy":
                roles[name].policies[given["policy-name"]] = document(given["policy-document"])
            case "eks create-pod-identity-association":
                roles[name].associations.append(given)
            case other:
                raise AssertionError(other)
    return roles


def policy_of(repository: Path, cluster: str, addon: str, folder: Path) -> dict[str, Any]:
    """Return the policy that the role of an add-on in a cluster gets by the documented commands."""
    roles = roles_of(repository, folder).values()
    (role,) = [r for r in roles if addon in r.policies and [a["cluster-name"] for a in r.associations] == [cluster]]
    return role.policies[addon]


def terraform_roles(repository: Path) -> dict[str, dict[str, str]]:
    """Return the roles that Terraform creates in all accounts, by cluster and add-on. Their files exist."""
    path = repository / "infrastructure/roles.tf"
    if not path.exists():
        return {}
    text = path.read_text()
    for folder in re.findall(r'file\("\$\{path\.module\}/(\w+)/\$\{each\.key\}\.json"\)', text):
        assert folder in ("policies", "trust")
    roles = {}
    for key, body in re.findall(r'^    "([^"]+)" = \{\n(.*?)^    \}$', text, re.MULTILINE | re.DOTALL):
        assert all((path.parent / folder / f"{key}.json").is_file() for folder in ("policies", "trust"))
        roles[key] = dict(re.findall(r'^      (\w+) += "([^"]*)"$', body, re.MULTILINE))
    return roles
