"""Unexpected trees: the scripts report the problem and exit with the right status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops import checks
from gitops.strictyaml import MAX_BYTES
from tests.support.checkout import Checkout
from tests.support.hostile import CHECKS, CONFIG_MAP, FILES, OVERLAY, repository, write


def make_fifo(checkout: Checkout) -> None:
    """Replace a file in Git with something that blocks every reader."""
    (checkout.path / OVERLAY / "plain.yaml").unlink()
    os.mkfifo(checkout.path / OVERLAY / "plain.yaml")


def replace_folder(checkout: Checkout) -> None:
    """Replace a folder with a link to a copy elsewhere."""
    elsewhere = checkout.path.parent / "elsewhere"
    shutil.move(checkout.path / OVERLAY, elsewhere)
    (checkout.path / OVERLAY).symlink_to(elsewhere)


def add_submodule(checkout: Checkout) -> None:
    checkout.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},apps/workloads/evil/sub")


def make_folder(checkout: Checkout) -> None:
    """Create a folder with the name of a file."""
    (checkout.path / OVERLAY / "kustomization.yaml").unlink()
    checkout.write(f"{OVERLAY}/kustomization.yaml/kustomization.yaml", "resources: []\n")


TREES: dict[str, tuple[Callable[[Checkout], None], str, str]] = {
    "a pipe": (make_fifo, "files", "this is neither a file nor a folder"),
    "a folder behind a link": (replace_folder, "files", "symbolic links are not allowed in apps/"),
    "a submodule": (add_submodule, "files", "apps/workloads/evil/sub: submodules are not allowed"),
    "a folder like a file": (make_folder, "builds", "is not a regular file"),
    "a line break in a name": (
        lambda c: c.write("docs/a\n::error::b", ""),
        "files",
        r"docs/a\n::error::b: the name has a part or a character that is not allowed",
    ),
    "a name that is not UTF-8": (
        lambda c: (c.path / os.fsdecode(b"a\xff")).touch(),
        "files",
        r"a\udcff: the name has a part or a character that is not allowed",
    ),
    "a link out of the repository": (
        lambda c: (c.path / "kube").symlink_to("/opt/kubeconfig"),
        "files",
        "kube: the link points outside the repository, to /opt/kubeconfig",
    ),
    "a link that leaves and comes back": (
        lambda c: (c.path / "kube").symlink_to(f"../{c.path.name}/argo"),
        "files",
        "kube: the link points outside the repository",
    ),
    "an override": (
        lambda c: c.write(f"{OVERLAY}/.argocd-source-evil-dev.yaml", "kustomize: {namePrefix: x}\n"),
        "files",
        ".argocd-source-evil-dev.yaml: Argo CD reads this instead of the Application",
    ),
    "a hidden folder": (
        lambda c: c.write(f"{OVERLAY}/.x/y.yaml", ""),
        "files",
        "hidden files are not allowed in",
    ),
    "a program": (
        lambda c: (c.path / OVERLAY / "plain.yaml").chmod(0o755),
        "files",
        "files in apps/ must not be",
    ),
    "a filter": (
        lambda c: c.write(".gitattributes", "*.yaml filter=lfs diff=lfs merge=lfs -text\n"),
        "files",
        ".gitattributes:1: remove filter=lfs",
    ),
    "a file that archives leave out": (
        lambda c: c.write(".gitattributes", "* text=auto eol=lf\napps/** export-ignore\n"),
        "files",
        ".gitattributes:2: remove export-ignore",
    ),
    "Jsonnet": (lambda c: c.write("argo/more.jsonnet", "{}"), "files", "Jsonnet is not supported in argo/"),
    "a file that Argo CD leaves out": (
        lambda c: c.write("argo/evil.yaml", f"# +argocd:skip-file-rendering\n{FILES['argo/evil.yaml']}"),
        "files",
        "argo/evil.yaml: remove +argocd:skip-file-rendering",
    ),
    "a large file": (
        lambda c: c.write(f"{OVERLAY}/plain.yaml", CONFIG_MAP + "#" * MAX_BYTES),
        "local",
        "plain.yaml is larger than 10 MiB",
    ),
}


@pytest.mark.parametrize("what", TREES)
def test_both_scripts_name_what_argo_cd_would_refuse_or_read_otherwise(tmp_path: Path, what: str) -> None:
    change, check, message = TREES[what]
    checkout = Checkout(repository(tmp_path / "clone"), {})
    change(checkout)
    problems = {result.id: result.problems for result in checks.run(checkout.path, only=CHECKS)}
    assert any(message in problem for problem in problems[check]), problems
    report = checkout.script("blast_radius.py", "--json")
    assert report.returncode == 2, report.stdout
    assert message in json.loads(report.stdout)["problems"].__str__().replace("\\\\", "\\")


def test_a_commit_is_read_like_the_working_tree(tmp_path: Path) -> None:
    checkout = Checkout(repository(tmp_path / "clone"), {})
    checkout.write(".gitattributes", "apps/** export-ignore\n*.txt export-subst\n")
    checkout.write(f"{OVERLAY}/.argocd-source.yaml", "kustomize: {}\n")
    (checkout.path / OVERLAY / "link.yaml").symlink_to("/etc/hostname")
    add_submodule(checkout)
    checkout.git("add", "--all", "--", ".", ":!apps/workloads/evil/sub")
    checkout.git("commit", "--quiet", "--message", "Attack")
    report = checkout.script("blast_radius.py", "HEAD^", "HEAD")
    assert report.returncode == 2
    for part in ("remove export-ignore", ".argocd-source.yaml", "link.yaml: symbolic links", "sub: submodules"):
        assert part in report.stdout
    # Afterwards too: the effect of the override is unknown.
    checkout.git("revert", "--no-edit", "HEAD")
    reverted = checkout.script("blast_radius.py", "HEAD^", "HEAD")
    assert reverted.returncode == 2
    assert ".argocd-source.yaml: Argo CD reads this file, and its effect is unknown" in reverted.stdout


def test_a_commit_cannot_write_elsewhere(tmp_path: Path) -> None:
    checkout = Checkout(repository(tmp_path / "clone"), {})
    blob = checkout.git("rev-parse", "HEAD:argo/root.yaml")
    entries = b"".join(b"100644 " + name + b"\0" + bytes.fromhex(blob) for name in (b"..", b".git", b"a\\b"))
    command = ["git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin"]
    tree = subprocess.run(command, cwd=checkout.path, input=entries, check=True, capture_output=True).stdout
    commit = checkout.git("commit-tree", tree.decode().strip(), "-m", "Escape", "-p", "HEAD")
    report = checkout.script("blast_radius.py", "HEAD", commit)
    # It may or may not be reported as a loss, but never as harmless.
    assert report.returncode in (1, 2)
    assert "Not everything could be compared" in report.stdout
    assert "the name has a part or a character that is not allowed" in report.stdout


def test_links_inside_the_repository_pass_outside_of_what_argo_cd_builds(tmp_path: Path) -> None:
    checkout = Checkout(repository(tmp_path / "clone"), {})
    write(checkout.path, {"docs/a.md": "Text.\n"})
    (checkout.path / "docs/b.md").symlink_to("../docs/./a.md")
    (result,) = checks.run(checkout.path, only=["files"])
    assert result.problems == []
