"""Clones of every kind: the scripts work in each, or print one line with the fix."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import checks
from tests.support.checkout import Checkout, committed

DEV = "apps/workloads/shop/overlays/dev/kustomization.yaml"
STAGING = DEV.replace("dev", "staging")
BRANCH = "promote/shop/dev/staging"


def git(*arguments: str | Path) -> str:
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def server(original: Path, tmp_path: Path) -> Path:
    """A bare repository with two commits."""
    path = tmp_path / "server.git"
    git("clone", "--quiet", "--bare", original, path)
    git("-C", path, "config", "uploadpack.allowFilter", "true")
    work = Checkout(tmp_path / "second", {})
    git("clone", "--quiet", path, work.path)
    work.write("docs/second.md", "Second.\n")
    work.commit()
    work.git("push", "--quiet", "origin", "main")
    return path


def assert_works(clone: Checkout) -> None:
    """Assert that each script works in a clone."""
    clone.replace(STAGING, "name: api\n    count: 2", "name: api\n    count: 3")
    assert list(clone.blast_radius()["changes"]) == ["shop-staging"]
    result = clone.script("validate.py", "--quick", "--changed", "--only", "yaml", "--only", "files")
    assert result.returncode == 0, result.stdout + result.stderr
    assert clone.git("status", "--porcelain").endswith(f"M {STAGING}")
    result = clone.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.returncode == 0, result.stderr
    # Only the image: neither the change above, nor line endings.
    assert clone.git("diff", "--shortstat", f"{BRANCH}^", BRANCH) == "1 file changed, 1 insertion(+), 1 deletion(-)"


def detached(server: Path, place: Path) -> None:
    git("clone", "--quiet", server, place)
    git("-C", place, "checkout", "--quiet", "--detach")


def worktree(server: Path, place: Path) -> None:
    git("clone", "--quiet", server, place.parent / "main")
    git("-C", place.parent / "main", "worktree", "add", "--quiet", "-b", "work", place)


def submodule(server: Path, place: Path) -> None:
    git("init", "--quiet", place.parent)
    git("-C", place.parent, "submodule", "add", server, place.name)


def configured(*settings: str) -> Callable[[Path, Path], object]:
    """Return a function that clones with settings of Git."""
    options = [word for setting in settings for word in ("--config", setting)]
    return lambda server, place: git("clone", "--quiet", *options, server, place)


CLONES: dict[str, Callable[[Path, Path], object]] = {
    "a branch of its own": configured(),
    "a detached commit": detached,
    "a worktree": worktree,
    "a submodule": submodule,
    "the last commit only": lambda server, place: git("clone", "--quiet", "--depth=1", f"file://{server}", place),
    "no files of old commits": lambda server, place: git(
        "clone", "--quiet", "--filter=blob:none", f"file://{server}", place
    ),
    "one branch": lambda server, place: git("clone", "--quiet", "--single-branch", server, place),
    "line endings of Windows": configured("core.autocrlf=true"),
    "no modes of files, no links": configured("core.fileMode=false", "core.symlinks=false", "core.ignoreCase=true"),
    "signed commits and hooks": configured("commit.gpgSign=true", "gpg.program=false", "core.hooksPath=/dev/null"),
    "another way to compare": configured(
        "diff.external=false", "diff.noprefix=true", "color.ui=always", "diff.relative=true"
    ),
}


@pytest.mark.parametrize("what", CLONES)
def test_the_scripts_work_in_every_clone(server: Path, tmp_path: Path, what: str) -> None:
    place = tmp_path / "Größe und Übersicht" / "naïve ünïcode's"
    place.parent.mkdir()
    CLONES[what](server, place)
    assert_works(Checkout(place, {}))


def refusals(clone: Checkout) -> list[str]:
    """Return why each script rejects a clone."""
    results = [
        clone.script("validate.py", "--quick"),
        clone.script("blast_radius.py"),
        clone.script("promote.py", "shop", "dev", "staging"),
        clone.script("promote.py", "--check", BRANCH, "HEAD"),
    ]
    assert [result.returncode for result in results] == [1, 2, 1, 1]
    return [result.stderr for result in results]


def test_a_part_of_another_repository_is_refused(original: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(original, outer / "deploy/gitops", ignore=shutil.ignore_patterns(".git"))
    reason = f"this folder is deploy/gitops/ of the repository {committed(outer)}, and Argo CD reads paths from the top"
    assert all(reason in refusal for refusal in refusals(Checkout(outer / "deploy/gitops", {})))


def test_what_is_no_clone_is_refused(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "files", ignore=shutil.ignore_patterns(".git"))
    assert set(refusals(Checkout(tmp_path / "files", {}))) == {
        f"{tmp_path}/files is not a clone of Git: run git init, or clone the repository\n"
    }


def test_the_clone_of_somebody_else_is_refused_with_gits_own_words(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert all("git config --global --add safe.directory" in refusal for refusal in refusals(checkout))


def repaired(clone: Checkout, *command: str) -> None:
    """Run a script that rejects a clone, then the command that it prints, then the script again."""
    result = clone.script(*command)
    assert result.returncode == 1, result.stdout
    (line,) = result.stderr.splitlines()
    clone.git(*line.rpartition("run git ")[2].split())
    assert clone.script(*command).returncode == 0


def test_a_clone_of_another_branch_names_the_command_that_fetches_what_argo_cd_follows(
    server: Path, tmp_path: Path
) -> None:
    git("-C", server, "branch", "work", "main")
    clone = Checkout(tmp_path / "clone", {})
    git("clone", "--quiet", "--single-branch", "--branch=work", server, clone.path)
    repaired(clone, "promote.py", "shop", "dev", "staging", "--branch")


def test_a_clone_without_the_common_commit_names_the_command_that_fetches_it(server: Path, tmp_path: Path) -> None:
    git("-C", server, "branch", "work", "main^")
    clone = Checkout(tmp_path / "clone", {})
    git("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=work", f"file://{server}", clone.path)
    repaired(clone, "validate.py", "--quick", "--changed", "--only", "yaml", "--only", "files")


def test_what_git_cannot_fetch_any_more_is_one_line(server: Path, tmp_path: Path) -> None:
    clone = Checkout(tmp_path / "clone", {})
    git("clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{server}", clone.path)
    server.rename(tmp_path / "away")
    result = clone.script("blast_radius.py", "HEAD^", "HEAD")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
    assert "server.git" in result.stderr


def test_whoever_commits_has_a_name(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    checkout.git("config", "user.useConfigOnly", "true")
    result = checkout.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.stderr == (
        "Git does not know who commits: run git config user.name <name>, and git config user.email <address>\n"
    )


def test_a_hook_of_another_repository_leads_nowhere(checkout: Checkout, server: Path) -> None:
    variables = {"GIT_DIR": str(server), "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/dev/null", "GIT_PREFIX": "docs/"}
    result = checkout.process("validate.py", "--quick", "--only", "files", "--only", "yaml", **variables)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_hook_of_a_commit_in_a_worktree_checks_that_worktree(checkout: Checkout, tmp_path: Path) -> None:
    tree = Checkout(tmp_path / "tree", checkout.environment)
    checkout.git("worktree", "add", "--quiet", str(tree.path))
    hook = checkout.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec '{sys.executable}' scripts/validate.py --only files\n")
    hook.chmod(0o755)
    tree.write("apps/workloads/shop/base/.hidden.yaml", "")
    tree.git("add", "--all")
    with pytest.raises(subprocess.CalledProcessError) as error:
        tree.git("commit", "--message", "Hide")
    assert "hidden files are not allowed in apps/" in error.value.stdout + error.value.stderr


def test_a_terminal_without_arrows_gets_another_character(checkout: Checkout) -> None:
    result = checkout.process("promote.py", "shop", "dev", "staging", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert r"2.7.1 \u2192 ghcr.io/acme/shop-api:2.8.0-rc.1" in result.stdout


NAMES = {
    "a device": ("docs/aux.md", "docs/aux.md: Windows cannot store this name"),
    "a folder that is a device": ("docs/con/a.md", "docs/con: Windows cannot store this name"),
    "a colon": ("docs/a:b.md", "docs/a:b.md: Windows cannot store this name"),
    "a dot at the end": ("docs/a.", "docs/a.: Windows cannot store this name"),
    "another case": ("readme.MD", "readme.MD: macOS and Windows cannot store both this and README.md"),
    "a folder in another case": ("Docs/a.md", "docs: macOS and Windows cannot store both this and Docs"),
    "other letters for the same": (
        "docs/\u212b.md",
        "macOS and Windows cannot store both this and",
    ),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_not_every_machine_can_store_is_refused(checkout: Checkout, what: str) -> None:
    name, message = NAMES[what]
    checkout.write(name, "")
    if what == "other letters for the same":
        checkout.write("docs/\u00c5.md", "")
    (result,) = checks.run(checkout.path, only=["files"])
    assert any(message in problem for problem in result.problems), result.problems


def test_changed_means_what_differs_from_the_branch_that_argo_cd_follows(server: Path, tmp_path: Path) -> None:
    clone = Checkout(tmp_path / "clone", {})
    git("clone", "--quiet", server, clone.path)
    clone.git("switch", "--quiet", "--create", "production")
    clone.replace("argo/root-application.yaml", "targetRevision: main", "targetRevision: production")
    clone.write("docs/long.yaml", "a:   1\n")
    clone.commit()
    clone.git("push", "--quiet", "origin", "production")
    # The default branch of the server is still main.
    result = clone.script("validate.py", "--changed", "--only", "yaml")
    assert "skipped" in result.stdout, result.stdout
