"""Run external-dns of each cluster, with its own arguments and rights, and a name server instead of a provider."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.cluster.addons import container, kubeconfig_of
from tests.support.cluster.client import Request, ask, fetch
from tests.support.cluster.stack import BINARIES, Stack

Records = dict[tuple[str, str], list[str]]
EXTERNAL_DNS = BINARIES / "external-dns/external-dns"
PREVIOUS = BINARIES / "external-dns-previous/external-dns"
SERVER = "http://127.0.0.1:8888"
# The hosted zones of the account: both domains of the answers.
ZONES = ("acme.com", "acme.io")
# The arguments about the provider, which is replaced.
PROVIDER = re.compile(r"--(provider=|aws-|cloudflare-)")


class NameServer:
    """An in-memory name server: one external-dns serves it to the others."""

    def __init__(self, stack: Stack) -> None:
        """Start it, without records."""
        self.stack = stack
        self.sandbox = stack.sandbox
        self._kubeconfigs: dict[str, Path] = {}
        zones = [f"--inmemory-zone={zone}" for zone in ZONES]
        options = ["--webhook-server", "--provider=inmemory", "--source=fake", "--policy=sync"]
        self.sandbox.start("name-server", EXTERNAL_DNS, *options, *zones, "--metrics-address=127.0.0.1:7980")
        self.sandbox.wait_for("name-server", lambda: fetch(self.sandbox, f"{SERVER}/records") is not None)

    def close(self) -> None:
        """Stop it, and delete its records."""
        self.sandbox.end("name-server")

    @property
    def records(self) -> Records:
        """Return the targets of all records, by name and type."""
        return {(r["dnsName"], r["recordType"]): r["targets"] for r in self._endpoints()}

    def add(self, name: str, kind: str, *targets: str) -> None:
        """Add a record by hand."""
        self._change({"create": [{"dnsName": name, "recordType": kind, "targets": targets}]})

    def sync(self, cluster: str, binary: Path = EXTERNAL_DNS, without: str = "") -> str:
        """Run external-dns of a cluster once, with the arguments of its Deployment, and return its log.

        Args:
            cluster: The name of the cluster.
            binary: The version to run.
            without: An argument to omit.
        """
        kubernetes = self.stack.clusters[cluster]
        if cluster not in self._kubeconfigs:
            self._kubeconfigs[cluster] = kubeconfig_of(kubernetes, "external-dns")
        given = container(kubernetes, "external-dns")["args"]
        assert not without or without in given
        kept = [argument for argument in given if not PROVIDER.match(argument) and argument != without]
        ours = ["--provider=webhook", f"--webhook-provider-url={SERVER}", "--once"]
        result = self.sandbox.run(binary, *kept, *ours, f"--kubeconfig={self._kubeconfigs[cluster]}")
        assert not result.returncode, result.stdout + result.stderr
        self._forget_labels()
        return result.stdout + result.stderr

    def _endpoints(self) -> list[dict[str, Any]]:
        (answer,) = ask(self.sandbox, Request(f"{SERVER}/records"))
        return list(answer.json)

    def _forget_labels(self) -> None:
        """Keep only what a real zone stores: in memory, labels would reveal the owner without a TXT record."""
        endpoints = self._endpoints()
        plain = [{k: v for k, v in endpoint.items() if k != "labels"} for endpoint in endpoints]
        self._change({"updateOld": endpoints, "updateNew": plain})
        assert not any(endpoint.get("labels") for endpoint in self._endpoints())

    def _change(self, changes: dict[str, Any]) -> None:
        (answer,) = ask(self.sandbox, Request(f"{SERVER}/records", method="POST", body=json.dumps(changes)))
        assert answer.status == 204
