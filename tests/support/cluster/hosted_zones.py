"""Run external-dns of each cluster with its own arguments, against a Route 53 that enforces the policy of its role."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.support.cluster import route53
from tests.support.cluster.addons import container, kubeconfig_of
from tests.support.cluster.client import Request, ask, fetch
from tests.support.cluster.name_server import EXTERNAL_DNS
from tests.support.cluster.stack import Stack
from tests.support.repository import ROOT

PORT = 8890
URL = f"http://127.0.0.1:{PORT}"
ENVIRONMENT = {
    "AWS_ENDPOINT_URL": URL,
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
}


class HostedZones:
    """The hosted zones of an account."""

    def __init__(self, stack: Stack, zones: route53.Zones, policy: Any) -> None:
        """Start Route 53 with zones and the policy of the role."""
        self.stack = stack
        program = (sys.executable, "-m", route53.__name__)
        stack.sandbox.start(
            "route53", *program, str(PORT), json.dumps(zones), json.dumps(policy), environment={"PYTHONPATH": str(ROOT)}
        )
        stack.sandbox.wait_for("route53", lambda: fetch(stack.sandbox, f"{URL}/state") is not None)

    def close(self) -> None:
        """Stop it, and delete its records."""
        self.stack.sandbox.end("route53")

    def allow(self, policy: Any) -> None:
        """Replace the policy of the role."""
        ask(self.stack.sandbox, Request(f"{URL}/policy", method="POST", body=json.dumps(policy)))

    @property
    def _state(self) -> Any:
        (answer,) = ask(self.stack.sandbox, Request(f"{URL}/state"))
        return answer.json

    @property
    def records(self) -> dict[str, list[str]]:
        """Return the records of each zone that has some, as names and types, without the TXT records of owners."""
        zones = {name: _without_owners(records) for name, records in self._state["zones"].items()}
        return {name: records for name, records in zones.items() if records}

    @property
    def deleted(self) -> list[str]:
        """Return the records that were ever deleted, as names and types."""
        return _without_owners(self._state["deleted"])

    def sync(self, cluster: str, *more: str, owner: str = "") -> str:
        """Run external-dns of a cluster once, with the arguments of its Deployment, and return its log.

        Args:
            cluster: The name of the cluster.
            more: Additional arguments.
            owner: An owner id that replaces the one of the cluster.
        """
        kubernetes = self.stack.clusters[cluster]
        given = [
            f"--txt-owner-id={owner}" if owner and argument.startswith("--txt-owner-id=") else argument
            for argument in container(kubernetes, "external-dns")["args"]
        ]
        config = kubeconfig_of(kubernetes, "external-dns")
        command = [EXTERNAL_DNS, *given, *more, "--once", "--aws-api-retries=1", f"--kubeconfig={config}"]
        result = self.stack.sandbox.run(*command, environment=ENVIRONMENT)
        return result.stdout + result.stderr


def _without_owners(records: list[str]) -> list[str]:
    return [record for record in records if not record.endswith(" TXT")]
