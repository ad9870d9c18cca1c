"""Run the real Traefik of a cluster, with its own arguments and rights, between clients and stand-ins for pods."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.support.cluster.addons import container, token, ways
from tests.support.cluster.client import Answer, Request, ask, fetch
from tests.support.cluster.stack import BINARIES, Stack

TRAEFIK = BINARIES / "traefik/traefik"
ECHO = Path(__file__).with_name("echo.py")
CLIENT = "10.244.200.7"


class WayIn:
    """Traefik of one cluster, at the address of one of its pods, and an echo server for the pods that it may reach.

    Attributes:
        ports: The ports of the pod, by name.
        http: The target port of the load balancer's port 80.
        https: The target port of the load balancer's port 443, without TLS.
    """

    def __init__(self, stack: Stack, name: str) -> None:
        """Start both, and return when Traefik responds."""
        self.sandbox = stack.sandbox
        self.cluster = stack.clusters[name]
        self.ways = ways(stack, name)
        self.address = self.cluster.list("pods", "traefik")[0]["status"]["podIP"]
        self.ports = {port["name"]: port["containerPort"] for port in container(self.cluster, "traefik")["ports"]}
        service = self.cluster.get("service", "traefik", "traefik")
        assert service
        self.service = service
        self.behind = {port["port"]: self.ports[port["targetPort"]] for port in service["spec"]["ports"]}
        self.http, self.https = self.behind[80], self.behind[443]
        self._names = [f"traefik-{name}", f"echo-{name}"]
        traefik, echo = self._names
        self.sandbox.start(echo, sys.executable, ECHO, *self._targets())
        self.sandbox.start(traefik, TRAEFIK, *self._arguments(stack), environment={"KUBECONFIG": ""})
        ping = f"http://{self.address}:{self.ports['traefik']}/ping"
        self.sandbox.wait_for(traefik, lambda: fetch(self.sandbox, ping) is not None)
        self.sandbox.until("Traefik has read its routes", lambda: self.get(self.ways[0].host).status != 404)

    def close(self) -> None:
        """Stop both."""
        for name in self._names:
            self.sandbox.end(name)

    def request(
        self, host: str, path: str = "/", port: int = 0, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Request:
        """Return a client's request as the load balancer forwards it, by default to the https port."""
        url = f"http://{self.address}:{port or self.https}{path}"
        return Request(url, {"Host": host} | (headers or {}), method, source=CLIENT)

    def get(self, host: str, path: str = "/", port: int = 0, headers: dict[str, str] | None = None) -> Answer:
        """Send one request."""
        (answer,) = ask(self.sandbox, self.request(host, path, port, headers=headers))
        return answer

    def statuses(self, *requests: Request) -> list[int]:
        """Send requests, and return only their statuses."""
        return [answer.status for answer in ask(self.sandbox, *requests)]

    def log(self) -> list[dict[str, Any]]:
        """Return Traefik's log, requests included."""
        text = (self.sandbox.folder / "log" / f"{self._names[0]}.log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def _arguments(self, stack: Stack) -> list[str]:
        """Return the arguments of the pod, and what every pod has: an address, and the endpoint of the API server."""
        given = container(self.cluster, "traefik")["args"]
        here = [re.sub(r"(\.address=):", rf"\g<1>{self.address}:", argument) for argument in given]
        api = {
            "endpoint": self.cluster.url,
            "token": token(self.cluster, "traefik"),
            "certauthfilepath": stack.folder / "authority.pem",
        }
        return here + [f"--providers.kubernetescrd.{option}={value}" for option, value in api.items()]

    def _targets(self) -> list[str]:
        """Return every port of every pod of the workloads."""
        return [
            f"{pod['metadata']['namespace']}/{part['name']}={pod['status']['podIP']}:{port['containerPort']}"
            for pod in self.cluster.list("pods", selector="app.kubernetes.io/part-of")
            if pod["metadata"]["namespace"] != "argocd"
            for part in pod["spec"]["containers"]
            for port in part.get("ports", [])
        ]
