"""Create stand-ins for kubectl and the AWS CLI: they know one or more clusters, and record their calls."""

from __future__ import annotations

import os
from pathlib import Path

# The contexts, and the server of each of them, are files.
KUBECTL = """#!/usr/bin/env bash
printf '%s\\n' "kubectl $*" >> "$STAND_INS/calls"
case "$*" in
  "config get-contexts"*) ls "$STAND_INS/contexts" ;;
  "config view --context"*) cat "$STAND_INS/contexts/$4" ;;
  *"get secret argocd-initial-admin-secret"*) cat "$STAND_INS/password" 2>/dev/null || true ;;
  *port-forward*)
    echo "Forwarding from 127.0.0.1:8080 -> 8080"
    exec sleep "$(cat "$STAND_INS/seconds" 2>/dev/null || echo 0)"
    ;;
  *) exit "$(cat "$STAND_INS/status" 2>/dev/null || echo 0)" ;;
esac
"""
AWS = """#!/usr/bin/env bash
printf '%s\\n' "aws $*" >> "$STAND_INS/calls"
if [ -e "$STAND_INS/expired" ]; then
  printf '%s\\n' "" "The SSO session associated with this profile has expired." >&2
  exit 255
fi
echo "https://$4.eks.test"
"""


class StandIns:
    """A folder with both programs and their data."""

    def __init__(self, folder: Path, *clusters: str) -> None:
        self.folder = folder
        for name, text in (("bin/kubectl", KUBECTL), ("bin/aws", AWS)):
            self.write(name, text)
            (folder / name).chmod(0o755)
        for cluster in clusters:
            self.write(f"contexts/{cluster}", f"https://{cluster}.eks.test")

    def write(self, name: str, text: str) -> None:
        """Write a file that a stand-in reads."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that put both programs on the path."""
        return {"STAND_INS": str(self.folder), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def calls(self, program: str = "kubectl") -> list[str]:
        """Return the calls of a program, without its name."""
        lines = (self.folder / "calls").read_text().splitlines() if (self.folder / "calls").exists() else []
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]
