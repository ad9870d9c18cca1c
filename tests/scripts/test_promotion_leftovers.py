"""A promotion replaces an earlier one, whatever its state, but never the commits of people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.checkout import Checkout
from tests.support.forge import branches, git, printed, promote
from tests.support.pipelines import Runner

DEV, STAGING = (f"apps/workloads/shop/overlays/{name}/kustomization.yaml" for name in ("dev", "staging"))
BRANCH = "promote/shop/dev/staging"


@pytest.fixture
def remote(checkout: Checkout, tmp_path: Path) -> Path:
    """Return the remote of the clone."""
    path = tmp_path / "server.git"
    checkout.git("clone", "--quiet", "--bare", ".", str(path))
    checkout.git("remote", "add", "origin", str(path))
    checkout.git("fetch", "--quiet", "origin")
    return path


def release(checkout: Checkout, old: str, new: str) -> None:
    """Release an image to the first environment."""
    checkout.replace(DEV, old, new)
    checkout.commit()
    checkout.git("push", "--quiet", "origin", "main")


def image(checkout: Checkout) -> str:
    """Return the tag in the first environment that promotions change."""
    return checkout.git("grep", "--only-matching", "-h", r"2\.8\.0[^\"]*", "--", DEV)


def push(checkout: Checkout) -> str:
    """Promote, push the branch with the printed command, and return its commit."""
    result = checkout.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if "Next: git push " in line]
    checkout.git(*line.partition("Next: git ")[2].split())
    return checkout.git("rev-parse", BRANCH)


def squash(checkout: Checkout) -> None:
    checkout.git("merge", "--quiet", "--squash", BRANCH)
    checkout.git("commit", "--quiet", "--message", "Promote shop (#1)")
    checkout.git("push", "--quiet", "origin", "main")


def merge(checkout: Checkout) -> None:
    checkout.git("merge", "--quiet", "--no-ff", "--message", "Merge", BRANCH)
    checkout.git("push", "--quiet", "origin", "main")


def update_branch(checkout: Checkout) -> None:
    """Merge the followed branch into the promotion, like the update button of a Git server."""
    checkout.write("docs/other.md", f"Other than {checkout.git('rev-parse', 'HEAD')}.\n")
    checkout.commit()
    checkout.git("push", "--quiet", "origin", "main")
    checkout.git("switch", "--quiet", BRANCH)
    checkout.git("merge", "--quiet", "--no-edit", "main")
    checkout.git("push", "--quiet", "origin", BRANCH)
    checkout.git("switch", "--quiet", "main")


def update_branch_twice(checkout: Checkout) -> None:
    update_branch(checkout)
    update_branch(checkout)


def update_branch_after_a_release(checkout: Checkout) -> None:
    release(checkout, "2.8.0-rc.1", "2.8.0")
    update_branch(checkout)


ENDINGS: dict[str, Callable[[Checkout], object]] = {
    "squashed": squash,
    "merged": merge,
    "still open or closed": lambda _: None,
    "brought up to date": update_branch,
    "brought up to date, twice": update_branch_twice,
    "brought up to date after a release": update_branch_after_a_release,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_next_promotion_takes_the_place_of_the_last_one(checkout: Checkout, remote: Path, ending: str) -> None:
    push(checkout)
    ENDINGS[ending](checkout)
    release(checkout, image(checkout), "2.9.0")
    commit = push(checkout)
    assert git(remote, "rev-parse", BRANCH) == commit
    assert git(remote, "rev-parse", f"{BRANCH}^") == git(remote, "rev-parse", "main")
    assert 'newTag: "2.9.0"' in git(remote, "show", f"{BRANCH}:{STAGING}")


def edit_a_merge(checkout: Checkout) -> None:
    """Merge the followed branch, and change something in the merge commit."""
    checkout.git("merge", "--quiet", "--no-commit", "--no-ff", "main")
    checkout.write("docs/own.md", "Own.\n")


OWN: dict[str, Callable[[Checkout], object]] = {
    "the file": lambda c: c.replace(STAGING, "name: api\n    count: 2", "name: api\n    count: 9"),
    "another file": lambda c: c.write("docs/own.md", "Own.\n"),
    "a merge": edit_a_merge,
}


@pytest.mark.parametrize("what", OWN)
@pytest.mark.parametrize("place", ["here", "there"])
def test_what_somebody_committed_on_the_branch_stays(checkout: Checkout, remote: Path, what: str, place: str) -> None:
    push(checkout)
    checkout.write("docs/other.md", "Other.\n")
    checkout.commit()
    checkout.git("switch", "--quiet", BRANCH)
    OWN[what](checkout)
    own = checkout.commit()
    checkout.git("switch", "--quiet", "main")
    if place == "there":
        checkout.git("push", "--quiet", "origin", BRANCH)
        checkout.git("branch", "--quiet", "-D", BRANCH)
    release(checkout, "2.8.0-rc.1", "2.9.0")
    result = checkout.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.returncode == 1
    fix = {"here": "git branch -D", "there": "git push origin --delete"}[place]
    assert f"has commits that are no promotion ({own[:12]}): keep them on another branch" in result.stderr
    assert f"then run {fix} {BRANCH}" in result.stderr
    assert own in (checkout.git("for-each-ref", "--format=%(objectname)"))


def test_the_branch_of_one_component_does_not_stop_that_of_all(checkout: Checkout) -> None:
    assert checkout.script("promote.py", "shop", "dev", "staging", "--component", "api", "--branch").returncode == 0
    result = checkout.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.stderr == (
        f"the branch {BRANCH}/api blocks the name {BRANCH}: merge it, then run git branch -D {BRANCH}/api\n"
    )


def test_a_branch_that_is_checked_out_stays(checkout: Checkout) -> None:
    assert checkout.script("promote.py", "shop", "dev", "staging", "--branch").returncode == 0
    checkout.git("switch", "--quiet", BRANCH)
    result = checkout.script("promote.py", "shop", "dev", "staging", "--branch")
    assert result.returncode == 1
    assert result.stderr == f"the branch {BRANCH} is checked out: git switch to another branch first\n"
    assert checkout.git("status", "--porcelain") == ""


@pytest.fixture
def developer(runner: Runner, environment: dict[str, str], tmp_path: Path) -> Checkout:
    """Return a clone of the repository in which the jobs promote."""
    git(tmp_path, "clone", "--quiet", str(runner.repository), "developer")
    return Checkout(tmp_path / "developer", environment)


@pytest.mark.proof
def test_the_jobs_replace_what_they_left_and_reuse_an_open_request(runner: Runner, developer: Checkout) -> None:
    home = Path(runner.environment["HOME"])
    assert not any(result.returncode for result in promote(runner, "dev", "staging"))
    developer.git("fetch", "--quiet", "origin", f"{BRANCH}:{BRANCH}")
    squash(developer)
    release(developer, "2.8.0-rc.1", "2.9.0")
    results = promote(runner, "dev", "staging")
    assert [result.returncode for result in results] == [0, 0], printed(results)
    assert git(runner.repository, "rev-parse", f"{BRANCH}^") == git(runner.repository, "rev-parse", "main")
    (home / "open").write_text("7")
    release(developer, "2.9.0", "2.10.0")
    results = promote(runner, "dev", "staging")
    assert [result.returncode for result in results] == [0, 0], printed(results)
    assert 'newTag: "2.10.0"' in git(runner.repository, "show", f"{BRANCH}:{STAGING}")
    if (request := home / "request").exists():
        assert request.read_text().splitlines()[:4] == ["api", "--method", "PATCH", "repos/acme/origin/pulls/7"]
        assert "2.10.0" in (home / "text").read_text()
    # Two workloads, each with its own branch.
    results = promote(runner, "staging", "prod", workload="reports")
    assert not any(result.returncode for result in results), printed(results)


@pytest.mark.proof
def test_the_jobs_leave_what_somebody_committed_there(runner: Runner, developer: Checkout) -> None:
    assert not any(result.returncode for result in promote(runner, "dev", "staging"))
    developer.git("fetch", "--quiet", "origin", f"{BRANCH}:{BRANCH}")
    developer.git("switch", "--quiet", BRANCH)
    developer.write("docs/own.md", "Own.\n")
    own = developer.commit()
    developer.git("push", "--quiet", "origin", BRANCH)
    results = promote(runner, "dev", "staging")
    assert results[-1].returncode == 1
    assert f"{BRANCH} in origin has commits that are no promotion ({own[:12]})" in printed(results)
    assert git(runner.repository, "rev-parse", BRANCH) == own
    assert branches(runner) == ["main", BRANCH]
