"""A person at a terminal, who reads Copier's prompts and types."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect

ENTER, DOWN = "\r", "\x1b[B"
FINISH = "\x1b\r"
CLEAR = "\x15"

# What a question begins with on the screen.
REPO_URL = "Git URL of the repository"
BRANCH = "Branch that Argo CD follows"
DOMAIN = "DNS zone that your hosts live in"
DNS = r"Who serves [a-z.]+\?"
LOAD_BALANCER = "Which controller provisions your Network Load Balancers"
CERTIFICATE = "ARN of the ACM certificate"
VERSION = "Kubernetes minor version"
ADDONS = "Add-ons to install"
CLUSTERS = "Your EKS clusters"
ARGOCD_CLUSTER = r"Which cluster does Argo CD run in\?"
ENVIRONMENTS = "Environments, in the order"
WORKLOADS = "What runs, as a YAML list"
CI = "Continuous integration"
QUESTIONS = [REPO_URL, BRANCH, DOMAIN, DNS, LOAD_BALANCER, CERTIFICATE, VERSION, ADDONS, CLUSTERS, ENVIRONMENTS]
QUESTIONS += [ARGOCD_CLUSTER, WORKLOADS, CI]


class Person:
    """Reads the screen and types."""

    def __init__(self, terminal: pexpect.spawn[str]) -> None:
        self.terminal = terminal
        self.last = ""

    def answers(self, question: str, *keys: str) -> None:
        """Waits for the next question, which must be this one; the last one is drawn once more when it is answered."""
        while (asked := QUESTIONS[self.terminal.expect([*QUESTIONS])]) == self.last:
            pass
        assert asked == question
        self.last = question
        self.terminal.send("".join(keys))

    def is_told(self, message: str, *keys: str) -> None:
        """Waits for a prompt's first refusal (of a second, only what differs is drawn) and types another answer."""
        self.terminal.expect(re.escape(message))
        self.terminal.send(CLEAR + "".join(keys))

    def is_done(self) -> int:
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert "Traceback" not in str(self.terminal.before)
        return int(self.terminal.exitstatus or 0)


def start_copier(arguments: list[str], folder: Path, environment: Mapping[str, str] = os.environ) -> pexpect.spawn[str]:
    """Start the installed command in a terminal that is wide enough for every message."""
    command = str(Path(sys.executable).with_name("copier"))
    settings = {**environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    size = (40, 240)
    return pexpect.spawn(
        command, arguments, cwd=str(folder), env=settings, dimensions=size, encoding="utf-8", timeout=300
    )
