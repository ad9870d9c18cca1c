"""Emulate Route 53 with an IAM policy. Run as a program, it serves one account."""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from tests.support.iam import Context, is_allowed

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
VERSION = "/2013-04-01/hostedzone"
XML = f"{{{NAMESPACE}}}"
ACTIONS = ("ListHostedZones", "ListResourceRecordSets", "ChangeResourceRecordSets")
# Zones by id: their names, whether they are private, and their records by name and type.
Zones = dict[str, dict[str, Any]]


def normalized(name: str) -> str:
    """Return the name of a record in the form of Route 53's condition keys."""
    return re.sub(r"[^a-z0-9_.-]", lambda match: f"\\{ord(match[0]):03o}", name.lower().rstrip("."))


def changed(body: str) -> Context:
    """Return the condition keys of a batch of changes."""
    context: Context = {}
    for change in ElementTree.fromstring(body).iter(f"{XML}Change"):
        name = change.findtext(f"{XML}ResourceRecordSet/{XML}Name", "").encode().decode("unicode_escape")
        kind = change.findtext(f"{XML}ResourceRecordSet/{XML}Type", "")
        action = change.findtext(f"{XML}Action", "")
        for key, value in (("NormalizedRecordNames", normalized(name)), ("RecordTypes", kind), ("Actions", action)):
            context.setdefault(f"route53:ChangeResourceRecordSets{key}", []).append(value)
    return context


def response(action: str, content: str) -> str:
    """Return the response to an action."""
    return f"<{action}Response xmlns='{NAMESPACE}'>{content}</{action}Response>"


class Account:
    """The zones of an account, the policy of a role, and the changes."""

    def __init__(self, zones: Zones, policy: dict[str, Any]) -> None:
        self.zones = {name: zone | {"records": {}} for name, zone in zones.items()}
        self.policy = policy
        self.deleted: list[str] = []

    def state(self) -> dict[str, Any]:
        """Return the records of each zone, and the names of all records that were ever deleted."""
        return {"deleted": self.deleted, "zones": {name: sorted(zone["records"]) for name, zone in self.zones.items()}}

    def listed(self) -> str:
        """Return all zones, like ListHostedZones."""
        zones = "".join(
            f"<HostedZone><Id>/hostedzone/{name}</Id><Name>{zone['name']}.</Name><CallerReference>x</CallerReference>"
            f"<Config><PrivateZone>{json.dumps(zone.get('private', False))}</PrivateZone></Config></HostedZone>"
            for name, zone in self.zones.items()
        )
        rest = "<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
        return response("ListHostedZones", f"<HostedZones>{zones}</HostedZones>{rest}")

    def records(self, zone: str) -> str:
        """Return the records of a zone, like ListResourceRecordSets."""
        records = "".join(self.zones[zone]["records"].values())
        rest = "<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"
        return response("ListResourceRecordSets", f"<ResourceRecordSets>{records}</ResourceRecordSets>{rest}")

    def change(self, zone: str, body: str) -> str:
        """Apply a batch of changes, like ChangeResourceRecordSets."""
        records = self.zones[zone]["records"]
        ElementTree.register_namespace("", NAMESPACE)
        for change in ElementTree.fromstring(body).iter(f"{XML}Change"):
            item = change.find(f"{XML}ResourceRecordSet")
            assert item is not None
            key = f"{item.findtext(f'{XML}Name', '').rstrip('.')} {item.findtext(f'{XML}Type')}"
            if change.findtext(f"{XML}Action") == "DELETE":
                self.deleted.append(key)
                del records[key]
            else:
                records[key] = ElementTree.tostring(item, "unicode")
        info = "<Id>/change/C1</Id><Status>INSYNC</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>"
        return response("ChangeResourceRecordSets", f"<ChangeInfo>{info}</ChangeInfo>")


class Handler(BaseHTTPRequestHandler):
    """The API of Route 53, and `/state` for tests."""

    account: Account

    def do_GET(self) -> None:
        """List zones or records."""
        path = urlsplit(self.path).path.rstrip("/")
        if path == "/state":
            self._send(200, json.dumps(self.account.state()))
        elif path == VERSION:
            self._answer("ListHostedZones", "*", self.account.listed)
        else:
            zone = path.split("/")[3]
            self._answer("ListResourceRecordSets", zone, lambda: self.account.records(zone))

    def do_POST(self) -> None:
        """Change records; at `/policy`, replace the policy."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/policy":
            self.account.policy = json.loads(body)
            self._send(200, "")
        else:
            zone = self.path.split("/")[3]
            self._answer("ChangeResourceRecordSets", zone, lambda: self.account.change(zone, body), changed(body))

    def _answer(self, action: str, zone: str, make: Any, context: Context | None = None) -> None:
        if is_allowed(self.account.policy, f"route53:{action}", f"arn:aws:route53:::hostedzone/{zone}", context or {}):
            self._send(200, make())
        else:
            error = f"<Code>AccessDenied</Code><Message>not authorized to perform route53:{action} on {zone}</Message>"
            self._send(403, f"<ErrorResponse xmlns='{NAMESPACE}'><Error>{error}</Error></ErrorResponse>")

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


if __name__ == "__main__":
    port, zones, policy = sys.argv[1:]
    Handler.account = Account(json.loads(zones), json.loads(policy))
    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
