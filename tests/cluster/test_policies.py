"""The admission policies in the API server: what they reject, what they accept, and who is exempt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import engines, policies
from tests.support.cluster import layout
from tests.support.cluster.admission import complaints, denied, objections
from tests.support.cluster.sandbox import SandboxError
from tests.support.cluster.scripts import Expected
from tests.support.cluster.stack import Stack
from tests.support.policies import secretstores
from tests.support.properties import up_to
from tests.support.repository import Document, Repository, scenarios

WORKLOAD = "whoami"
NAMESPACE = f"{WORKLOAD}-dev"
# The suffix of namespaces and policies that are tested beside those in use.
SUFFIX = "-policed"
CLUSTER_SCOPED = ("ClusterRole", "Namespace")
ACCOUNTS = "system:serviceaccount:kube-system"
THREADS = 8
VENDOR, OTHER = f"vendor-dev{SUFFIX}", f"other-dev{SUFFIX}"
TRACKING = "argocd.argoproj.io/tracking-id"


@pytest.fixture(scope="module", autouse=True)
def secrets_operator(installed: Stack) -> Iterator[None]:
    """Install an operator's kind that no policy may overlook."""
    with installed.argocd.applied(secretstores.DEFINITION):
        installed.until("the kind is served", lambda: installed.argocd.api.serves(secretstores.KIND))
        yield


def domain(stack: Stack) -> str:
    """Return the domain of the only environment."""
    (environment,) = stack.repository.environments
    return str(environment["domain"])


def placed(item: Document, namespace: str, application: str = "") -> Document:
    """Return an object as Argo CD would apply it for the workload of a namespace, or for another application."""
    metadata = item["metadata"] | ({} if item["kind"] in CLUSTER_SCOPED else {"namespace": namespace})
    tracking = {TRACKING: f"{application or namespace}:x/{item['kind']}:{namespace}/{metadata['name']}"}
    return item | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | tracking}}


def denials(stack: Stack, *items: Document) -> dict[str, tuple[str, str]]:
    """Return the denials of policies: by the name of an object, the policy and its message."""
    return denied(stack.argocd.api, *items)


def test_argo_cd_installs_the_policies_and_the_api_server_understands_them(installed: Stack) -> None:
    found = installed.argocd.list("validatingadmissionpolicies")
    assert {item["metadata"]["name"].removeprefix("workload-") for item in found} == {
        *("dns", "hosts", "images", "isolation", "limits", "middlewares", "namespaces", "network", "own", "pods"),
        *("resources", "secret-stores", "secrets", "services", "tokens"),
    }
    for item in found:
        assert "conditions" not in item["status"], item["status"]
        assert item["status"]["observedGeneration"] == item["metadata"]["generation"]
        assert item["status"]["typeChecking"] == {}, item["metadata"]["name"]


def test_each_policy_refuses_what_it_is_there_for(installed: Stack) -> None:
    wanted = policies.violations(domain(installed), WORKLOAD)
    said = denials(installed, *(placed(violation.item, NAMESPACE) for violation in wanted.values()))
    for what, (item, policy, message) in wanted.items():
        assert item["metadata"]["name"] in said, f"{what} passed"
        found, text = said[item["metadata"]["name"]]
        assert found == policy, f"{what}: {text}"
        assert message in text, what
    assert len(said) == len(wanted)


def test_what_keeps_to_the_policies_passes(installed: Stack) -> None:
    assert (
        objections(
            installed.argocd.api,
            *(placed(item, NAMESPACE) for item in policies.accepted(domain(installed), WORKLOAD)),
        )
        == []
    )


def test_the_platform_and_what_is_nobodys_are_left_alone(installed: Stack) -> None:
    wanted = [violation.item for violation in policies.violations(domain(installed)).values()]
    # No such Secret is created without a token, in any namespace.
    elsewhere = [placed(item, "kube-system", "traefik-main") for item in wanted]
    nobodys = [item | {"metadata": item["metadata"] | {"namespace": "default"}} for item in wanted]
    (role,) = [item for item in wanted if item["kind"] == "ClusterRole"]
    assert denials(installed, *elsewhere, *nobodys, role) == {}


def policies_of(repository: Path) -> list[Document]:
    """Return the policies of a repository: the same in each of its clusters."""
    folder, *_ = sorted((repository / layout.policies("")).iterdir())
    return engines.kustomize_build(folder)


@contextmanager
def tried(stack: Stack, repository: Path, environments: list[str], probe: str) -> Iterator[None]:
    """Apply the policies of a repository beside those in use, for namespaces that end in -policed.

    Args:
        stack: The stack with the cluster.
        repository: The repository with the policies.
        environments: The names of its environments.
        probe: An existing namespace that shows when they take effect.
    """
    text = json.dumps(policies_of(repository)).replace("workload-", "tried-")
    for name in environments:
        text = text.replace(json.dumps(json.dumps(name))[1:-1], json.dumps(json.dumps(f"{name}{SUFFIX}"))[1:-1])
        # Images whose tag may move, by the namespace of their Deployment; namespaces of hosts.
        text = text.replace(f"-{name}/", f"-{name}{SUFFIX}/").replace(f'-{name}\\"', f'-{name}{SUFFIX}\\"')
    node_port = placed(policies.service(type="NodePort"), probe)

    def is_refused() -> bool:
        return bool(denials(stack, node_port))

    try:
        with stack.argocd.applied(*json.loads(text)):
            stack.until("the policies refuse", is_refused)
            yield
    finally:
        stack.until("the policies are gone", lambda: not is_refused())


