"""The admission policies in the API server: what they refuse, what they let pass, and whom they leave alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import engines, policies
from tests.support.cluster import layout
from tests.support.cluster.admission import complaints, objections
from tests.support.cluster.sandbox import SandboxError
from tests.support.cluster.scripts import Expected
from tests.support.cluster.stack import Stack
from tests.support.repository import Document, Repository

NAMESPACE = "whoami-dev"
# Of namespaces and policies that are tried beside those that run.
SUFFIX = "-policed"
VENDOR, OTHER = f"vendor-dev{SUFFIX}", f"other-dev{SUFFIX}"
DENIED = re.compile(r"ValidatingAdmissionPolicy '([^']+)' with binding '\1' denied request: ")
TRACKING = {"argocd.argoproj.io/tracking-id": f"{NAMESPACE}:rbac.authorization.k8s.io/ClusterRole:/tool"}


def domain(stack: Stack) -> str:
    """The domain of the only environment."""
    (environment,) = stack.repository.environments
    return str(environment["domain"])


def placed(item: Document, namespace: str) -> Document:
    """An object as Argo CD would apply it for the workload of a namespace."""
    place = {"annotations": TRACKING} if item["kind"] == "ClusterRole" else {"namespace": namespace}
    return item | {"metadata": item["metadata"] | place}


def denials(stack: Stack, *items: Document) -> dict[str, tuple[str, str]]:
    """What policies say: by the name of an object, the policy and its message."""
    said = zip(items, complaints(stack.argocd.api, *items), strict=True)
    found = {item["metadata"]["name"]: DENIED.search("\n".join(lines)) for item, lines in said}
    return {name: (match[1], match.string[match.end() :]) for name, match in found.items() if match}


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
    said = denials(installed, *(placed(violation.item, NAMESPACE) for violation in wanted.values()))
    for what, (item, policy, message) in wanted.items():
        assert item["metadata"]["name"] in said, f"{what} passed"
        assert said[item["metadata"]["name"]][0] == policy, what
        assert message in said[item["metadata"]["name"]][1], what
    assert len(said) == len(wanted)


def test_what_keeps_to_the_policies_passes(installed: Stack) -> None:
    assert (
        objections(installed.argocd.api, *(placed(item, NAMESPACE) for item in policies.accepted(domain(installed))))
        == []
    )


def test_the_platform_and_what_is_nobodys_are_left_alone(installed: Stack) -> None:
    wanted = policies.violations(domain(installed)).values()
    elsewhere = [
        placed(violation.item, "kube-system") for violation in wanted if violation.item["kind"] != "ClusterRole"
    ]
    (role,) = [violation.item for violation in wanted if violation.item["kind"] == "ClusterRole"]
    of_traefik = {"annotations": {"argocd.argoproj.io/tracking-id": "traefik-main:x"}, "name": "tool-traefik"}
    assert denials(installed, *elsewhere, role, role | {"metadata": of_traefik}) == {}


def policies_of(repository: Path) -> list[Document]:
    """Return the policies of a repository: the same in each of its clusters."""
    folder, *_ = sorted((repository / layout.policies("")).iterdir())
    return engines.kustomize_build(folder)


@contextmanager
def tried(stack: Stack, repository: Path, environments: list[str], probe: str) -> Iterator[None]:
    """The policies of a repository beside those that run, for namespaces that end in -policed.

    Args:
        stack: Where they are applied.
        repository: What has them.
        environments: The names of its environments.
        probe: A namespace that exists, by which it is seen when they take effect.
    """
    text = json.dumps(policies_of(repository)).replace("workload-", "tried-")
    for name in environments:
        text = text.replace(json.dumps(json.dumps(name))[1:-1], json.dumps(json.dumps(f"{name}{SUFFIX}"))[1:-1])
    node_port = placed(policies.service(type="NodePort"), probe)

    def is_refused() -> bool:
        return bool(denials(stack, node_port))

    try:
        with stack.argocd.applied(*json.loads(text)):
            stack.until("the policies refuse", is_refused)
            yield
    finally:
        stack.until("the policies are gone", lambda: not is_refused())


def namespace(name: str) -> Document:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture(scope="session")
def passed() -> set[str]:
    """What has passed already: policies with the objects that were held against them. Many repositories share them."""
    return set()


def test_what_a_repository_brings_keeps_to_its_own_policies(
    repository: Repository, brought: dict[str, Expected], installed: Stack, passed: set[str]
) -> None:
    environments = [environment["name"] for environment in repository.environments]
    workloads = [a for a in brought.values() if a.manifest["spec"]["project"] in environments]
    documents = [placed(item, f"{a.namespace}{SUFFIX}") for a in workloads for item in a.objects]
    if not documents:
        pytest.skip("no workloads")
    places = sorted({item["metadata"]["namespace"] for item in documents})
    key = json.dumps([policies_of(repository.path), documents, environments])
    if key not in passed:
        with (
            installed.argocd.applied(*map(namespace, places)),
            tried(installed, repository.path, environments, places[0]),
        ):
            assert denials(installed, *documents) == {}
        passed.add(key)


def test_what_runs_already_goes_on_until_it_is_changed(installed: Stack) -> None:
    place = f"old-dev{SUFFIX}"
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
    place = f"old-dev{SUFFIX}"
    old = placed(policies.violations("-")["the network of the node by a CronJob"].item, place)
    run = ["create", "job", f"--namespace={place}", "run", f"--from=cronjob/{old['metadata']['name']}"]
    with installed.argocd.applied(namespace(place)):
        installed.argocd.apply(old)
        with tried(installed, installed.repository.path, ["dev"], place):
            installed.kubectl(*run)
            alone = placed(policies.maker("Job", old["spec"]["jobTemplate"]["spec"]["template"]["spec"]), place)
            assert "tool" in denials(installed, alone)


def test_an_exception_is_for_one_policy_and_one_namespace(installed: Stack, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(installed.repository.path, tmp_path / "repository"))
    file = repository / layout.POLICY_EXCEPTIONS
    file.write_text(policies.excepted(file.read_text(), "workload-pods", VENDOR))
    wanted = policies.violations("-")
    root, no_limit = wanted["root in a pod"].item, wanted["no limit"].item
    asked = [placed(item, place) for item in (root, no_limit) for place in (VENDOR, OTHER)]
    with (
        installed.argocd.applied(namespace(VENDOR), namespace(OTHER)),
        tried(installed, repository, ["dev"], OTHER),
    ):
        said = ["\n".join(lines) for lines in complaints(installed.argocd.api, *asked)]
    assert ["'tried-pods'" in text for text in said] == [False, True, False, False]
    assert ["'tried-resources'" in text for text in said] == [False, False, True, True]
