"""Run kubectl in a context of a cluster."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

from gitops.objects import mapping, mappings
from gitops.text import printable
from gitops.tools import GitOpsError
from gitops.tree import Tree

DOCUMENTED = "docs/installation.md#1-prerequisites"


def capture(*command: str) -> str:
    """Return what a program prints. It has the environment of the person who runs it.

    Raises:
        GitOpsError: with the last line of its errors, if it fails or is not installed.
    """
    if not shutil.which(command[0]):
        raise GitOpsError(f"{command[0]} is not installed: {DOCUMENTED}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise GitOpsError(f"{' '.join(command[:4])}: {printable(lines[-1])}")
    return result.stdout.strip()


def interact(command: list[str]) -> int:
    """Run a command that people watch until it ends or they press Ctrl-C. Return its exit status."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal interrupts both.
            process.wait()
            return 0


def check_context(tree: Tree, cluster: str) -> None:
    """Fail without a context that has the name of the cluster.

    Raises:
        GitOpsError: with the command that creates it.
    """
    if cluster not in capture("kubectl", "config", "get-contexts", "--output", "name").splitlines():
        raise GitOpsError(
            f"kubectl has no context {cluster}. Create it: "
            f"aws eks update-kubeconfig --name {cluster} --region {region(tree, cluster)} --alias {cluster}"
        )


def check_endpoint(tree: Tree, cluster: str) -> str:
    """Return the endpoint of a cluster, after checking that its context points there.

    Raises:
        GitOpsError: if the context points elsewhere, or AWS cannot be queried.
    """
    check_context(tree, cluster)
    kubeconfig = ["kubectl", "config", "view", "--context", cluster, "--minify", "--output"]
    server = capture(*kubeconfig, "jsonpath={.clusters[0].cluster.server}")
    describe = ["aws", "eks", "describe-cluster", "--name", cluster, "--region", region(tree, cluster)]
    endpoint = capture(*describe, "--query", "cluster.endpoint", "--output", "text")
    if server != endpoint:
        raise GitOpsError(
            f"kubectl's context {cluster} points to {printable(server)}, but the cluster is at {printable(endpoint)}. "
            f"Replace it: aws eks update-kubeconfig --name {cluster} --region {region(tree, cluster)} --alias {cluster}"
        )
    return endpoint


def region(tree: Tree, cluster: str) -> str:
    """Return the AWS region of a cluster by the answers; a placeholder if they do not have it."""
    for answers in (tree.answers_of(cluster), tree.answers):
        certificate = str(answers.get("acm_certificate_arn") or "").split(":")
        if found := answers.get("aws_region") or (certificate[3] if len(certificate) > 3 else ""):
            return str(found)
    return "<region>"


def bootstrap_commands(cluster: str) -> list[list[str]]:
    """Return the commands of docs/installation.md, 4. Bootstrap."""
    kubectl = ["kubectl", "--context", cluster]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller"]
    definitions = [f"crd/{name}.argoproj.io" for name in ("applications", "applicationsets", "appprojects")]
    return [
        [*apply, "--kustomize", "bootstrap/argocd"],
        [*kubectl, "wait", "--for=condition=Established", "--timeout=60s", *definitions],
        [*apply, "--filename", "argo/projects/bootstrap.yaml", "--filename", "argo/root-application.yaml"],
    ]


def admin_password(cluster: str) -> str:
    """Return the initial password of Argo CD's admin; empty if its Secret is deleted."""
    command = ["kubectl", "--context", cluster, "get", "secret", "argocd-initial-admin-secret"]
    options = ["--namespace", "argocd", "--ignore-not-found", "--output", "jsonpath={.data.password}"]
    return base64.b64decode(capture(*command, *options)).decode()


def cluster_of(tree: Tree, environment: str) -> str:
    """Return the cluster that an environment's project deploys to.

    Raises:
        GitOpsError: if no project says so.
    """
    for item in tree.root_objects:
        if item["kind"] == "AppProject" and mapping(item.get("metadata")).get("name") == environment:
            for destination in mappings(mapping(item.get("spec")).get("destinations")):
                if destination.get("namespace") == f"*-{environment}" and isinstance(destination.get("name"), str):
                    return str(destination["name"])
    raise GitOpsError(f"argo/projects/{environment}.yaml names no cluster for the namespaces *-{environment}")


def overlays(repository: Path) -> dict[str, list[str]]:
    """Return the environments of each workload in the working tree."""
    places: dict[str, list[str]] = {}
    for folder in sorted((repository / "apps/workloads").glob("*/overlays/*/")):
        places.setdefault(folder.parts[-3], []).append(folder.name)
    return places
