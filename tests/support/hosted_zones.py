"""Commands of the documentation that make external-dns' role, run against a stand-in for the AWS CLI."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

# Each line is what the CLI prints for a command with the queries that the scripts have.
AWS = """#!/bin/sh
case "$*" in
  *list-hosted-zones*) printf "$HOSTED_ZONES" ;;
  *put-role-policy*) while [ "$1" != --policy-document ]; do shift; done; printf %s "$2" > "$POLICY" ;;
  *get-role*) echo arn:aws:iam::123456789012:role/dns ;;
  *create-role* | *create-pod-identity-association*) ;;
  *) exit 1 ;;
esac
"""


def printed(zones: dict[str, str]) -> str:
    """Return what `aws route53 list-hosted-zones` prints of zones, by id, for printf."""
    return "".join(f"/hostedzone/{name}\\t{zone}.\\n" for name, zone in zones.items())


def policy_of_role(repository: Path, cluster: str, zones: dict[str, str], folder: Path) -> Any:
    """Type what the documentation says of the role of external-dns, in an account with public zones.

    Returns:
        The policy that the role gets.
    """
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    page = (repository / "docs/installation.md").read_text()
    (commands,) = [c for c in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if f"preflight.sh {cluster} --zones" in c]
    path, policy = f"{folder}:{os.environ['PATH']}", folder / "policy.json"
    environment = os.environ | {"PATH": path, "HOSTED_ZONES": printed(zones), "POLICY": str(policy)}
    subprocess.run(["bash", "-eu", "-c", commands], cwd=repository, env=environment, check=True, capture_output=True)
    return json.loads(policy.read_text())
