"""Act as a user at a terminal, who reads Copier's prompts and types."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect

ENTER, DOWN = "\r", "\x1b[B"
CLEAR = "\x15"

# The first words of each question on the screen.
REPO_URL = "Git URL of the repository"
BRANCH = "Branch that Argo CD follows"
DOMAIN = "DNS zone that your hosts live in"
DNS = r"Who serves [a-z.]+\?"
LOAD_BALANCER = "Which controller provisions your Network Load Balancers"
CERTIFICATE = "ARN of the ACM certificate"
VERSION = "Kubernetes minor version"
ADDONS = "Add-ons to install"
CLUSTERS = "Names of your EKS clusters"
ARGOCD_CLUSTER = r"Which cluster does Argo CD run in\?"
ENVIRONMENTS = "Environments, in the order"
REGION = "AWS region of your clusters"
ACCOUNT = "Id of the AWS account"
WORKLOADS = "Workloads to run"
CI = "Continuous integration"
QUESTIONS = [REPO_URL, BRANCH, DOMAIN, DNS, LOAD_BALANCER, VERSION, ADDONS, CLUSTERS, ENVIRONMENTS, ARGOCD_CLUSTER]
QUESTIONS += [CERTIFICATE, REGION, ACCOUNT, WORKLOADS, CI]
# Questions that appear only if other answers do not determine the value.
SOMETIMES = [ARGOCD_CLUSTER, REGION, ACCOUNT, WORKLOADS]


class Person:
    """A user who reads the screen and types."""

    def __init__(self, terminal: pexpect.spawn[str]) -> None:
        self.terminal = terminal
        self.last = ""

    def answers(self, question: str, *keys: str) -> None:
        """Wait for the next question, which must be this one. The last one is drawn again when it is answered."""
        while (asked := QUESTIONS[self.terminal.expect([*QUESTIONS])]) == self.last:
            pass
        assert asked == question
        self.last = question
        self.terminal.send("".join(keys))

    def is_told(self, message: str, *keys: str) -> None:
        """Wait for the first error of a prompt (later ones are drawn as differences) and type another answer."""
        self.terminal.expect(re.escape(message))
        self.terminal.send(CLEAR + "".join(keys))

    def is_done(self) -> int:
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert "Traceback" not in str(self.terminal.before)
        return int(self.terminal.exitstatus or 0)


def start_copier(
    arguments: list[str], folder: Path, environment: Mapping[str, str] = os.environ, columns: int = 240
) -> pexpect.spawn[str]:
    """Start the installed command in a terminal, by default wide enough for every message."""
    command = str(Path(sys.executable).with_name("copier"))
    settings = {**environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    size = (40, columns)
    return pexpect.spawn(
        command, arguments, cwd=str(folder), env=settings, dimensions=size, encoding="utf-8", timeout=60
    )
