"""A repository moves, and a cluster is renamed, as documented. `git revert` undoes each commit. Nothing is lost."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import guarded, layout, victims
from tests.support.cluster.stack import Stack

NEW_URL = "https://github.com/acme-new/platform-gitops.git"
OLD, NEW = victims.CLUSTER, "dev-eu"
MOVE, RENAME = "Move the repository", "Rename a cluster"


@pytest.fixture(scope="module")
def with_copier(stages: Stack) -> Stack:
    """Yield the stack, with Copier for the typed commands."""
    link = stages.folder / "bin/copier"
    if not link.exists():
        link.symlink_to(Path(sys.executable).with_name("copier"))
    return stages


@pytest.fixture
def place(with_copier: Stack) -> Path:
    """Create an empty repository at the new URL. Git pushes to it as a folder: the proxy is read-only."""
    folder = with_copier.folder / "web" / NEW_URL.removeprefix("https://")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", folder], check=True)
    with (with_copier.folder / "home/.gitconfig").open("a") as file:
        file.write(f'[url "{folder}"]\n\tpushInsteadOf = {NEW_URL}\n')
    return folder


def typed(stages: Stack, block: str, exports: str) -> None:
    """Type a documented block in a shell with the variables of the first block."""
    stages.type("\n".join([*re.findall("(?m)^export .*", exports), block]))


def settled(stages: Stack, message: str, before: guarded.Identities) -> None:
    """Publish the changes, wait until Argo CD has applied them, and compare what runs."""
    stages.publish(message)
    stages.settle()
    assert guarded.everything(stages) == before


def revert(stages: Stack, before: guarded.Identities, count: int = 1) -> None:
    """Revert one of the last commits like a user."""
    revision = f"HEAD~{count - 1}"
    stages.checkout.git("revert", "--no-commit", revision)
    settled(stages, f"Revert {count} back", before)


def test_a_repository_moves_by_the_documented_commands_and_back(with_copier: Stack, place: Path) -> None:
    stages = with_copier
    exports, admit, check, move, forget = stages.documented("operations.md", MOVE)
    exports = exports.replace("<new-url>", NEW_URL)
    with stages.undone():
        before = guarded.everything(stages)
        stages.type(exports)
        stages.checkout.git("remote", "set-url", "--add", "--push", "origin", str(stages.checkout.origin))
        stages.checkout.git("remote", "set-url", "--add", "--push", "origin", str(place))
        typed(stages, admit, exports)
        settled(stages, "Admit the new URL", before)
        typed(stages, check, exports)
        typed(stages, move, exports)
        settled(stages, "Move", before)
        assert source_of(stages, "root") == source_of(stages, "shop-prod") == NEW_URL
        typed(stages, forget, exports)
        settled(stages, "Forget the old URL", before)
        revert(stages, before)
        revert(stages, before, count=3)
        assert source_of(stages, "root") == source_of(stages, "shop-prod") == stages.repository.answers["repo_url"]


def source_of(stages: Stack, name: str) -> str:
    """Return the repository of an Application."""
    return str(stages.argo.applications[name]["spec"]["source"]["repoURL"])


def test_a_locked_argocd_is_opened_by_the_documented_command(stages: Stack) -> None:
    url = stages.repository.answers["repo_url"]
    with stages.undone():
        before = guarded.everything(stages)
        for file in (stages.checkout.work / "argo").rglob("*.yaml"):
            file.write_text(file.read_text().replace(url, NEW_URL))
        stages.publish("Move in one commit")
        stages.until("root is locked", lambda: "not permitted in project 'bootstrap'" in stages.argo.says("root"))
        stages.checkout.git("revert", "--no-commit", "HEAD")
        stages.publish("Revert")
        (commands,) = stages.documented("installation.md", "4. Bootstrap")
        stages.type(commands)
        stages.settle()
        assert guarded.everything(stages) == before


def answers(stages: Stack, old: str, new: str) -> dict[str, Any]:
    """Return the answers with a renamed cluster, which keeps its endpoint and its records."""
    given = stages.repository.answers
    (cluster,) = (cluster for cluster in stages.repository.clusters if cluster["name"] == old)
    renamed = {"name": new, "ingress_host": cluster["ingress_host"], "dns_owner_id": cluster["dns_owner_id"]}
    clusters = [c | renamed if c["name"] == old else c for c in given["clusters"]]
    environments = [e | {"cluster": new} if e.get("cluster") == old else e for e in given["environments"]]
    return given | {"clusters": clusters, "environments": environments}


def test_a_cluster_is_renamed_by_the_documented_commands_and_back(with_copier: Stack) -> None:
    stages = with_copier
    take_along, secret, forget = (
        block.replace("<old>", OLD).replace("<new>", NEW) for block in stages.documented("operations.md", RENAME)
    )
    with stages.undone():
        before, names = guarded.everything(stages), stages.argo.applications.keys()
        (stages.folder / "renamed.yml").write_text(yaml.safe_dump(answers(stages, OLD, NEW), sort_keys=False))
        data = stages.folder / "renamed.yml"
        stages.type(f"copier update --quiet --vcs-ref=:current: --defaults --data-file {data}")
        typed(stages, take_along, take_along)
        assert (stages.checkout.work / layout.overrides("traefik", NEW)).read_text() != "{}\n"
        stages.publish("Rename a cluster")
        typed(stages, secret, take_along)
        renamed = {name for name in names if not name.endswith(f"-{OLD}")} | layout.platform_applications(NEW)
        stages.until("its add-ons have new applications", lambda: stages.argo.applications.keys() >= renamed)
        typed(stages, forget, take_along)
        stages.settle()
        assert stages.argo.applications.keys() == renamed
        assert guarded.everything(stages) == before

        stages.checkout.git("revert", "--no-commit", "HEAD")
        stages.publish("Call it by its old name again")
        back = f"export old={NEW} new={OLD}"
        stages.type(secret_back(secret))
        stages.until("the old applications are back", lambda: stages.argo.applications.keys() >= names)
        typed(stages, forget, back)
        stages.settle()
        assert stages.argo.applications.keys() == names
        assert guarded.everything(stages) == before


def secret_back(command: str) -> str:
    """Return the command that gives the Secret of the cluster its old name: the Secret itself was not renamed."""
    return command.replace("$old", OLD).replace("$new", OLD)
