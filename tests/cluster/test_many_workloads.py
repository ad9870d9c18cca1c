"""A commit to one workload is no work for the others: fifty in two environments, counted by Argo CD itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.cluster.conftest import MANY
from tests.cluster.stack import Stack

ANNOTATION = "argocd.argoproj.io/manifest-generate-paths"
# The repo server counts here each time that it builds, and not when it finds manifests that it has built before.
BUILDS = "argocd_repo_parallelism_wait_duration_seconds_count"
# What it logs then, which has the name too.
BUILT = re.compile(r'msg="manifest cache miss".* application=(\S+)')


def builds(stack: Stack) -> int:
    """How often the repo server has generated manifests since it started."""
    metrics = stack.sandbox.fetch("http://127.0.0.1:8084/metrics")
    assert metrics
    return sum(int(float(value)) for value in re.findall(rf"^{BUILDS}.* (\S+)$", metrics, re.MULTILINE))


def builds_at_rest(stack: Stack) -> int:
    """The same, once nothing has been built for a while."""
    counts = [-1]

    def is_steady() -> bool:
        counts.append(builds(stack))
        return counts[-1] == counts[-2]

    stack.until("nothing is built any more", is_steady, every=10)
    return counts[-1]


def builds_for_a_commit(stack: Stack, workload: str, version: int) -> tuple[int, set[str]]:
    """Release one workload to dev; how often what is built until every Application is compared with that commit."""
    before, log = builds_at_rest(stack), stack.folder / "log/argocd-repo-server.log"
    logged = log.stat().st_size
    stack.edit(
        f"apps/workloads/{workload}/overlays/dev/kustomization.yaml", f'newTag: "{version}"', f'newTag: "{version + 1}"'
    )
    stack.publish(f"Release {workload} {version + 1} to dev")
    stack.settle()
    found = stack.argocd.get("deployment", workload, f"{workload}-dev")
    assert found
    assert found["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f":{version + 1}")
    return builds_at_rest(stack) - before, set(BUILT.findall(log.read_text(errors="replace")[logged:]))


def test_a_commit_to_one_workload_generates_manifests_for_that_workload_only(
    many: Stack, measured: Callable[[str], None]
) -> None:
    names = {f"{w['name']}-{environment}" for w in MANY["workloads"] for environment in MANY["environments"]}
    assert names < many.applications.keys()
    # What was built while the cluster still learned new kinds is built once more.
    builds_for_a_commit(many, "w08", 1)
    with_annotation, built = builds_for_a_commit(many, "w07", 1)
    assert built == {"w07-dev"}
    for environment in ("dev", "prod"):
        file = many.work / f"argo/applicationsets/workloads-{environment}.yaml"
        text = file.read_text()
        assert text.count(ANNOTATION) == 1
        file.write_text(re.sub(rf"^ +{ANNOTATION}: .*\n", "        unused: annotation\n", text, flags=re.MULTILINE))
    many.publish("Do without the annotation")

    def annotated() -> list[str]:
        items = many.applications.values()
        return [i["metadata"]["name"] for i in items if i["metadata"].get("annotations", {}).keys() & {ANNOTATION}]

    many.until("no application has the annotation", lambda: not names.intersection(annotated()))
    many.settle()
    without, built = builds_for_a_commit(many, "w07", 2)
    assert built == names
    assert without >= len(names)
    measured(f"a commit to 1 of {len(names)} applications: {with_annotation} builds, {without} without {ANNOTATION}")
    # Argo CD may build the one application more than once: to compare, and to sync.
    assert with_annotation < len(names) / 10
