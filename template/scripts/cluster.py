#!/bin/sh
# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml==6.0.3"]
# ///
""":"
. "${0%/*}/uv.sh"
":"""

from __future__ import annotations

__doc__ = """Run the commands that people need most often in the clusters, with kubectl, each in the right context.

    scripts/cluster.py bootstrap [CLUSTER]                           install Argo CD and the root application
    scripts/cluster.py ui                                            open Argo CD's UI on this machine
    scripts/cluster.py logs WORKLOAD ENVIRONMENT [COMPONENT]         follow the logs of a workload

kubectl needs a context that has the name of the cluster: docs/installation.md.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from gitops import kubectl, podlogs, terminal
from gitops.text import printable
from gitops.tools import GitOpsError
from gitops.tree import Tree

REPOSITORY = Path(__file__).resolve().parent.parent


def argocd_cluster(tree: Tree) -> str:
    """Return the cluster that Argo CD runs in."""
    if not tree.argocd_cluster:
        raise GitOpsError("bootstrap/argocd/kustomization.yaml does not name the cluster that Argo CD runs in")
    return tree.argocd_cluster


def bootstrap(tree: Tree, cluster: str, is_confirmed: bool) -> int:
    """Run the documented commands, and return the exit status."""
    expected = argocd_cluster(tree)
    if cluster not in ("", expected):
        raise GitOpsError(
            f"Argo CD runs in {expected}, not in {printable(cluster)}: mise run bootstrap {expected}. "
            "Then register the other clusters: docs/operations.md#register-a-cluster"
        )
    endpoint = kubectl.check_endpoint(tree, expected)
    commands = kubectl.bootstrap_commands(expected)
    print(f"Cluster {expected} at {endpoint}. These commands install Argo CD and the root application:\n")
    print("\n".join(f"  {shlex.join(command)}" for command in commands) + "\n", flush=True)
    if not is_confirmed:
        if not sys.stdin.isatty():
            raise GitOpsError("Nothing was run: there is no terminal to confirm it. Repeat with --yes")
        if input(f"Run them in {expected}? [y/N] ").strip().lower() not in ("y", "yes"):
            raise GitOpsError("Nothing was run.")
    for command in commands:
        print(f"$ {shlex.join(command)}", flush=True)
        if status := subprocess.run(command, cwd=REPOSITORY, check=False).returncode:
            print("It failed. Fix the cause, then repeat: every command can run again.", file=sys.stderr)
            return status
    print(f"\nArgo CD deploys {tree.repository}. Watch it:")
    print(f"  kubectl --context {expected} get applications --namespace argocd --watch")
    return 0


def ui(tree: Tree, port: int) -> int:
    """Forward a port to Argo CD's UI until Ctrl-C, and return the exit status."""
    cluster = argocd_cluster(tree)
    kubectl.check_context(tree, cluster)
    password = kubectl.admin_password(cluster)
    print(f"https://localhost:{port} (the browser warns about its certificate), user admin")
    print(f"password {printable(password)}" if password else "password: the one that you set")
    print("Ctrl-C ends it.", flush=True)
    command = ["kubectl", "--context", cluster, "port-forward", "--namespace", "argocd", "service/argocd-server"]
    return kubectl.interact([*command, f"{port}:443"])


def logs(tree: Tree, arguments: argparse.Namespace) -> int:
    """Print logs until Ctrl-C, and return the exit status."""
    workload, environment = arguments.workload, arguments.environment
    podlogs.check_place(REPOSITORY, workload, environment)
    selector = podlogs.selector(REPOSITORY, workload, environment, arguments.component)
    cluster = kubectl.cluster_of(tree, environment)
    kubectl.check_context(tree, cluster)
    command = ["kubectl", "--context", cluster, "logs", "--namespace", f"{workload}-{environment}"]
    command += ["--selector", selector, "--all-containers", "--prefix", "--max-log-requests=50"]
    command += [f"--since={arguments.since}", "--tail=-1"] if arguments.since else ["--tail=100"]
    return kubectl.interact([*command, "--previous" if arguments.previous else "--follow"])


def main() -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="cluster.py"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("bootstrap", help="install Argo CD and the root application")
    command.add_argument("cluster", nargs="?", default="", help="the cluster of Argo CD")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command = commands.add_parser("ui", help="open Argo CD's UI on this machine")
    command.add_argument("--port", type=int, default=8080, help="a free port of this machine; default: 8080")
    command = commands.add_parser("logs", help="follow the logs of a workload")
    command.add_argument("workload", help="a folder of apps/workloads")
    command.add_argument("environment", help="a folder of its overlays")
    command.add_argument("component", nargs="?", default="", help="default: all that it runs")
    command.add_argument("--previous", action="store_true", help="of the containers that ended before these, once")
    command.add_argument("--since", help="everything since then, such as 1h; default: the last 100 lines")
    arguments = parser.parse_args()
    tree = Tree(REPOSITORY, "working tree")
    try:
        if arguments.command == "bootstrap":
            return bootstrap(tree, arguments.cluster, arguments.yes)
        return ui(tree, arguments.port) if arguments.command == "ui" else logs(tree, arguments)
    except GitOpsError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(terminal.run(main))
