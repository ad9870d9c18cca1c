"""An update is merged: clusters do what the rendered repository's own scripts have said, and nothing else."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import copier

from tests.cluster.kubernetes import Object
from tests.cluster.stack import Stack
from tests.updates.changes import edit, reword_every_comment
from tests.updates.repository import ANSWERS_FILE, Repository
from tests.updates.versions import Versions

EXPECT = """
import json, sys, tempfile
from pathlib import Path
sys.path.insert(0, "scripts")
from gitops import working
with tempfile.TemporaryDirectory() as folder:
    tree = working(Path.cwd(), Path(folder))
    found = {name: [a.manifest, tree.build(a)] for name, a in tree.applications.items()}
    print(json.dumps([found, tree.problems], default=str))
"""


def script(stack: Stack, *command: str) -> Any:
    """What a script of the rendered repository prints as JSON."""
    result = stack.sandbox.run(sys.executable, *command, folder=stack.work)
    assert result.stdout, result.stderr
    return json.loads(result.stdout)


def test_the_scripts_expect_the_applications_that_argocd_makes(stages: Stack) -> None:
    expected, problems = script(stages, "-c", EXPECT)
    live = stages.applications
    assert problems == []
    assert {name: manifest["spec"] for name, (manifest, _) in expected.items()} == {
        name: application["spec"] for name, application in live.items()
    }


def holds(expected: Any, live: Any) -> bool:
    """Whether a live object has all that was applied; what is null, empty or false, the API server may leave out."""
    if not expected:
        return True
    if isinstance(expected, dict):
        return isinstance(live, dict) and all(holds(value, live.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(live, list) and len(live) == len(expected) and all(map(holds, expected, live))
    return str(expected) == str(live)


def test_the_scripts_build_the_objects_that_argocd_applies(stages: Stack) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "elsewhere"}}
    with stages.undone():
        stages.add_by_hand("hello", settings)
        stages.publish("Add hello by hand, with a namespace that the set overrides")
        stages.until("hello-dev is there", lambda: stages.states().get("hello-dev") == "Synced Healthy")
        expected, _ = script(stages, "-c", EXPECT)
        for name, application in stages.applications.items():
            _, objects = expected[name]
            built = {(o["apiVersion"].rpartition("/")[0], o["kind"], o["metadata"]["name"]): o for o in objects}
            applied = {(r.get("group", ""), r["kind"], r["name"]): r for r in application["status"]["resources"]}
            assert built.keys() == applied.keys(), name
            cluster = stages.clusters[application["spec"]["destination"]["name"]]
            found = json.loads(
                cluster.kubectl("get", "--filename=-", "--output=json", stdin=json.dumps(listed(objects)))
            )
            live = {(o["apiVersion"].rpartition("/")[0], o["kind"], o["metadata"]["name"]): o for o in found["items"]}
            for identity, item in built.items():
                if namespace := applied[identity].get("namespace"):
                    assert item["metadata"]["namespace"] == namespace, identity
                if item["kind"] not in ("CustomResourceDefinition", "Secret"):
                    for part in ("spec", "data", "rules", "webhooks"):
                        assert holds(item.get(part), live[identity].get(part)), (name, identity, part)
    stages.kubectl("delete", "namespace", "hello-dev", "--ignore-not-found")


def listed(objects: list[Object]) -> Object:
    """Objects as one."""
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def rollouts(stack: Stack) -> dict[str, str]:
    """How often each Deployment has replaced its pods, by cluster/namespace/name."""
    return {
        f"{cluster.name}/{item['metadata']['namespace']}/{item['metadata']['name']}": item["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        for cluster in stack.clusters.values()
        for item in cluster.list("deployments")
    }


def everything(stack: Stack) -> dict[str, str]:
    """The uids of what must not be made anew."""
    argocd = stack.argocd.list("applications,applicationsets,appprojects", "argocd")
    ours = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in argocd}
    kinds = "deployments,statefulsets,services,serviceaccounts,namespaces,ingressroutes,poddisruptionbudgets"
    return ours | stack.identities(kinds)


def change(template: Path) -> None:
    """A newer version: pods with a port restart, and Traefik's, and dev loses its budgets; nothing else happens."""
    reword_every_comment(template)
    component = next((template / "template/apps/workloads").rglob("*component.full_name*")).relative_to(template)
    edit(template, str(component), "revisionHistoryLimit: 3", "revisionHistoryLimit: 4")
    edit(template, str(component), "failureThreshold: 60", "failureThreshold: 61")
    budgets = next((template / "template/apps/workloads").rglob("*resources.yaml*.jinja")).relative_to(template)
    loop = "[% for component in overlay.disruption_budgets"
    edit(template, str(budgets), f"{loop} %]", f"{loop} if overlay.environment != 'dev' %]")
    edit(template, "template/apps/platform/traefik/values/values.yaml", 'cpu: "1"', 'cpu: "2"')
    edit(template, "template/argo/projects/platform.yaml.jinja", "description: ", "description: Newer. ")


def test_a_merged_update_does_what_the_blast_radius_said(stages: Stack, tmp_path: Path) -> None:
    versions = Versions.snapshot(tmp_path / "template")
    rendered = Repository.copy(versions, tmp_path / "rendered", stages.repository.answers)
    newer = versions.release("newer", change)
    with stages.undone():
        (stages.work / ANSWERS_FILE).write_text(rendered.text(ANSWERS_FILE))
        stages.publish("Record the template's version")
        stages.settle()
        before, restarts = everything(stages), rollouts(stages)

        copier.run_update(stages.work, vcs_ref=newer, defaults=True, overwrite=True, quiet=True)
        report = script(stages, "scripts/blast_radius.py", "--json")
        assert (report["problems"], report["status"]) == ([], 0)
        said = {
            f"{c['cluster']}/{c['namespace']}/{name.removeprefix('Deployment/')}"
            for c in report["changes"]
            for name in c["restarted"]
        }
        assert {re.sub("^[^/]+/", "", name) for name in said} >= {"traefik/traefik", "shop-dev/shop-api"}

        stages.publish("Update the template")
        stages.settle()
        gone = {f"{c['cluster']}/{c['namespace']}/{name}" for c in report["changes"] for name in c["deleted"]}
        assert gone
        assert everything(stages) == {name: uid for name, uid in before.items() if name not in gone}
        assert {name for name, count in rollouts(stages).items() if count != restarts[name]} == said
