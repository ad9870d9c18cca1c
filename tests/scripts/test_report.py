"""The report of scripts/blast_radius.py: groups of environments, DNS names, and files to apply by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest

from gitops.changes import Change
from gitops.grouping import grouped_differences, grouped_items, named
from gitops.manual import ACCESS, REMOVAL, ROLES
from tests.support.checkout import Checkout
from tests.support.repository import examples, installation_id

SHOP = "apps/workloads/shop"
POLICY, TRUST = "infrastructure/policies/prod/external-dns.json", "infrastructure/trust/prod/external-dns.json"
ACCESS_FILE = "bootstrap/access-nonprod.yaml"
NONPROD = f"ingress-nonprod-{installation_id(examples()['stages'])}.acme.io"


def change(workload: str, environment: str, cluster: str, **fields: object) -> Change:
    """Return a change of a workload, or of an add-on if there is no environment."""
    name = f"{workload}-{environment or cluster}"
    fields |= {"workload": workload if environment else "", "environment": environment}
    return Change(name, cluster, name, False, "changed", **fields)  # type: ignore[arg-type]


def test_environments_that_share_an_entry_are_named_together() -> None:
    changes = [
        change("shop", "dev", "nonprod", restarted=["Deployment/api", "Deployment/web"]),
        change("shop", "staging", "nonprod", restarted=["Deployment/api"]),
        change("shop", "prod", "prod", restarted=["Deployment/api"]),
        change("reports", "prod", "prod", restarted=["Deployment/api"]),
        change("traefik", "", "nonprod", restarted=["Deployment/traefik"]),
        change("traefik", "", "prod", restarted=["Deployment/traefik"]),
    ]
    assert list(grouped_items(changes, "restarted")) == [
        "shop in dev, staging and prod: Deployment/api",
        "shop in dev: Deployment/web",
        "reports in prod: Deployment/api",
        "traefik in nonprod and prod: Deployment/traefik",
    ]
    assert named(changes[1:4]) == "shop in staging and prod; reports in prod"


def test_differences_are_equal_if_only_the_names_of_their_place_differ() -> None:
    changes = [
        change("shop", "dev", "nonprod", difference="# shop-dev in nonprod\n+ shop.dev.acme.io"),
        change("shop", "prod", "prod", difference="# shop-prod in prod\n+ shop.prod.acme.io"),
        change("shop", "live", "prod", difference="# shop-live in prod\n+ shop.live.acme.com"),
        change("shop", "qa", "prod", difference="# shop-qa in prod\n+ shop.qa.acme.com/product"),
        change("shop", "a", "prod", difference="# shop-a in prod\n+ shop.a.acme.com/aduct"),
    ]
    assert [heading for heading, _ in grouped_differences(changes)] == [
        "shop in dev and prod (the same in each; shown for shop-dev)",
        "shop in live",
        "shop in qa",
        "shop in a",
    ]


def delete(*paths: str) -> Callable[[Checkout], None]:
    """Return a change that deletes files or folders."""

    def apply(checkout: Checkout) -> None:
        for path in (checkout.path / path for path in paths):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return apply


ALL_OF_DEV = {"shop.dev.acme.io": NONPROD}
REMOVALS: dict[str, tuple[Callable[[Checkout], None], dict[str, str]]] = {
    "a protected overlay": (delete(f"{SHOP}/overlays/prod"), {}),
    "every environment": (delete(SHOP), ALL_OF_DEV),
    "an overlay that is not protected": (delete(f"{SHOP}/overlays/dev"), ALL_OF_DEV),
    "a protected set": (delete("argo/applicationsets/workloads-prod.yaml"), {}),
    "a protected set with its project": (
        delete("argo/applicationsets/workloads-prod.yaml", "argo/projects/prod.yaml"),
        {},
    ),
}


@pytest.mark.parametrize("what", REMOVALS)
def test_a_dns_name_is_removed_only_with_its_route(checkout: Checkout, what: str) -> None:
    remove, hosts = REMOVALS[what]
    remove(checkout)
    report = checkout.blast_radius()
    assert report["hosts_removed"] == hosts
    assert ("1 DNS name is removed" in report["headline"]) is bool(hosts)


def test_files_that_somebody_must_apply_are_listed_with_their_commands(checkout: Checkout) -> None:
    checkout.replace(POLICY, "route53:ListHostedZones", "route53:GetHostedZone")
    checkout.write("infrastructure/policies/prod/own.json", "{}\n")
    delete(TRUST)(checkout)
    checkout.write(ACCESS_FILE, (checkout.path / ACCESS_FILE).read_text() + "# More.\n")
    report = checkout.blast_radius()
    steps = {file: step for step, files in report["manual"].items() for file in files}
    both = "changed: apply what it adds before you merge, and what it removes after Argo CD has synced"
    assert steps == {
        POLICY: f"{both} ({ROLES})",
        "infrastructure/policies/prod/own.json": f"new: create the AWS role before you merge ({ROLES})",
        TRUST: f"deleted: delete the AWS role after Argo CD has removed the add-on ({REMOVAL})",
        ACCESS_FILE: f"{both} ({ACCESS})",
    }
    assert report["conclusion"] == "Nothing changes in any cluster. 4 files must be applied by hand."
    assert f"  {both} ({ROLES})\n    {POLICY}\n" in checkout.script("blast_radius.py").stdout


def test_the_sections_that_messages_name_exist(checkout: Checkout) -> None:
    texts = [file.read_text() for file in (checkout.path / "scripts").rglob("*.py")]
    named_sections = re.findall(r"(docs/[\w-]+\.md), ([A-Z0-9][^\"().{}]*(?:\. [A-Z][^\"().{}]*)?)", "\n".join(texts))
    assert ("docs/installation.md", "3. Credentials") in named_sections
    for page, section in named_sections:
        heading = re.escape(section.strip(" ."))
        assert re.search(rf"^#+ {heading}$", (checkout.path / page).read_text(), re.MULTILINE), section
