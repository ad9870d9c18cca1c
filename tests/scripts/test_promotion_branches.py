"""scripts/promote.py --check accepts only a promotion in the right direction, of content only, under its own name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.checkout import Checkout

FILE = "apps/workloads/shop/overlays/{}/kustomization.yaml"
STAGING, PROD = FILE.format("staging"), FILE.format("prod")
BRANCH = "promote/shop/dev/staging"


def refusal(checkout: Checkout, branch: str, base: str = "main", head: str = "HEAD") -> str:
    """Return why a branch is not a promotion."""
    result = checkout.script("promote.py", "--check", branch, base, head)
    assert (result.returncode, result.stdout) == (1, ""), result.stdout
    return result.stderr.strip()


def replace_in_index(checkout: Checkout, mode: str) -> None:
    """Change the mode of the promoted file, but not its content."""
    blob = checkout.git("rev-parse", f"HEAD:{STAGING}")
    checkout.git("update-index", "--cacheinfo", f"{mode},{blob},{STAGING}")


CHANGES: dict[str, Callable[[Checkout], None]] = {
    "a link": lambda c: replace_in_index(c, "120000"),
    "a program": lambda c: replace_in_index(c, "100755"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_promotion_that_changes_more_than_content_is_refused(checkout: Checkout, what: str) -> None:
    assert checkout.script("promote.py", "shop", "dev", "staging", "--branch").returncode == 0
    checkout.git("switch", "--quiet", BRANCH)
    CHANGES[what](checkout)
    checkout.git("commit", "--quiet", "--message", "Change the mode")
    assert "neither its type nor its mode" in refusal(checkout, BRANCH)


def test_a_renamed_file_is_one_more_change(checkout: Checkout) -> None:
    assert checkout.script("promote.py", "shop", "dev", "staging", "--branch").returncode == 0
    checkout.git("switch", "--quiet", BRANCH)
    checkout.git("mv", "README.md", "read\nme.md")
    checkout.git("commit", "--quiet", "--message", "Rename")
    assert r"also changes README.md, read\nme.md" in refusal(checkout, BRANCH)


def test_a_promotion_goes_forward_only(checkout: Checkout) -> None:
    assert "dev does not come after prod (the order is dev, staging, prod); to roll back" in refusal(
        checkout, "promote/shop/prod/dev", "main", "main"
    )


def test_an_environment_is_skipped_only_where_the_commit_says_so(checkout: Checkout) -> None:
    branch = "promote/shop/dev/prod"
    assert checkout.script("promote.py", "shop", "dev", "prod", "--skip-stages", "--branch").returncode == 0
    assert checkout.git("log", "-1", "--format=%(trailers)", branch) == "Skipped-environments: staging"
    checkout.git("switch", "--quiet", branch)
    assert checkout.script("promote.py", "--check", branch, "main").returncode == 0
    checkout.git("commit", "--quiet", "--amend", "--message", "Promote shop from dev to prod")
    assert "this skips staging: promote there first" in refusal(checkout, branch)


@pytest.mark.parametrize("name", ["feature/promote", "promote-docs", "promoted/shop", "fix"])
def test_another_branch_passes_only_where_the_pipeline_says_so(checkout: Checkout, name: str) -> None:
    result = checkout.script("promote.py", "--check", name, "main")
    assert (result.returncode, result.stdout) == (3, f"Not a promotion: nothing about {name} was checked.\n")
    assert checkout.script("promote.py", "--other-branches", "--check", name, "main").returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "promote",
        "promote/shop",
        "promote/shop/dev/staging/",
        "promote//shop/dev/staging",
        "promote/shop/dev/staging/api/more",
        "promote/../shop/dev",
        "promote/shop/--dev/staging",
        "promote/Shop/dev/staging",
        "Promote/shop/dev/staging",
        "PROMOTE/shop/dev/staging",
        "/promote/shop/dev/staging",
        "\uff50romote/shop/dev/staging",
        "pr\u043emote/shop/dev/staging",
    ],
)
def test_a_name_that_only_looks_like_a_promotion_is_refused(checkout: Checkout, name: str) -> None:
    result = checkout.script("promote.py", "--other-branches", "--check", name, "main")
    assert result.returncode == 1
    assert "is not a branch of a promotion: use promote/<workload>/<from>/<to>, or another name" in result.stderr