def beside(item: Document, namespaces: list[str], environments: list[str]) -> Document:
    """Return an object with its namespaces and environments replaced by those of the test."""
    text = json.dumps(item)
    for name in namespaces if item["kind"] == "NetworkPolicy" else []:
        text = text.replace(f'"{name}"', f'"{name}{SUFFIX}"')
    for name in environments if item["kind"] == "ExternalSecret" else []:
        text = text.replace(f'"name": "{name}"', f'"name": "{name}{SUFFIX}"').replace(f'"{name}/', f'"{name}{SUFFIX}/')
    return dict(json.loads(text))


def namespace(name: str, **labels: str) -> Document:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@pytest.fixture(scope="session")
def passed() -> set[str]:
    """Return what was already accepted: policies with the tested objects. Many repositories share them."""
    return set()


@pytest.mark.parametrize("repository", [*scenarios(), "town"], indirect=True, scope="session")
def test_what_a_repository_brings_keeps_to_its_own_policies(
    repository: Repository, brought: dict[str, Expected], installed: Stack, passed: set[str]
) -> None:
    environments = [environment["name"] for environment in repository.environments]
    workloads = [a for a in brought.values() if a.manifest["spec"]["project"] in environments]
    names = [a.namespace for a in workloads]
    documents = [
        placed(beside(item, names, environments), f"{a.namespace}{SUFFIX}") for a in workloads for item in a.objects
    ]
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
            with pytest.raises(SandboxError, match="hostNetwork"):
                installed.kubectl(*run)
            installed.kubectl(*run, f"--as={ACCOUNTS}:cronjob-controller")


def test_people_run_a_cron_job_by_hand(installed: Stack) -> None:
    place = f"old-dev{SUFFIX}"
    with installed.argocd.applied(namespace(place)), tried(installed, installed.repository.path, ["dev"], place):
        installed.argocd.apply(placed(policies.maker("CronJob"), place))
        installed.kubectl("create", "job", f"--namespace={place}", "run", "--from=cronjob/tool")


@pytest.mark.parametrize(
    ("user", "is_refused"),
    {
        f"{ACCOUNTS}:deployment-controller": False,
        "system:kube-controller-manager": False,
        "system:node:node-a": False,
        "eks:addon-manager": False,
        "system:serviceaccount:external-secrets:external-secrets": False,
        "system:serviceaccount:argocd:argocd-application-controller": True,
        f"{ACCOUNTS}:argocd-manager": True,
        f"system:serviceaccount:{NAMESPACE}:tool": True,
        "arn:aws:sts::123456789012:assumed-role/argocd/x": True,
        "alice": True,
    }.items(),
)
def test_only_controllers_set_owners(installed: Stack, user: str, is_refused: bool) -> None:
    owned = placed(policies.violations("-")["an owner of kind CronJob"].item, NAMESPACE)
    command = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--filename=-",
        f"--as={user}",
        "--as-group=system:masters",
    ]
    if is_refused:
        with pytest.raises(SandboxError, match="only controllers set owners"):
            installed.kubectl(*command, stdin=json.dumps(owned))
    else:
        installed.kubectl(*command, stdin=json.dumps(owned))


def test_an_application_writes_into_its_own_namespace_only(installed: Stack) -> None:
    thing = policies.service()
    stolen = [placed(thing, place, NAMESPACE) for place in ("kube-system", "argocd", "traefik", "default")]
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "environment": "dev"}
    in_git = [placed(namespace(name, **labels), name, NAMESPACE) for name in (NAMESPACE, "shop-dev", "kube-system")]
    for said in complaints(installed.argocd.api, *stolen, *in_git):
        assert f"the application {NAMESPACE} may write only into its own namespace" in "\n".join(said)


NAMESPACES = {
    "privileged": {"pod-security.kubernetes.io/enforce": "privileged", "environment": "dev"},
    "without Pod Security": {"environment": "dev"},
    "with Pod Security of long ago": {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.0",
        "environment": "dev",
    },
    "of another environment": {"pod-security.kubernetes.io/enforce": "restricted", "environment": "prod"},
}


@pytest.mark.parametrize("labels", NAMESPACES.values(), ids=NAMESPACES)
@pytest.mark.parametrize("name", ["new-dev", NAMESPACE])
def test_no_namespace_of_an_environment_is(installed: Stack, name: str, labels: dict[str, str]) -> None:
    (said,) = complaints(installed.argocd.api, namespace(name, **labels))
    assert "ValidatingAdmissionPolicy 'workload-namespaces'" in "\n".join(said)


def test_people_create_a_namespace_with_its_labels(installed: Stack) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "environment": "dev", "team": "a"}
    assert objections(installed.argocd.api, namespace("new-dev", **labels), namespace("new")) == []


# Objects with the finalizer of a hook that are not hooks.
HOOKED = "the finalizer of a hook"


@given(st.lists(st.sampled_from(sorted({**policies.METADATA, **policies.MARKS})), unique=True, max_size=4))
@up_to(15)
def test_nothing_that_an_author_writes_beside_it_lets_a_violation_pass(installed: Stack, names: list[str]) -> None:
    fields = [{**policies.METADATA, **policies.MARKS}[name] for name in names]
    wanted = {what: v.item for what, v in policies.violations(domain(installed)).items() if what != HOOKED}
    items = [placed(policies.marked(item, *fields), NAMESPACE) for item in wanted.values()]
    with ThreadPoolExecutor(THREADS) as pool:
        slices = [items[start::THREADS] for start in range(THREADS)]
        said = [denial for found in pool.map(lambda part: denials(installed, *part), slices) for denial in found]
    assert sorted(said) == sorted(item["metadata"]["name"] for item in items)


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
