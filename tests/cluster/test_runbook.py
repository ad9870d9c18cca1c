"""The commands of the runbook, typed while something is broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.cluster import layout
from tests.support.cluster.api import Object
from tests.support.cluster.argocd import HEALTHY
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.stack import Stack
from tests.support.policies import maker

CLUSTER, APPLICATION = "nonprod", "shop-dev"
REFUSED, BARE = "refused", "bare"


@pytest.fixture
def runbook(stages: Stack) -> Runbook:
    """Return the runbook for a workload in dev."""
    return Runbook(stages, "shop", "dev")


def api(stages: Stack) -> Object:
    """Return the Deployment that the drills change."""
    return stages.clusters[CLUSTER].get("deployment", "api", APPLICATION) or {}


def image(stages: Stack) -> str:
    """Return the image of that Deployment."""
    (container,) = api(stages)["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def variables(stages: Stack) -> set[str]:
    """Return the names of the variables of that Deployment."""
    (container,) = api(stages)["spec"]["template"]["spec"]["containers"]
    return {variable["name"] for variable in container["env"]}


def test_a_paused_application_keeps_changes_by_hand_until_it_is_resumed(stages: Stack, runbook: Runbook) -> None:
    before, deployed = api(stages)["spec"]["replicas"], image(stages)
    runbook.type("Pause self-heal and resume", 0)
    runbook.type("Pause self-heal and resume", 1, component="api", replicas="5", image="example.com/api:hotfix")
    stages.clusters[CLUSTER].kubectl("set", "env", "deployment/api", f"--namespace={APPLICATION}", "BY_HAND=1")
    assert runbook.type("Pause self-heal and resume", 2).split() == [APPLICATION]
    # Neither the ApplicationSet nor a refresh ends the pause.
    runbook.type("Refresh now", 2)
    stages.argo.refresh_sets()
    runbook.type("Refresh now", 1)
    runbook.type("Refresh now", 3)
    stages.until("the drift is seen", lambda: runbook.type("Refresh now", 0).count("OutOfSync") == 1)
    assert (api(stages)["spec"]["replicas"], image(stages)) == (5, "example.com/api:hotfix")
    runbook.type("Pause self-heal and resume", 3)
    stages.until("it is as in Git", lambda: (api(stages)["spec"]["replicas"], image(stages)) == (before, deployed))
    assert "BY_HAND" in variables(stages), "the runbook says that it stays"
    stages.clusters[CLUSTER].kubectl("set", "env", "deployment/api", f"--namespace={APPLICATION}", "BY_HAND-")
    assert runbook.type("Pause self-heal and resume", 2) == ""
    stages.settle()


def test_a_bad_release_is_reverted(stages: Stack, runbook: Runbook) -> None:
    good = image(stages)
    stages.checkout.git("config", "user.name", "on call")
    stages.checkout.git("config", "user.email", "on-call@example.com")
    with stages.undone():
        stages.checkout.edit(layout.kustomization("shop", "dev"), "2.8.0-rc.1", "2.8.0-bad")
        stages.publish("Release something bad")
        stages.until("it is deployed", lambda: image(stages).endswith("-bad"))
        stages.until("it is noted", lambda: stages.checkout.head in runbook.type("Roll back now", 0))
        runbook.type("Roll back now", 1, bad_commit="HEAD")
        runbook.type("Refresh now", 1)
        stages.until("it is reverted", lambda: image(stages) == good)


def test_external_dns_stops_and_starts(stages: Stack, runbook: Runbook) -> None:
    def replicas() -> int:
        item = stages.clusters[CLUSTER].get("deployment", "external-dns", "external-dns") or {}
        return int(item["spec"]["replicas"])

    runbook.type("DNS", 2)
    runbook.type("Refresh now", 1)
    stages.until("the stop is seen", lambda: stages.argo.state(f"external-dns-{CLUSTER}").startswith("OutOfSync"))
    assert replicas() == 0
    runbook.type("DNS", 3)
    stages.until("it is started", lambda: replicas() == 1)


def test_nodes_and_zones_are_emptied(stages: Stack, runbook: Runbook) -> None:
    cluster = stages.clusters[CLUSTER]

    def nodes_of_pods() -> set[str]:
        return {pod["spec"].get("nodeName", "") for pod in cluster.list("pods")}

    assert "node-b" in runbook.type("A node is out", 0, node="node-b")
    try:
        runbook.type("A node is out", 1, node="node-b")
        assert "node-b" not in nodes_of_pods()
        runbook.type("A node is out", 2, node="node-b")
        runbook.type("A node is out", 3, node="node-b")
        runbook.type("A node is out", 4, node="node-b")
        assert "traefik" in runbook.type("A node is out", 5)
        runbook.type("A zone is out", 0, zone="a")
        assert "node-a" not in nodes_of_pods()
        runbook.type("A zone is out", 1, zone="a")
    finally:
        cluster.kubectl("uncordon", "node-a", "node-b")
    assert "SchedulingDisabled" not in runbook.type("Upgrade Kubernetes", 4)


def test_a_sync_starts_again_and_pods_restart(stages: Stack, runbook: Runbook) -> None:
    before = stages.argo.applications[APPLICATION]["status"]["operationState"]["startedAt"]
    runbook.type("A sync fails or is refused", 2)

    def has_run() -> bool:
        last = stages.argo.applications[APPLICATION]["status"]["operationState"]
        return bool(last["startedAt"] != before and last["phase"] == "Succeeded")

    stages.until("it has run", has_run)
    old = {pod["metadata"]["name"] for pod in stages.clusters[CLUSTER].list("pods", APPLICATION)}
    runbook.type("Pods do not start", 2, component="api")
    stages.until("kubectl can restart it again", lambda: is_a_second_old(api(stages)))
    runbook.type("Created by hand", 1)
    runbook.type("Argo CD is down, locked or lost", 2)
    stages.until("its pods are new", lambda: old.isdisjoint(names(stages, runbook)))
    stages.settle()
    assert stages.argo.state(APPLICATION) == HEALTHY


def is_a_second_old(deployment: Object) -> bool:
    """Return whether the last restart was before this second: kubectl rejects two in one second."""
    restarted = deployment["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
    return datetime.now(UTC) - datetime.fromisoformat(restarted) >= timedelta(seconds=1)


def names(stages: Stack, runbook: Runbook) -> set[str]:
    """Return the objects of a workload that the runbook lists, by name."""
    return {line.split()[0].removeprefix("pod/") for line in runbook.type("Logs and events", 0).splitlines() if line}


def test_each_look_shows_the_object_that_it_is_about(stages: Stack, runbook: Runbook) -> None:
    assert "api-" in runbook.type("Pods do not start", 0, component="api")
    shown = runbook.type("A workload does not answer", 0)
    assert all(kind in shown for kind in ("ingressroute", "service/web", "endpointslice", "pod/web-"))
    assert "PodSelector" in runbook.type("A workload does not answer", 2)
    assert "aws-load-balancer-ssl-cert" in runbook.type("Certificates", 1)
    assert "shop.dev.acme.io`) -> " in runbook.type("DNS", 1)
    assert "LoadBalancer" in runbook.type("The load balancer is missing", 0)
    assert "argocd-repo-server" in runbook.type("Argo CD is down, locked or lost", 0)
    runbook.type("Created by hand", 0)


@pytest.fixture(scope="module")
def broken(stages: Stack) -> Iterator[None]:
    """Publish a workload that the API server rejects, one whose pods it rejects, and a failing ApplicationSet."""
    with stages.undone():
        refused = maker("Deployment") | {"metadata": {"name": REFUSED}}
        refused["spec"]["template"]["spec"]["hostNetwork"] = True
        stages.checkout.add_by_hand(REFUSED, refused)
        stages.checkout.add_by_hand(BARE, maker("Deployment") | {"metadata": {"name": BARE}})
        stages.checkout.edit(layout.workloads_set("test"), "{{ .path.path }}", "{{ .nonsense }}")
        stages.publish("Break three things")
        new = {f"{name}-dev" for name in (REFUSED, BARE)}
        stages.until("their Applications exist", lambda: new <= stages.argo.applications.keys())
        yield
    stages.rest()
    stages.clusters[CLUSTER].api.delete_namespaces(f"{name}-dev" for name in (REFUSED, BARE))


def test_the_runbook_shows_why_a_sync_is_refused(stages: Stack, broken: None) -> None:
    runbook = Runbook(stages, REFUSED, "dev")

    def is_shown() -> bool:
        # Between two attempts Argo CD reports no objects.
        shown = runbook.type("A sync fails or is refused", 0)
        return f"Deployment/{REFUSED}: " in shown and "denied request" in shown

    stages.until("the refusal is shown", is_shown)


def test_the_runbook_shows_why_there_are_no_pods(stages: Stack, broken: None) -> None:
    runbook = Runbook(stages, BARE, "dev")
    stages.until("the event is shown", lambda: "workload-isolation" in runbook.type("Pods do not start", 1))


def test_the_runbook_shows_which_set_fails(stages: Stack, broken: None) -> None:
    runbook = Runbook(stages, "trial", "test")

    def messages() -> dict[str, str]:
        return dict(line.split(": ", 1) for line in runbook.type("An ApplicationSet fails", 0).splitlines())

    stages.until("the error is shown", lambda: "nonsense" in messages()["workloads-test"])
    assert messages()["charts"] == "All applications have been generated successfully"


def test_an_application_that_still_tries_is_deleted(stages: Stack, broken: None) -> None:
    runbook = Runbook(stages, REFUSED, "dev")
    stages.checkout.delete(f"{layout.WORKLOADS}/{REFUSED}")
    stages.publish("Take the refused workload out")
    stages.until(
        "it is to be deleted", lambda: "resources-finalizer" in runbook.type("An Application is not deleted", 0)
    )
    runbook.type("An Application is not deleted", 1)
    stages.until("it is deleted", lambda: f"{REFUSED}-dev" not in stages.argo.applications)
