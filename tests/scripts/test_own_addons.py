"""An add-on that users add by hand, as documented: the scripts treat it like the template's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitops import checks
from tests.support import policies
from tests.support.checkout import Checkout
from tests.support.cluster import layout
from tests.support.cluster.charts import documented_chart
from tests.support.own_checks import NEEDS_KYVERNO, Problems
from tests.support.pages import commands
from tests.support.renovate import extract, look_up, next_version, releases_of

CHECK = "scripts/validate.py"
CLUSTER, ADDON = "prod", "descheduler"
FOLDER, PROJECT = f"apps/platform/{ADDON}", f"argo/projects/{ADDON}.yaml"
DESCRIPTION = f"{FOLDER}/addon.yaml"
APPLICATIONS = {f"{ADDON}-{CLUSTER}", f"{ADDON}-config-{CLUSTER}"}


@pytest.fixture(scope="module")
def typed(original: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone after typing the how-to, with nothing committed but the exception for this cluster."""
    path = Path(shutil.copytree(original, tmp_path_factory.mktemp("typed") / "clone"))
    exceptions = path / layout.POLICY_EXCEPTIONS
    exceptions.write_text(policies.excepted_addon(exceptions.read_text(), ADDON, CLUSTER))
    subprocess.run(["git", "commit", "--quiet", "--all", "--message", "Admit"], cwd=path, check=True)
    blocks = commands(path / "docs/operations.md", "Add an add-on")
    assert "".join(blocks).count(CHECK) == 1
    script = "".join(blocks).replace(CHECK, "")
    subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=path, env=environment, check=True)
    return path


@pytest.fixture
def added(typed: Path, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a clone to change."""
    return Checkout(Path(shutil.copytree(typed, tmp_path / "added")), environment)


def failed(checkout: Checkout) -> Problems:
    """Return the problems that the checks find in new files. The clusters evaluate the policies."""
    ids = [check.id for check in checks.all_checks() if check.id != NEEDS_KYVERNO]
    results = checks.run(checkout.path, only=ids, changed_since="HEAD")
    return {result.id: result.problems for result in results if result.problems}


def test_the_how_to_passes_every_check(added: Checkout) -> None:
    assert failed(added) == {}


def test_only_files_of_its_own_are_added(added: Checkout) -> None:
    status = added.git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line.split()[0] for line in status} == {"??"}
    assert {line.split()[1].split("/")[2].removesuffix(".yaml") for line in status} == {ADDON}


def test_a_cluster_with_the_name_of_an_environment_needs_the_exception(added: Checkout) -> None:
    added.replace(layout.POLICY_EXCEPTIONS, f'"{ADDON}-config-{CLUSTER}"', '"other"')
    (problem,) = failed(added)["own"]
    assert problem.startswith(f"{ADDON}-config-{CLUSTER}: the policy workload-own takes it for a workload")
    assert layout.POLICY_EXCEPTIONS in problem


@pytest.mark.parametrize(
    "group, kind", [("apps", "Deployment"), ("rbac.authorization.k8s.io", "ClusterRole"), ("", "Namespace")]
)
def test_validate_prints_what_its_project_lacks(added: Checkout, group: str, kind: str) -> None:
    name = "" if kind == "Deployment" else f"\n      name: {ADDON}"
    group = group or '""'
    added.replace(PROJECT, f"    - group: {group}\n      kind: {kind}{name}\n", "")
    section = "clusterResourceWhitelist" if name else "namespaceResourceWhitelist"
    result = added.script("validate.py", "--only", "projects")
    lines = [
        f"{PROJECT}: add below spec.{section}, for {ADDON}-{CLUSTER}:",
        f"- group: {group}",
        f"  kind: {kind}",
        *([f"  name: {ADDON}"] if name else []),
    ]
    assert "\n".join(f"         {line}" for line in lines) in result.stdout
    if not name:
        documented = (added.path / "docs/operations.md").read_text()
        assert "\n".join(lines).replace(ADDON, "<addon>") in documented


def test_a_value_that_its_chart_does_not_read_is_reported(added: Checkout) -> None:
    added.write(f"{FOLDER}/clusters/{CLUSTER}/overrides.yaml", "replicaCount: 2\n")
    (problem,) = failed(added)["values"]
    assert "replicaCount has no effect: chart descheduler" in problem


def test_the_blast_radius_names_what_it_creates(added: Checkout) -> None:
    report = added.blast_radius()
    changes = report["changes"]
    assert (report["status"], changes.keys()) == (0, APPLICATIONS | {"root"})
    assert {changes[name]["what"] for name in APPLICATIONS} == {"added"}
    assert "Deployment/descheduler" in changes[f"{ADDON}-{CLUSTER}"]["added"]
    assert changes["root"]["added"] == [f"AppProject/{ADDON}"]


def test_its_folder_cannot_vanish_unseen(added: Checkout) -> None:
    added.commit()
    shutil.rmtree(added.path / FOLDER)
    report = added.blast_radius()
    assert report["status"] == 1
    assert {name: change["what"] for name, change in report["changes"].items()} == dict.fromkeys(APPLICATIONS, "kept")


@pytest.mark.proof
def test_renovate_moves_its_chart_and_leaves_those_of_the_template_alone(added: Checkout) -> None:
    added.commit()
    charts, _ = look_up(added.path, {})
    assert [file for file, dependencies in charts["regex"].items() if dependencies] == [DESCRIPTION]
    _, updates = look_up(added.path, releases_of(charts, "2021-01-01T00:00:00Z"))
    (update,) = [update for update in updates if update.file == DESCRIPTION]
    version = next_version(documented_chart().version)
    assert (update.dependency, update.version, update.is_pending) == (ADDON, version, False)


@pytest.mark.proof
def test_renovate_finds_a_chart_in_a_registry_in_any_order_of_fields(added: Checkout) -> None:
    added.write(DESCRIPTION, 'namespace: any\nversion: "2.20.2"\nchart: keda # ours\nrepository: ghcr.io/acme/charts\n')
    added.commit()
    (found,) = extract(added.path)["regex"][DESCRIPTION]
    assert (found["datasource"], found["packageName"]) == ("docker", "ghcr.io/acme/charts/keda")
    assert (found["depName"], found["currentValue"]) == ("keda", "2.20.2")
