"""The real Traefik of each cluster, with its own arguments and rights, routes clients to the right pods."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.cluster import layout
from tests.support.cluster.addons import CLUSTERS, ways
from tests.support.cluster.api import Object
from tests.support.cluster.client import Answer, ask
from tests.support.cluster.stack import Stack
from tests.support.cluster.way_in import CLIENT, WayIn
from tests.support.repository import pick

UNKNOWN = "unknown.acme.io"
# Logged on every start: effects of the values, and a note for applications that misread paths.
NOTICES = (
    "Cross-provider references are restricted to namespaces [traefik]",
    "Traefik can reject some encoded characters",
)
# Errors that drills cause on purpose.
BROKEN = ("by-hand", "portal-dev")
# Every header about the origin of a request that Traefik knows, and spellings that could bypass it.
FORGED = {
    "Forwarded": "for=192.0.2.1;proto=http;host=forged",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Host": "forged",
    "X-Forwarded-Method": "forged",
    "X-Forwarded-Port": "80",
    "X-Forwarded-Prefix": "/forged",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Server": "forged",
    "X-Forwarded-Tls-Client-Cert": "forged",
    "X-Forwarded-Tls-Client-Cert-Info": "forged",
    "X-Forwarded-Uri": "/forged",
    "X-Real-Ip": "192.0.2.1",
    "X_Forwarded_For": "192.0.2.1",
    "X_Forwarded_Proto": "http",
    "x-forwarded_port": "80",
}
TRACES = re.compile("forwarded|x.real.ip", re.IGNORECASE)


def traces(answer: Answer) -> dict[str, list[str]]:
    """Return the headers about the origin of a request that the application receives."""
    assert answer.status == 200
    return {name: values for name, values in answer.json["headers"].items() if TRACES.search(name)}


def test_each_host_reaches_its_public_component_and_no_other(way_in: WayIn) -> None:
    for way in way_in.ways:
        requests = [way_in.request(way.host, "/a%20b?c=d&e", method=method) for method in ("GET", "POST") * 6]
        answers = ask(way_in.sandbox, *requests)
        assert {answer.status for answer in answers} == {200}
        assert {answer.json["name"] for answer in answers} == {way.to}
        assert {(answer.json["method"], answer.json["path"]) for answer in answers} == {
            ("GET", "/a%20b?c=d&e"),
            ("POST", "/a%20b?c=d&e"),
        }


def test_the_hosts_of_other_clusters_are_unknown(way_in: WayIn, stages: Stack) -> None:
    here = {way.host for way in way_in.ways}
    others = [way.host for way in ways(stages) if way.host not in here]
    assert others
    assert set(way_in.statuses(*map(way_in.request, others))) == {404}


def test_hosts_that_nobody_named_are_unknown(way_in: WayIn) -> None:
    hosts = [UNKNOWN, "acme.io", way_in.address, f"www.{way_in.ways[0].host}", f"{way_in.ways[0].host}.example.com"]
    assert set(way_in.statuses(*map(way_in.request, hosts))) == {404}


def test_http_is_sent_to_https_whatever_the_host(way_in: WayIn) -> None:
    for host in [*(way.host for way in way_in.ways), UNKNOWN]:
        for sent in (host, f"{host}:80"):
            answer = way_in.get(sent, "/a%20b?c=d", way_in.http)
            assert (answer.status, answer.headers["location"]) == (301, f"https://{host}/a%20b?c=d")


def test_applications_are_told_what_the_client_used_and_where_it_is(way_in: WayIn) -> None:
    for way in way_in.ways:
        told = traces(way_in.get(way.host))
        told.pop("X-Forwarded-Server")
        assert told == {
            "X-Forwarded-For": [CLIENT],
            "X-Forwarded-Host": [way.host],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
            "X-Real-Ip": [CLIENT],
        }


def test_what_clients_claim_of_themselves_is_dropped(way_in: WayIn) -> None:
    for way in way_in.ways:
        assert traces(way_in.get(way.host, headers=FORGED)) == traces(way_in.get(way.host))


def test_clients_cannot_take_away_what_applications_are_told(way_in: WayIn) -> None:
    for way in way_in.ways:
        told = traces(way_in.get(way.host))
        assert traces(way_in.get(way.host, headers={"Connection": f"close, {', '.join(told)}"})) == told


def test_the_log_has_requests_without_their_credentials(way_in: WayIn) -> None:
    host = way_in.ways[0].host
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "User-Agent": "a-browser"}
    way_in.get(host, "/signed?token=s3cret", headers=headers)

    def logged() -> list[dict[str, Any]]:
        return [entry for entry in way_in.log() if entry.get("RequestPath", "").startswith("/signed")]

    (entry,) = way_in.cluster.sandbox.until("the request is logged", logged)
    assert entry["request_User-Agent"] == "a-browser"
    assert (entry["RequestHost"], entry["ClientHost"], entry["DownstreamStatus"]) == (host, CLIENT, 200)
    assert "s3cret" not in json.dumps(way_in.log())


def test_traefik_has_nothing_to_complain_about(way_in: WayIn) -> None:
    complaints = [entry for entry in way_in.log() if entry.get("level") in ("warn", "error", "fatal", "panic")]
    ours = [c for c in complaints if not c.get("message", "").startswith(NOTICES)]
    assert [entry for entry in ours if not any(name in json.dumps(entry) for name in BROKEN)] == []


def test_every_route_and_middleware_is_there_as_it_was_rendered(stages: Stack) -> None:
    for name in CLUSTERS:
        values = stages.repository.one(layout.values("traefik"))
        rendered = [o for kind in ("IngressRoute", "Middleware") for o in pick(values["extraObjects"], kind)]
        for _, environment, overlay in stages.repository.overlays():
            if environment["cluster"] == name:
                rendered += pick(stages.repository.build(overlay), "IngressRoute")
        found = stages.clusters[name].list("ingressroutes,middlewares")

        def specs(objects: list[Object]) -> dict[tuple[str, str, str], Any]:
            return {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o["spec"] for o in objects}

        assert specs(found) == specs(rendered)
