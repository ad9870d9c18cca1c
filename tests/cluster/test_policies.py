"""The admission policies in the API server: what they refuse, what they let pass, and whom they leave alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import engines, policies
from tests.cluster.sandbox import SandboxError
from tests.cluster.stack import Stack
from tests.cluster.test_admission import objections
from tests.conftest import Document, Repository
from tests.rendering.test_argo import workload_applications

NAMESPACE = "whoami-dev"
DENIED = re.compile(
    r"\"([^\"]+)\" is (?:forbidden|invalid: ): ValidatingAdmissionPolicy '([^']+)' with binding '\2' denied request: "
)
TRACKING = {"argocd.argoproj.io/tracking-id": f"{NAMESPACE}:rbac.authorization.k8s.io/ClusterRole:/tool"}


def domain(stack: Stack) -> str:
    """The domain of the only environment."""
    (environment,) = stack.repository.environments
    return str(environment["domain"])


def placed(item: Document, namespace: str) -> Document:
    """An object as Argo CD would apply it for the workload of a namespace."""
    place = {"annotations": TRACKING} if item["kind"] == "ClusterRole" else {"namespace": namespace}
    return item | {"metadata": item["metadata"] | place}


def denials(said: list[str]) -> dict[str, tuple[str, str]]:
    """What policies said: by the name of an object, the policy and its message."""
    return {found[1]: (found[2], line[found.end() :]) for line in said if (found := DENIED.search(line))}


def test_argo_cd_installs_the_policies_and_the_api_server_understands_them(installed: Stack) -> None:
    found = installed.argocd.list("validatingadmissionpolicies")
    assert {item["metadata"]["name"].removeprefix("workload-") for item in found} == {
        *("hosts", "images", "kinds", "pods", "resources", "services", "tokens"),
    }
    for item in found:
        assert "conditions" not in item["status"], item["status"]
        assert item["status"]["observedGeneration"] == item["metadata"]["generation"]
        assert item["status"]["typeChecking"] == {}, item["metadata"]["name"]


def test_each_policy_refuses_what_it_is_there_for(installed: Stack) -> None:
    wanted = policies.violations(domain(installed))
    said = denials(objections(installed, *(placed(violation.item, NAMESPACE) for violation in wanted.values())))
    for what, (item, policy, message) in wanted.items():
        assert item["metadata"]["name"] in said, f"{what} passed"
        assert said[item["metadata"]["name"]][0] == policy, what
        assert message in said[item["metadata"]["name"]][1], what
    assert len(said) == len(wanted)


def test_what_keeps_to_the_policies_passes(installed: Stack) -> None:
    assert objections(installed, *(placed(item, NAMESPACE) for item in policies.accepted(domain(installed)))) == []


def test_the_platform_and_what_is_nobodys_are_left_alone(installed: Stack) -> None:
    wanted = policies.violations(domain(installed)).values()
    elsewhere = [
        placed(violation.item, "kube-system") for violation in wanted if violation.item["kind"] != "ClusterRole"
    ]
    (role,) = [violation.item for violation in wanted if violation.item["kind"] == "ClusterRole"]
    of_traefik = {"annotations": {"argocd.argoproj.io/tracking-id": "traefik-main:x"}, "name": "tool-traefik"}
    said = objections(installed, *elsewhere, role, role | {"metadata": of_traefik})
    assert denials(said) == {}


@contextmanager
def tried(stack: Stack, repository: Path, environments: list[str], probe: str) -> Iterator[None]:
    """The policies of a repository beside those that run, for namespaces that end in -tried.

    Args:
        stack: Where they are applied.
        repository: What has them.
        environments: The names of its environments.
        probe: A namespace that exists, by which it is seen when they take effect.
    """
    text = json.dumps(engines.kustomize_build(repository / "apps/platform/policies")).replace("workload-", "tried-")
    for name in environments:
        text = text.replace(json.dumps(json.dumps(name))[1:-1], json.dumps(json.dumps(f"{name}-tried"))[1:-1])
    node_port = placed(policies.service(type="NodePort"), probe)

    def is_refused() -> bool:
        return bool(denials(objections(stack, node_port)))

    try:
        with stack.argocd.applied(*json.loads(text)):
            stack.until("the policies refuse", is_refused)
            yield
    finally:
        stack.until("the policies are gone", lambda: not is_refused())


def namespace(name: str) -> Document:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_what_a_repository_brings_keeps_to_its_own_policies(repository: Repository, installed: Stack) -> None:
    documents = []
    for application, overlay in workload_applications(repository):
        place = f"{application['spec']['destination']['namespace']}-tried"
        documents += [placed(item, place) for item in repository.build(overlay)]
    if not documents:
        pytest.skip("no workloads")
    places = sorted({item["metadata"]["namespace"] for item in documents})
    environments = [environment["name"] for environment in repository.environments]
    with installed.argocd.applied(*map(namespace, places)), tried(installed, repository.path, environments, places[0]):
        assert denials(objections(installed, *documents)) == {}


def test_what_runs_already_goes_on_until_it_is_changed(installed: Stack) -> None:
    place = "old-dev-tried"
    old = placed(policies.violations("-")["no limit"].item, place)
    name, repository = old["metadata"]["name"], installed.repository.path
    deployment = ["deployment", name, f"--namespace={place}"]
    with installed.argocd.applied(namespace(place)):
        installed.argocd.apply(old)
        with tried(installed, repository, ["dev"], place):
            installed.kubectl("annotate", *deployment, "looked=at")
            installed.kubectl("scale", *deployment, "--replicas=2")
            with pytest.raises(SandboxError, match=r"resources\.limits\.memory"):
                installed.kubectl("rollout", "restart", *deployment)
            installed.kubectl("delete", *deployment, "--cascade=foreground")


def test_a_cron_job_that_is_there_already_goes_on_to_run(installed: Stack) -> None:
    place = "old-dev-tried"
    old = placed(policies.violations("-")["the network of the node by a CronJob"].item, place)
    run = ["create", "job", f"--namespace={place}", "run", f"--from=cronjob/{old['metadata']['name']}"]
    with installed.argocd.applied(namespace(place)):
        installed.argocd.apply(old)
        with tried(installed, installed.repository.path, ["dev"], place):
            installed.kubectl(*run)
            alone = placed(policies.maker("Job", old["spec"]["jobTemplate"]["spec"]["template"]["spec"]), place)
            assert "tool" in denials(objections(installed, alone))


def test_an_exception_is_for_one_policy_and_one_namespace(installed: Stack, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(installed.repository.path, tmp_path / "repository"))
    file = repository / "apps/platform/policies/exceptions/kustomization.yaml"
    file.write_text(policies.excepted(file.read_text(), "workload-pods", "vendor-dev-tried"))
    wanted = policies.violations("-")
    root, no_limit = wanted["root in a pod"].item, wanted["no limit"].item
    asked = [placed(item, place) for item in (root, no_limit) for place in ("vendor-dev-tried", "other-dev-tried")]
    with (
        installed.argocd.applied(namespace("vendor-dev-tried"), namespace("other-dev-tried")),
        tried(installed, repository, ["dev"], "other-dev-tried"),
    ):
        said = ["\n".join(objections(installed, item)) for item in asked]
    assert ["'tried-pods'" in text for text in said] == [False, True, False, False]
    assert ["'tried-resources'" in text for text in said] == [False, False, True, True]
