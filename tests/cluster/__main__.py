"""Start a cluster to work with and a rendered repository in it (`make cluster`), or stop it (`make cluster-down`)."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import yaml

from tests.support.cluster import sandbox
from tests.support.cluster.stack import Stack
from tests.support.repository import ROOT, Repository, render, snapshot

FOLDER = ROOT / "build/cluster"
# Users push without a webhook.
POLL_SECONDS = 5


def up(example: Path) -> None:
    """Start a stack from an answers file, install it as documented, and leave it running."""
    if FOLDER.exists():
        sys.exit("A cluster is there already: see build/cluster, or end it with `make cluster-down`.")
    if reason := sandbox.missing():
        sys.exit(f"No clusters on this machine: {reason}")
    answers = yaml.safe_load(example.read_text())
    if not answers["repo_url"].startswith("https://"):
        sys.exit(f"{example}: here repo_url must be an https URL, not {answers['repo_url']}: no SSH server runs.")
    template = FOLDER / "template"
    template.mkdir(parents=True)
    rendered = render(snapshot(template), answers, FOLDER / "rendered")
    repository = Repository(example.stem, rendered, answers)
    print(f"Starting {', '.join(c['name'] for c in repository.clusters)} with {example} ...", flush=True)
    stack = Stack(FOLDER / "run", repository, poll_seconds=POLL_SECONDS, outlives_us=True)
    (FOLDER / "pid").write_text(str(stack.sandbox.pid))
    wrapper = FOLDER / "enter"
    environment = " ".join(f"{name}={shlex.quote(value)}" for name, value in stack.sandbox.environment.items())
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(stack.sandbox.enter())} env {environment} "$@"\n')
    wrapper.chmod(0o755)
    stack.install()
    stack.register_others()
    try:
        stack.settle()
    except sandbox.SandboxError:
        print(stack.argo.explain(), file=sys.stderr)
    print(json.dumps(stack.argo.states(), indent=2))
    print(
        "It goes on running. Look:      build/cluster/enter kubectl get applications --namespace argocd\n"
        "Change (Argo CD asks every few seconds): edit build/cluster/run/work, commit, git push origin HEAD:main\n"
        "Logs: build/cluster/run/log    End it: make cluster-down"
    )


def down() -> None:
    """Stop it, and delete everything that it created."""
    if not FOLDER.exists():
        sys.exit("No cluster is there.")
    pid = FOLDER / "pid"
    if pid.exists() and sandbox.is_first_process(int(pid.read_text())):
        os.kill(int(pid.read_text()), signal.SIGKILL)
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start a cluster").add_argument("example", type=Path, help="an answers file")
    commands.add_parser("down", help="end it")
    given = parser.parse_args()
    if given.command == "up":
        up(given.example)
    else:
        down()
