"""scripts/promote.py of a rendered repository: it moves images from one environment to the next, and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import promote as promote_script
from tests.support import engines
from tests.support.checkout import Checkout

FILE = "apps/workloads/shop/overlays/{}/kustomization.yaml"
DEV, STAGING, PROD = (FILE.format(name) for name in ("dev", "staging", "prod"))
DIGEST = "sha256:" + 64 * "a"


def promote(checkout: Checkout, *arguments: str) -> str:
    """Promote, and return what is printed."""
    result = checkout.script("promote.py", *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def refusal(checkout: Checkout, *arguments: str) -> str:
    """Return why the promotion is rejected."""
    status = checkout.git("status", "--porcelain")
    branches = checkout.git("branch")
    result = checkout.script("promote.py", *arguments)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert (checkout.git("status", "--porcelain"), checkout.git("branch")) == (status, branches)
    return result.stderr.strip()


def running(checkout: Checkout, environment: str) -> dict[str, str]:
    """Return the images of an environment, as built by Kustomize."""
    built = engines.kustomize_build(checkout.path / Path(FILE.format(environment)).parent)
    pods = [item["spec"]["template"]["spec"] for item in built if item["kind"] == "Deployment"]
    return {container["name"]: container["image"] for pod in pods for container in pod["containers"]}


def changed_lines(checkout: Checkout) -> list[str]:
    """Return the lines that differ from the last commit, in all files."""
    found = checkout.git("diff", "--unified=0").splitlines()
    return [line for line in found if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))]


def test_the_next_environment_runs_what_the_earlier_one_runs(checkout: Checkout) -> None:
    said = checkout.process("promote.py", "shop", "dev", "staging").stdout
    assert "staging: api: ghcr.io/acme/shop-api:2.7.1 → ghcr.io/acme/shop-api:2.8.0-rc.1" in said
    assert changed_lines(checkout) == ['-    newTag: "2.7.1"', '+    newTag: "2.8.0-rc.1"']
    assert running(checkout, "staging") == running(checkout, "dev")
    assert promote(checkout, "shop", "dev", "staging") == "staging already has the images of dev.\n"


def test_images_that_are_the_same_stay_as_they_are_written(checkout: Checkout) -> None:
    checkout.replace(STAGING, 'web\n    newTag: "2.7.1"', "web\n    newTag: '2.7.1'")
    promote(checkout, "shop", "dev", "staging")
    assert "newTag: '2.7.1'" in (checkout.path / STAGING).read_text()


def test_several_images_of_other_lengths_go_together(checkout: Checkout) -> None:
    checkout.replace(DEV, 'web\n    newTag: "2.7.1"\n', f"web\n    newTag: '3'\n    digest: {DIGEST}\n")
    checkout.replace(STAGING, 'api\n    newTag: "2.7.1"\n', f"api\n    newTag: '2'\n    digest: {DIGEST}\n")
    checkout.commit()
    promote(checkout, "shop", "dev", "staging")
    assert running(checkout, "staging") == running(checkout, "dev")
    assert len(running(checkout, "dev")) == 3


def test_a_branch_begins_where_argo_cd_is_not_where_one_works(checkout: Checkout) -> None:
    checkout.replace(STAGING, "name: api\n    count: 2", "name: api\n    count: 9")
    promote(checkout, "shop", "dev", "staging", "--branch")
    assert "count: 9" not in checkout.git("show", f"promote/shop/dev/staging:{STAGING}")


def test_it_says_how_to_go_back(checkout: Checkout) -> None:
    said = promote(checkout, "shop", "dev", "staging")
    assert f"git commit --message 'Promote shop from dev to staging' -- {STAGING}" in said
    before = checkout.git("rev-parse", "HEAD:")
    checkout.git("commit", "--quiet", "--message", "Promote shop from dev to staging", "--", STAGING)
    assert "git revert that commit" in said
    checkout.git("revert", "--no-edit", "HEAD")
    assert checkout.git("rev-parse", "HEAD:") == before


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (f"    digest: {DIGEST}\n", '    newTag: "2.7.1"\n'),
        (f'    newTag: "2.8.0"\n    digest: {DIGEST}\n', '    newTag: "2.7.1"\n'),
        ('    newTag: "2.8.0"\n', f"    digest: {DIGEST}\n"),
        ('    newTag: "2.8.0"\n', '    # Held back for the audit.\n    newTag: "2.7.1"\n'),
    ],
    ids=["a digest for a tag", "both for a tag", "a tag for a digest", "beside a comment"],
)
def test_tags_and_digests_take_each_others_place(checkout: Checkout, new: str, old: str) -> None:
    checkout.replace(DEV, '    newTag: "2.8.0-rc.1"\n', new)
    checkout.replace(STAGING, '  - name: api\n    newTag: "2.7.1"\n', f"  - name: api\n{old}")
    checkout.commit()
    promote(checkout, "shop", "dev", "staging")
    assert running(checkout, "staging") == running(checkout, "dev")
    assert all(line[1:] in (new + old).splitlines() for line in changed_lines(checkout)), changed_lines(checkout)
    assert ("# Held back" in (checkout.path / STAGING).read_text()) == ("# Held back" in old)


def test_what_kustomize_itself_writes_can_be_promoted(checkout: Checkout) -> None:
    folder = (checkout.path / DEV).parent
    engines._run(engines._engine("kustomize"), "edit", "set", "image", f"api=example.com/api@{DIGEST}", cwd=folder)
    assert f"- digest: {DIGEST}\n" in (checkout.path / DEV).read_text()
    checkout.commit()
    promote(checkout, "shop", "dev", "staging")
    assert running(checkout, "staging") == running(checkout, "dev")


def test_an_entry_in_one_line_is_promoted(checkout: Checkout) -> None:
    entry = '  - name: api\n    newTag: "{}"\n    newName: ghcr.io/acme/shop-api\n'
    flow = '  - {{name: api, newTag: "{}", newName: ghcr.io/acme/shop-api}}\n'
    checkout.replace(DEV, entry.format("2.8.0-rc.1"), flow.format("2.8.0-rc.1"))
    checkout.replace(STAGING, entry.format("2.7.1"), flow.format("2.7.1"))
    checkout.commit()
    promote(checkout, "shop", "dev", "staging")
    assert changed_lines(checkout) == ["-" + flow.format("2.7.1").rstrip(), "+" + flow.format("2.8.0-rc.1").rstrip()]


def test_a_longer_last_entry_keeps_the_lines_after_it(checkout: Checkout) -> None:
    after = "# What follows.\n\n# More.\npatches: []\n"
    for file, last in ((DEV, f"    newTag: '3'\n    digest: {DIGEST}\n"), (STAGING, "    newTag: '2'\n")):
        images = f"images:\n  - name: api\n{last}\n{after}"
        (checkout.path / file).write_text(f"resources:\n  - ../../base\n{images}")
    checkout.commit()
    promote(checkout, "shop", "dev", "staging")
    assert (checkout.path / STAGING).read_text() == (checkout.path / DEV).read_text()


def test_one_component_can_go_alone(checkout: Checkout) -> None:
    checkout.replace(DEV, 'web\n    newTag: "2.7.1"', 'web\n    newTag: "2.9.0"')
    checkout.commit()
    promote(checkout, "shop", "dev", "staging", "--component", "web")
    assert changed_lines(checkout) == ['-    newTag: "2.7.1"', '+    newTag: "2.9.0"']
    assert running(checkout, "staging")["web"] == "ghcr.io/acme/shop-web:2.9.0"


def test_stages_can_be_left_out_when_asked(checkout: Checkout) -> None:
    promote(checkout, "shop", "dev", "prod", "--skip-stages")
    assert running(checkout, "prod") == running(checkout, "dev")


def latest(checkout: Checkout) -> None:
    checkout.replace(DEV, "2.8.0-rc.1", "latest")
    checkout.commit()


def no_tag(checkout: Checkout) -> None:
    checkout.replace(DEV, '    newTag: "2.8.0-rc.1"\n', "")
    checkout.commit()


def nameless(checkout: Checkout) -> None:
    checkout.replace(STAGING, "images:\n", "images:\n  - newTag: '1'\n")


def missing(checkout: Checkout) -> None:
    checkout.replace(STAGING, '  - name: api\n    newTag: "2.7.1"\n    newName: ghcr.io/acme/shop-api\n', "")


def no_images(checkout: Checkout) -> None:
    checkout.replace(STAGING, "images:\n", "ignored:\n")


REFUSED: dict[str, tuple[list[str], Callable[[Checkout], None] | None, str]] = {
    "an image that is not merged": (
        ["shop", "dev", "staging"],
        lambda c: c.replace(DEV, "2.8.0-rc.1", "2.8.0"),
        f"the images in {DEV} differ from main: dev runs only what is merged",
    ),
    "a tag that moves": (["shop", "dev", "staging"], latest, "ghcr.io/acme/shop-api:latest can be another image"),
    "no tag": (["shop", "dev", "staging"], no_tag, "ghcr.io/acme/shop-api can be another image tomorrow"),
    "a stage left out": (["shop", "dev", "prod"], None, "this skips staging: promote there first, or add --skip"),
    "the way back": (
        ["shop", "prod", "dev"],
        None,
        "dev does not come after prod (the order is dev, staging, prod)",
    ),
    "the same environment": (["shop", "dev", "dev"], None, "dev is given twice: name the environment to promote from"),
    "a stage that it does not run in": (
        ["reports", "dev", "staging"],
        None,
        "reports does not run in dev; it runs in staging and prod",
    ),
    "an unknown workload": (["shpo", "dev", "staging"], None, "there is no workload shpo; did you mean shop?"),
    "a workload like no other": (["x", "dev", "staging"], None, "there is no workload x; use reports or shop"),
    "no workloads": (
        ["shop", "dev", "staging"],
        lambda c: shutil.rmtree(c.path / "apps/workloads"),
        "there is no workload shop: apps/workloads has none yet",
    ),
    "an environment first": (["dev", "staging", "shop"], None, "dev is an environment: name the workload first"),
    "an unknown environment": (
        ["shop", "dev", "stagng"],
        None,
        "there is no environment stagng; did you mean",
    ),
    "an unknown source": (["shop", "DEV", "staging"], None, "there is no environment DEV; did you mean dev?"),
    "a pattern": (["shop", "*", "prod"], None, "there is no environment *; use dev, staging or prod"),
    "an unknown component": (
        ["shop", "dev", "staging", "--component", "apl"],
        None,
        "shop has no image apl; did you mean api?",
    ),
    "an image that is not there": (
        ["shop", "dev", "staging"],
        missing,
        f"{STAGING} has no image api: add it there first",
    ),
    "an image without a name": (["shop", "dev", "staging"], nameless, f"{STAGING}:10: the image has no name"),
    "no images": (["shop", "dev", "staging"], no_images, f"{STAGING} has no images"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_is_written_when_it_is_refused(checkout: Checkout, what: str) -> None:
    arguments, change, message = REFUSED[what]
    if change:
        change(checkout)
    assert message in refusal(checkout, *arguments)


MISUSED = {
    "no arguments": ([], "name a workload and two environments, such as: promote.py shop dev staging"),
    "one environment": (["shop", "dev"], "name a workload and two environments"),
    "too many": (["shop", "dev", "staging", "prod"], "unrecognized arguments: prod"),
    "nothing to compare with": (["--check", "promote/shop/dev/staging"], "promote.py --check <branch> <base>"),
    "two tasks": (
        ["--check", "--branch", "feature", "main"],
        "--check takes no --branch, --component",
    ),
    "other branches": (["shop", "dev", "staging", "--other-branches"], "--other-branches is for --check only"),
}


@pytest.mark.parametrize("what", MISUSED)
def test_wrong_arguments_are_explained(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = MISUSED[what]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", ["promote.py", *arguments])
        promote_script.main()
    usage, *_, last = capsys.readouterr().err.splitlines()
    assert (stopped.value.code, usage.startswith("usage: promote.py <workload> <from> <to>")) == (2, True)
    assert message in last


def test_what_was_fetched_counts_not_the_branch_here(checkout: Checkout) -> None:
    checkout.git("update-ref", "refs/remotes/origin/main", "HEAD")
    checkout.replace(DEV, "2.8.0-rc.1", "2.8.0")
    checkout.commit()
    assert f"the images in {DEV} differ from origin/main" in refusal(checkout, "shop", "dev", "staging")


def test_a_branch_has_the_promotion_only_and_the_working_tree_stays(checkout: Checkout) -> None:
    (checkout.path / "README.md").write_text("Not finished.\n")
    said = promote(checkout, "shop", "dev", "staging", "--branch")
    branch = "promote/shop/dev/staging"
    assert f"git push origin {branch}" in said
    assert checkout.git("diff", "--name-only") == "README.md"
    assert checkout.git("rev-parse", f"{branch}^") == checkout.git("rev-parse", "main")
    assert checkout.git("diff", "--name-only", "main", branch) == STAGING
    assert f"git revert {checkout.git('rev-parse', branch)[:12]}" in said
    promote(checkout, "shop", "dev", "staging", "--branch")
    checked = promote(checkout, "--check", branch, "main", branch)
    assert checked == "Promote shop from dev to staging: the branch changes nothing else.\n"


def test_a_promotion_of_one_component_is_checked_as_such(checkout: Checkout) -> None:
    promote(checkout, "shop", "dev", "staging", "--component", "api", "--branch")
    branch = "promote/shop/dev/staging/api"
    assert "Promote api from dev to staging: the branch" in promote(checkout, "--check", branch, "main", branch)


def more_replicas(checkout: Checkout) -> None:
    checkout.replace(STAGING, "name: api\n    count: 2", "name: api\n    count: 9")


MORE: dict[str, tuple[Callable[[Checkout], None], str]] = {
    "another file": (
        lambda c: c.replace(PROD, "namespace: shop-prod", "namespace: shop-live"),
        f"a promotion changes only {STAGING}",
    ),
    "a new file": (lambda c: (c.path / "new.txt").touch(), "but this one also changes new.txt"),
    "the number of pods": (more_replicas, f"{STAGING} is not what dev runs in main"),
    "another image": (lambda c: c.replace(STAGING, "2.8.0-rc.1", "2.8.0-rc.2"), "is not what dev runs in main"),
}


@pytest.mark.parametrize("what", MORE)
def test_a_promotion_that_changes_more_is_found(checkout: Checkout, what: str) -> None:
    change, message = MORE[what]
    promote(checkout, "shop", "dev", "staging", "--branch")
    checkout.git("switch", "--quiet", "promote/shop/dev/staging")
    change(checkout)
    checkout.commit()
    assert message in refusal(checkout, "--check", "promote/shop/dev/staging", "main")


def test_without_answers_any_environment_will_do(checkout: Checkout) -> None:
    (checkout.path / ".copier-answers.yml").unlink()
    promote(checkout, "shop", "dev", "prod")
    assert running(checkout, "prod") == running(checkout, "dev")


NEW = FILE.format("qa")


@pytest.fixture
def with_qa(checkout: Checkout) -> Checkout:
    """Return a clone with an environment between staging and prod that is not merged yet."""
    checkout.replace(STAGING, 'api\n    newTag: "2.7.1"', 'api\n    newTag: "2.7.9"')
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "qa")
    checkout.replace(
        ".copier-answers.yml", "- name: prod\n  cluster: prod\n", "- name: qa\n- name: prod\n  cluster: prod\n"
    )
    (checkout.path / NEW).parent.mkdir()
    text = (checkout.path / STAGING).read_text().replace("2.7.9", "2.7.1")
    (checkout.path / NEW).write_text(text.replace("shop-staging", "shop-qa"))
    return checkout


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_new_environment_gets_what_runs_before_it_is_merged(with_qa: Checkout, is_committed: bool) -> None:
    # The same update may change other lines of the source.
    with_qa.replace(STAGING, "name: api\n    count: 2", "name: api\n    count: 3")
    if is_committed:
        with_qa.commit()
    text = promote(with_qa, "shop", "staging", "qa")
    assert "qa: api: ghcr.io/acme/shop-api:2.7.1 → ghcr.io/acme/shop-api:2.7.9" in text
    assert text.endswith(f"Changed {NEW}. Next: commit it with the change that adds it.\n")
    assert '"2.7.9"' in (with_qa.path / NEW).read_text()


def test_an_environment_that_is_not_merged_yet_is_not_skipped(with_qa: Checkout) -> None:
    promote(with_qa, "shop", "staging", "prod")
    assert running(with_qa, "prod")["api"] == "ghcr.io/acme/shop-api:2.7.9"


def test_what_is_not_merged_is_neither_a_source_nor_on_a_branch(with_qa: Checkout) -> None:
    assert "shop does not run in qa yet: main has no " in refusal(with_qa, "shop", "qa", "prod")
    without = refusal(with_qa, "shop", "staging", "qa", "--branch")
    assert without == f"main has no {NEW}: promote without --branch, and commit it with the change that adds it"
