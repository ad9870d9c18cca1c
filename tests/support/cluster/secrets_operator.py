"""Run the External Secrets Operator of a cluster, with its own arguments and rights, and an emulated AWS account."""

from __future__ import annotations

import copy
import json
import re
import secrets as randomness
import sys
from typing import Any

from tests.support.cluster import secrets_manager
from tests.support.cluster.addons import container, kubeconfig_of
from tests.support.cluster.client import fetch
from tests.support.cluster.stack import BINARIES, Stack
from tests.support.repository import ROOT, examples

ADDON, ACCOUNT = "external-secrets", "secrets-manager"
PORT = 8891
URL = f"http://127.0.0.1:{PORT}"
# An annotation that the operator follows before the refreshInterval ends.
FORCE = "force-sync"


def answers() -> dict[str, Any]:
    """Return the answers of the example with every add-on, without a certificate yet.

    It has one additional workload, with a job before each release.
    """
    given = examples()["addons"]
    (notes,) = given["workloads"]
    notes |= {"image_pull_secrets": ["registry"]}
    ledger = {"name": "ledger", "image": "ghcr.io/acme/ledger:1.0.0", "environments": ["dev"]}
    ledger |= {"env_from_secrets": ["database"], "before_release": ["bin/migrate"]}
    given |= {"repo_url": "https://git.acme.io/platform/addons-gitops.git", "workloads": [notes, ledger]}
    _, _, _, region, account, _ = given.pop("acm_certificate_arn").split(":")
    return given | {"aws_region": region, "aws_account": account}


class Upstream:
    """AWS Secrets Manager, and the role of the operator.

    Attributes:
        secrets: The values of the secrets, by name; `save` publishes changes.
        policy: The policy of the role; None if the service account has no role.
    """

    def __init__(self, stack: Stack, secrets: dict[str, dict[str, str]], policy: Any) -> None:
        """Start it."""
        self.secrets, self.policy = copy.deepcopy(secrets), policy
        self._original = (secrets, policy)
        self._sandbox, self._file = stack.sandbox, stack.folder / f"{ACCOUNT}.json"
        self.save()
        self.start()

    def save(self) -> None:
        """Publish the current attributes."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"policy": self.policy, "secrets": self.secrets}))
        new.rename(self._file)

    def restore(self) -> None:
        """Restore and publish the initial attributes."""
        secrets, self.policy = self._original
        self.secrets = copy.deepcopy(secrets)
        self.save()

    def start(self) -> None:
        """Start serving."""
        program = (sys.executable, "-m", secrets_manager.__name__, str(PORT), self._file)
        self._sandbox.start(ACCOUNT, *program, environment={"PYTHONPATH": str(ROOT)})
        self._sandbox.wait_for(ACCOUNT, lambda: fetch(self._sandbox, URL) is not None)

    def close(self) -> None:
        """Stop it."""
        self._sandbox.end(ACCOUNT)


class Operator:
    """The operator of one cluster, which listens at the address of its pod."""

    def __init__(self, stack: Stack, cluster: str) -> None:
        """Prepare it; `start` starts it."""
        self.stack, self.cluster = stack, stack.clusters[cluster]
        self.name = f"{ADDON}-{cluster}"
        self._token = stack.folder / f"{self.name}.token"
        self._token.write_text("a-token")

    def start(self) -> None:
        """Start it with the arguments of its Deployment, and return when it is ready."""
        sandbox, given = self.stack.sandbox, container(self.cluster, ADDON)
        pods = self.cluster.list("pods", ADDON)
        address = next(pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP"))
        # Argo CD's controllers use the same ports, at every address of the sandbox.
        arguments = [re.sub(r"(-addr=):", rf"\g<1>{address}:1", argument) for argument in given["args"]]
        environment = {entry["name"]: entry["value"] for entry in given.get("env", [])}
        # The variables that EKS Pod Identity adds to the pod, and the endpoint of AWS.
        environment |= {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{URL}{secrets_manager.CREDENTIALS}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self._token),
            "AWS_SECRETSMANAGER_ENDPOINT": URL,
            "KUBECONFIG": str(kubeconfig_of(self.cluster, ADDON)),
            "HTTPS_PROXY": "",
        }
        sandbox.start(self.name, BINARIES / ADDON / ADDON, *arguments, environment=environment)
        (port,) = [port["containerPort"] for port in given["ports"] if port["name"] == "live"]
        path = given["livenessProbe"]["httpGet"]["path"]
        sandbox.wait_for(self.name, lambda: fetch(sandbox, f"http://{address}:1{port}{path}") is not None)

    def close(self) -> None:
        """Stop it."""
        self.stack.sandbox.end(self.name)

    def refresh(self, namespace: str) -> None:
        """Make it read the secrets of a namespace and their stores now, with the documented command."""
        patch = {"metadata": {"annotations": {FORCE: randomness.token_hex(4)}}}
        for store in self.cluster.list("clustersecretstores"):
            self.cluster.api.patch("clustersecretstore", store["metadata"]["name"], patch)
        for item in self.cluster.list("externalsecrets", namespace):
            self.cluster.api.patch("externalsecret", item["metadata"]["name"], patch, namespace)

    def says(self, name: str, namespace: str) -> str:
        """Return the reason and the message of an ExternalSecret's condition Ready, and its events."""
        item = self.cluster.get("externalsecret", name, namespace) or {}
        conditions = item.get("status", {}).get("conditions", [])
        texts = [f"{c.get('reason')}: {c.get('message')}" for c in conditions if c["type"] == "Ready"]
        for event in self.cluster.list("events", namespace):
            if event["involvedObject"]["kind"] == "ExternalSecret" and event["involvedObject"]["name"] == name:
                texts.append(event["message"])
        return "\n".join(texts)
