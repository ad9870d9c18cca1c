"""Emulate AWS Secrets Manager and EKS Pod Identity. Run as a program, it serves the secrets of one file.

    python -m tests.support.cluster.secrets_manager <port> <file of the account>

The file has the secrets by name, and the policy of the role that Pod Identity provides, or none.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.support.iam import is_allowed

CREDENTIALS = "/v1/credentials"
ACTION = "secretsmanager:GetSecretValue"
ROLE = {"AccessKeyId": "id", "SecretAccessKey": "key", "Token": "token", "Expiration": "2099-01-01T00:00:00Z"}


class Handler(BaseHTTPRequestHandler):
    """Respond to the requests of the AWS SDK."""

    account: ClassVar[Path]

    def do_GET(self) -> None:
        """Return the credentials of the role, like the agent of EKS Pod Identity."""
        policy = json.loads(self.account.read_text())["policy"]
        if self.path == "/":
            self._send(200, {})
        elif self.path == CREDENTIALS and self.headers["Authorization"] and policy:
            self._send(200, ROLE)
        else:
            self._send(400, {"message": "no association of this service account"})

    def do_POST(self) -> None:
        """Return the value of a secret."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        account, name = json.loads(self.account.read_text()), request["SecretId"]
        region = self.headers["Authorization"].split("/")[2]
        arn = f"arn:aws:secretsmanager:{region}:123456789012:secret:{name}-a1b2c3"
        if self.headers["X-Amz-Target"] != ACTION.replace(":", "."):
            self._refuse("UnknownOperationException", self.headers["X-Amz-Target"])
        elif not account["policy"] or not is_allowed(account["policy"], ACTION, arn, {}):
            self._refuse("AccessDeniedException", f"not authorized to perform {ACTION} on {arn}")
        elif name not in account["secrets"]:
            self._refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        else:
            value = json.dumps(account["secrets"][name])
            self._send(200, {"ARN": arn, "Name": name, "VersionId": "1", "SecretString": value})

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _refuse(self, kind: str, message: str) -> None:
        self._send(400, {"__type": kind, "message": message})

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    port, file = sys.argv[1:]
    Handler.account = Path(file)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
