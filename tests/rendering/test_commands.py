"""Every documented command names its cluster or its region."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pages import blocks, pages
from tests.support.repository import Repository

# They read files or their own version, and contact no cluster.
LOCAL_KUBECTL = {"kustomize", "version"}
# One endpoint for all regions.
GLOBAL_AWS = {"iam", "route53", "sts"}
# Only mentions a command in a sentence, such as `kubectl describe pod`: no option, no placeholder.
MENTION = re.compile(r"(kubectl|aws)( [a-z-]+){1,2}")
KUBECTL = re.compile(r"(?<![\w./-])kubectl (?P<first>\S+)(?: (?P<second>\S+))?")
AWS = re.compile(r"(?<![\w./-])aws (?P<service>[a-z0-9-]+) [^|;)]*")


def commands(page: Path) -> list[str]:
    """Return the commands of a page: the lines of its shell blocks, and the code in its sentences."""
    text = page.read_text()
    shell = [line for block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return shell + [code for code in re.findall(r"`([^`\n]+)`", prose) if not MENTION.fullmatch(code)]


def problems(command: str, clusters: set[str]) -> list[str]:
    """Return what a command lacks: an existing cluster for kubectl, a region for AWS."""
    found = []
    for match in KUBECTL.finditer(command):
        context = (match["second"] or "").strip("'\"")
        if match["first"] == "--context":
            if context not in clusters and not context.startswith(("$", "<")):
                found.append(f"{context} is no cluster")
        elif match["first"] not in LOCAL_KUBECTL:
            found.append("no --context")
    for match in AWS.finditer(command):
        if match["service"] not in GLOBAL_AWS and "--region " not in match[0]:
            found.append("no --region")
    return found


def test_every_command_names_its_cluster_or_its_region(repository: Repository) -> None:
    clusters = {cluster["name"] for cluster in repository.clusters}
    wrong = [
        f"{page.relative_to(repository.path)}: {said}: {command}"
        for page in pages(repository.path)
        for command in commands(page)
        for said in problems(command, clusters)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("kubectl get pods --namespace a", ["no --context"]),
        ("kubectl --namespace a get pods", ["no --context"]),
        ("x | xargs kubectl delete pod", ["no --context"]),
        ("kubectl --context stage get pods", ["stage is no cluster"]),
        ('kubectl --context "$cluster" get pods && kubectl --context prod get pods', []),
        ("kubectl kustomize apps/workloads/a", []),
        ('role=$(aws eks describe-cluster --name prod) && echo "--region eu"', ["no --region"]),
        ("aws acm list-certificates --region eu-west-1 | wc -l", []),
        ("aws iam get-role --role-name a", []),
    ],
)
def test_a_command_that_could_reach_another_cluster_is_found(command: str, said: list[str]) -> None:
    assert problems(command, {"prod"}) == said
