"""If scripts/validate.py cannot check everything, its result is never ok, and always has a fix."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitops import builds, checks, gotemplates, kustomizations, schemas
from tests.support import engines
from tests.support.checkout import Checkout
from tests.support.own_checks import NEEDS_KYVERNO

ARGOCD_APPS = {"folders", "watched", "builds", "hooks", "hosts", "images", "networks", "own", "policies", "projects"}
ARGOCD_APPS |= {"routes", "schemas", "validation", "values"}
# The checks that need a tool, and the cached results of earlier runs.
TOOLS: dict[str, tuple[set[str], list[dict[str, object]]]] = {
    "gitleaks": ({"secrets"}, []),
    "helm": (ARGOCD_APPS, [builds._rendered, gotemplates._filled_by_helm]),  # type: ignore[list-item]
    "kubeconform": ({"schemas", "validation"}, [schemas._problems]),  # type: ignore[list-item]
    "kustomize": (ARGOCD_APPS - {"folders", "watched", "values"}, [kustomizations._built]),  # type: ignore[list-item]
    "kyverno": ({NEEDS_KYVERNO}, []),
}
WITHOUT_KYVERNO = [check.id for check in checks.all_checks() if check.id != NEEDS_KYVERNO]
TITLES = {check.title: check.id for check in checks.all_checks()}
FIX = "install mise (https://mise.jdx.dev/installing-mise.html), then run `mise install`."
SHOP = "apps/workloads/shop"
SET = "argo/applicationsets/workloads-dev.yaml"


def states(printed: list[str]) -> dict[str, str]:
    """Return the result of each check."""
    lines = [re.fullmatch(r"(ok|note|FAIL|skipped) +(.*?)( \(.*\))?", line) for line in printed]
    return {TITLES[line[2]]: line[1] for line in lines if line and line[2] in TITLES}


@pytest.fixture
def only_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder on the PATH for tools, beside Git."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(folder))
    yield folder


@pytest.mark.parametrize("missing", TOOLS)
def test_without_a_tool_no_check_that_needs_it_is_ok(
    checkout: Checkout, only_git: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    skipped, results = TOOLS[missing]
    for name in TOOLS.keys() - {missing, "kyverno"}:
        (only_git / name).symlink_to(engines.CACHE / "bin" / name)
    for kept in results:
        monkeypatch.setattr(*_owner(kept), {})
    result = checkout.script("validate.py")
    printed = result.stdout.splitlines()
    by_id = states(printed)
    assert len(by_id) == len(TITLES)
    # Kyverno is not built for the fast tests. Nobody recorded the digests of charts.
    assert {name for name, state in by_id.items() if state == "skipped"} == skipped | {NEEDS_KYVERNO, "charts"}
    assert "FAIL" not in by_id.values()
    assert [line for line in printed if line.startswith(f"{missing} is not installed: ")] == [
        f"{missing} is not installed: {FIX}"
    ]
    assert len(skips(printed, skipped)) == len(skipped)
    assert all(re.search(rf"{missing}.* (is|are) not installed", line) for line in skips(printed, skipped))
    count = len(skipped | {NEEDS_KYVERNO})
    assert printed[-2] == f"This is not a pass: {count} of {len(TITLES)} checks could not look at everything."
    assert printed[-1].endswith(f", {count + 1} skipped.")
    assert (result.returncode, result.stderr) == (2, "")


def skips(printed: list[str], identifiers: set[str]) -> list[str]:
    """Return the lines of skipped checks."""
    titles = [title for title, identifier in TITLES.items() if identifier in identifiers]
    return [line for line in printed if any(line.startswith(f"skipped  {title} (") for title in titles)]


def _owner(kept: dict[str, object]) -> tuple[object, str]:
    modules = (builds, gotemplates, kustomizations, schemas)
    return next((module, name) for module in modules for name, value in vars(module).items() if value is kept)


@pytest.mark.parametrize("script", ["validate.py", "blast_radius.py"])
def test_without_git_one_line_says_what_to_install(checkout: Checkout, script: str, tmp_path: Path) -> None:
    result = checkout.process(script, PATH=str(tmp_path))
    message = "git is not installed: install it from https://git-scm.com/downloads\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def write(file: str, text: str | bytes) -> Callable[[Checkout], None]:
    """Return a change that replaces a file."""

    def change(checkout: Checkout) -> None:
        (checkout.path / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def delete(file: str) -> Callable[[Checkout], None]:
    """Return a change that deletes a file or a folder."""

    def change(checkout: Checkout) -> None:
        path = checkout.path / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


BROKEN = "key: [value\n"
# The change, the check that reports it, and its message.
BREAKS: dict[str, tuple[Callable[[Checkout], None], str, str]] = {
    "a set": (write(SET, BROKEN), "folders", f"{SET} is not valid YAML: line 2: did not find expected"),
    "a set that is missing": (
        delete(SET),
        "folders",
        f"{SHOP}/overlays/dev: no ApplicationSet in argo/applicationsets reads it: dev is an environment, so restore",
    ),
    "a set with an unknown field": (
        lambda c: c.replace(SET, "  goTemplate: true", "  goTemplate: true\n  other: 1"),
        "builds",
        "ApplicationSet workloads-dev: spec.other is not supported here: remove it",
    ),
    "a set that lets people change more than a pause": (
        lambda c: c.replace(SET, "/spec/syncPolicy/automated/enabled", "/spec/source"),
        "builds",
        "ApplicationSet workloads-dev: spec.ignoreApplicationDifferences may only be [",
    ),
    "a manifest": (
        write(f"{SHOP}/base/web.yaml", BROKEN),
        "builds",
        f"shop-dev, shop-prod, shop-staging: {SHOP}/base/web.yaml: MalformedYAMLError: yaml: line 1: did not find",
    ),
    "a manifest without a kind": (
        write(f"{SHOP}/base/web.yaml", "key: value\n"),
        "builds",
        f"{SHOP}/base/web.yaml: not a Kubernetes object: apiVersion, kind or metadata.name is missing",
    ),
    "a program instead of a manifest": (
        write(f"{SHOP}/base/web.yaml", b"\x7fELF\xff\xfe"),
        "local",
        f"{SHOP}/base/web.yaml is not UTF-8: save it as UTF-8",
    ),
    "an overlay without a kustomization": (
        delete(f"{SHOP}/overlays/dev/kustomization.yaml"),
        "builds",
        f"shop-dev: not built: {SHOP}/overlays/dev has no kustomization.yaml",
    ),
    "the answers": (write(".copier-answers.yml", BROKEN), "answers", ".copier-answers.yml is not valid YAML: line 2: "),
    "the rules of yamllint": (delete(".yamllint.yml"), "yaml", ".yamllint.yml does not exist"),
    "unknown rules of yamllint": (
        write(".yamllint.yml", "rules:\n  other: enable\n"),
        "yaml",
        '.yamllint.yml is not a configuration of yamllint: invalid config: no such rule: "other"',
    ),
    "an add-on": (
        write("apps/platform/traefik/addon.yaml", "# Nothing.\n"),
        "builds",
        "{{ .repository }} refers to a parameter that does not exist for apps/platform/traefik",
    ),
    "values": (
        delete("apps/platform/traefik/values.yaml"),
        "builds",
        "traefik-nonprod, traefik-prod: apps/platform/traefik/values.yaml does not exist",
    ),
    "a project": (
        write("argo/projects/dev.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: dev}\n"),
        "projects",
        "shop-dev: argo/projects has no project dev with a spec: restore it from Git, or add it",
    ),
}
# Words of programs to programs.
UNREADABLE = re.compile(r"unexpected [A-Z]|Traceback|<unicode string>|/tmp/|accumulat")


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_file_is_reported_once_and_what_depends_on_it_is_not_ok(checkout: Checkout, what: str) -> None:
    change, identifier, message = BREAKS[what]
    change(checkout)
    results = {result.id: result for result in checks.run(checkout.path, only=WITHOUT_KYVERNO)}
    assert [problem for problem in results[identifier].problems if message in problem], results[identifier]
    problems = [problem for result in results.values() for problem in result.problems]
    assert len(problems) == len(set(problems))
    assert not [text for text in problems if UNREADABLE.search(text)]
    assert not [result.reason for result in results.values() if UNREADABLE.search(result.reason)]
    is_unbuilt = identifier in ("answers", "builds", "folders", "local") and "missing" not in what
    assert results["schemas"].is_complete is not is_unbuilt
    assert not is_unbuilt or results["schemas"].state is not checks.State.OK


def test_without_workloads_nothing_about_workloads_is_ok(checkout: Checkout) -> None:
    delete("apps/workloads")(checkout)
    result = checkout.script("validate.py", *(f"--only={name}" for name in ("folders", "hooks", "networks", "stages")))
    printed = result.stdout.splitlines()
    assert set(states(printed).values()) == {"skipped"}
    assert (result.returncode, printed[-1]) == (0, "4 checks: 4 skipped.")


def test_a_clone_without_commits_is_checked(checkout: Checkout) -> None:
    delete(".git")(checkout)
    checkout.git("init", "--quiet")
    only = ["--only=stages", "--only=yaml", "--only=answers"]
    result = checkout.script("validate.py", *only)
    reason = "Argo CD follows main, which is not in this clone: it has no commit yet. Commit first, and push it to main"
    assert f" ({reason})" in result.stdout
    assert states(result.stdout.splitlines()) == {"answers": "ok", "yaml": "ok", "stages": "skipped"}
    compared = checkout.script("blast_radius.py")
    message = "HEAD is not a commit of this clone: it has no commit yet. Commit first\n"
    assert (compared.returncode, compared.stderr) == (2, message)
    assert reason in checkout.script("validate.py", "--changed").stderr
