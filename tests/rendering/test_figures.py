"""The times that the cluster tests scale have their documented values and ratios in a rendered repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.support.cluster import layout
from tests.support.cluster.scaling import GRACE_SECONDS, MIN_READY_SECONDS, PAUSE
from tests.support.repository import Document, Repository, load

PAUSES = {"duration": PAUSE, "factor": 2, "maxDuration": "3m"}
LOAD_BALANCER_IDLE_SECONDS = 350
# The number of Argo CD's attempts: routes and stores of a new cluster wait for definitions, root for clusters.
LIMITS = {"root": -1, "argocd": 10, "charts": 5, "config": 10, "workloads": 10}


def retries(repository: Repository) -> Iterator[tuple[str, Document]]:
    """Yield the retries of each Application and set, by what they are for."""
    for file in sorted((repository.path / "argo").rglob("*.yaml")):
        for item in load(file.read_text()):
            name, spec = item["metadata"]["name"], item["spec"]
            if item["kind"] == "ApplicationSet":
                yield name.partition("-")[0], spec["template"]["spec"]["syncPolicy"]["retry"]
            elif item["kind"] == "Application":
                yield name, spec["syncPolicy"]["retry"]


def seconds(text: Any) -> int:
    """Return the seconds of a number, or of a text such as 30s."""
    return int(re.fullmatch(r"(\d+)s?", str(text))[1])  # type: ignore[index]


def test_argocd_tries_again_after_pauses_that_grow_from_ten_seconds_to_three_minutes(repository: Repository) -> None:
    assert PAUSE == "10s"
    found = list(retries(repository))
    assert {purpose for purpose, _ in found} == LIMITS.keys()
    for purpose, retry in found:
        assert retry["backoff"] == PAUSES, purpose
        assert retry["limit"] == LIMITS[purpose], purpose
        assert retry["refresh"] is True, purpose


def test_a_pod_of_traefik_is_ready_for_a_minute_and_has_three_to_leave(repository: Repository) -> None:
    values = repository.one(layout.values("traefik"))
    deployment = values["deployment"]
    before_stop = seconds(deployment["lifecycle"]["preStop"]["sleep"]["seconds"])
    in_flight = seconds(values["ports"]["websecure"]["transport"]["lifeCycle"]["graceTimeOut"])
    assert deployment["minReadySeconds"] == 60
    assert deployment["terminationGracePeriodSeconds"] == 180
    assert (before_stop, in_flight) == (140, 30)
    # Scaling in a cluster keeps the ratio.
    assert (
        deployment["terminationGracePeriodSeconds"] / deployment["minReadySeconds"] == GRACE_SECONDS / MIN_READY_SECONDS
    )


def test_limits_of_requests_are_stated_finite_and_in_the_order_in_which_connections_close(
    repository: Repository,
) -> None:
    """An application closes an idle connection after 2 s at the earliest, the load balancer after 350 s."""
    values = repository.one(layout.values("traefik"))
    limits = values["ports"]["websecure"]["transport"]["respondingTimeouts"]
    assert limits == {"readTimeout": "10m", "writeTimeout": "0s", "idleTimeout": "180s"}
    assert seconds(limits["idleTimeout"]) < LOAD_BALANCER_IDLE_SECONDS
    timeouts = dict(argument.rpartition(".")[2].split("=") for argument in values["additionalArguments"])
    assert timeouts == {"idleConnTimeout": "1s", "dialTimeout": "5s", "responseHeaderTimeout": "0s"}


def test_what_a_protected_environment_no_longer_has_is_deleted_after_all_else_is_healthy(
    repository: Repository,
) -> None:
    for environment in repository.environments:
        applications = repository.one(layout.workloads_set(environment["name"]))
        options = applications["spec"]["template"]["spec"]["syncPolicy"]["syncOptions"]
        assert ("PruneLast=true" in options) == environment["protected"]
