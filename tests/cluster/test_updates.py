"""After a merged update, clusters change exactly as the rendered scripts predicted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import copier
import yaml

from tests.support.cluster import layout, scripts
from tests.support.cluster.api import Object
from tests.support.cluster.stack import Stack
from tests.support.updates.template_changes import edit, reword_every_comment
from tests.support.updates.versions import Versions

BUDGETS = "components | selectattr('disruption_budget') | list"


def test_the_scripts_expect_the_applications_that_argocd_makes(stages: Stack) -> None:
    expected = scripts.applications(stages.sandbox, stages.checkout.work)
    assert {name: application.manifest["spec"] for name, application in expected.items()} == {
        name: item["spec"] for name, item in stages.argo.applications.items()
    }


def holds(expected: Any, live: Any) -> bool:
    """Return whether a live object has everything that was applied, except null, empty or false values."""
    if not expected:
        return True
    if isinstance(expected, dict):
        return isinstance(live, dict) and all(holds(value, live.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(live, list) and len(live) == len(expected) and all(map(holds, expected, live))
    return str(expected) == str(live)


def test_the_scripts_build_the_objects_that_argocd_applies(stages: Stack) -> None:
    # One of them is created by hand, with a namespace that its ApplicationSet overrides.
    expected = scripts.applications(stages.sandbox, stages.checkout.work)
    for name, application in stages.argo.applications.items():
        objects = expected[name].objects
        built = {identity(item): item for item in objects}
        applied = {(r.get("group", ""), r["kind"], r["name"]): r for r in application["status"]["resources"]}
        assert built.keys() == applied.keys(), name
        cluster = stages.clusters[application["spec"]["destination"].get("name", stages.argocd.name)]
        live = json.loads(cluster.kubectl("get", "--filename=-", "--output=json", stdin=json.dumps(listed(objects))))
        by_identity = {identity(item): item for item in live["items"]}
        for key, item in built.items():
            if namespace := applied[key].get("namespace"):
                assert item["metadata"]["namespace"] == namespace, key
            if item["kind"] not in ("CustomResourceDefinition", "Secret"):
                for part in ("spec", "data", "rules", "webhooks"):
                    assert holds(item.get(part), by_identity[key].get(part)), (name, key, part)


def identity(item: Object) -> tuple[str, str, str]:
    """Return group, kind and name of an object."""
    return item["apiVersion"].rpartition("/")[0], item["kind"], item["metadata"]["name"]


def listed(objects: list[Object]) -> Object:
    """Return objects as one list."""
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def rollouts(stack: Stack) -> dict[str, str]:
    """Return how often each Deployment has replaced its pods, by cluster/namespace/name."""
    return {
        f"{cluster.name}/{item['metadata']['namespace']}/{item['metadata']['name']}": item["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        for cluster in stack.clusters.values()
        for item in cluster.list("deployments")
    }


def everything(stack: Stack) -> dict[str, str]:
    """Return the uids of objects that must not be recreated."""
    argocd = stack.argocd.list("applications,applicationsets,appprojects", "argocd")
    ours: dict[str, str] = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in argocd}
    kinds = "deployments,statefulsets,services,serviceaccounts,namespaces,ingressroutes,poddisruptionbudgets"
    return ours | stack.identities(kinds)


def change(template: Path) -> None:
    """Change the template: Traefik and pods with a port restart, dev loses its budgets, and nothing else happens."""
    reword_every_comment(template)
    edit(template, "hooks/model/objects.jinja", "'revisionHistoryLimit': 3", "'revisionHistoryLimit': 4")
    edit(template, "hooks/model/probes.jinja", "dict(ready, periodSeconds=5", "dict(ready, periodSeconds=6")
    edit(template, "hooks/model/overlay.jinja", BUDGETS, f"({BUDGETS}) if environment.name != 'dev' else []")
    edit(template, f"template/{layout.values('traefik')}.jinja", 'cpu: "1"', 'cpu: "2"')
    edit(template, "template/argo/projects/bootstrap.yaml.jinja", "description: ", "description: Newer. ")


def test_a_merged_update_does_what_the_blast_radius_said(stages: Stack) -> None:
    work = stages.checkout.work
    released = Path(yaml.safe_load((work / ".copier-answers.yml").read_text())["_src_path"])
    newer = Versions(released).release("newer", change)
    with stages.undone():
        before, restarts = everything(stages), rollouts(stages)
        copier.run_update(work, vcs_ref=newer, defaults=True, overwrite=True, quiet=True)
        report = scripts.run(stages.sandbox, work, "scripts/blast_radius.py", "--json")
        assert (report["problems"], report["status"]) == ([], 0)
        said = {
            f"{c['cluster']}/{c['namespace']}/{name.removeprefix('Deployment/')}"
            for c in report["changes"]
            for name in c["restarted"]
        }
        assert {re.sub("^[^/]+/", "", name) for name in said} >= {"traefik/traefik", "shop-dev/api"}

        stages.publish("Update the template")
        stages.settle()
        gone = {f"{c['cluster']}/{c['namespace']}/{name}" for c in report["changes"] for name in c["deleted"]}
        assert gone
        assert everything(stages) == {name: uid for name, uid in before.items() if name not in gone}
        assert {name for name, count in rollouts(stages).items() if count != restarts[name]} == said
