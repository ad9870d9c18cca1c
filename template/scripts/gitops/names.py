"""Check the names of workloads, whether their folders are rendered or written by hand."""

from __future__ import annotations

import re
from collections.abc import Collection

from gitops.entries import DEVICE

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# Longer names leave too little for the name of the environment.
WORKLOAD_LENGTH = 40
# The namespace has the application's name: at most the length of a DNS label.
APPLICATION_LENGTH = 63
# YAML does not read these as text.
WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
# Each namespace has a service account `default`, and namespaces that begin with kube- belong to Kubernetes.
OTHERS = ("default", "kube")
PREFIX = "kube-"
# The namespaces of Kubernetes, of Argo CD, and of common add-ons of EKS.
NAMESPACES = (
    *("argocd", "kube-system", "kube-public", "kube-node-lease", "default", "amazon-cloudwatch"),
    *("amazon-guardduty", "aws-observability", "cert-manager", "external-secrets"),
)


def is_of_kubernetes(namespace: str) -> bool:
    """Return whether Kubernetes owns a namespace or reserves its name."""
    return namespace in OTHERS or namespace.startswith(PREFIX)


def problem(workload: str, environment: str, namespaces: Collection[str]) -> str:
    """Return why a workload may not have its name in an environment, or an empty text.

    Args:
        workload: The name of the workload's folder.
        environment: The name of an environment, or of a folder for one.
        namespaces: The namespaces of the platform's add-ons.
    """
    name = f"{workload}-{environment}"
    if not NAME.fullmatch(workload) or len(workload) > WORKLOAD_LENGTH:
        return (
            f"{workload} is not a workload name: use at most {WORKLOAD_LENGTH} lowercase letters, digits and hyphens, "
            "and start with a letter"
        )
    if workload in WORDS or is_of_kubernetes(workload) or DEVICE.fullmatch(workload):
        return f"{workload} is reserved: rename the workload"
    if len(name) > APPLICATION_LENGTH:
        return (
            f"{name} has {len(name)} characters, and a namespace at most {APPLICATION_LENGTH}: shorten one of the two "
            "names"
        )
    if name in NAMESPACES or name in namespaces:
        return f"the namespace {name} belongs to the platform: rename the workload"
    return ""
