"""The preflight reports the state of DNS zones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.hosted_zones import printed
from tests.support.preflight import Preflight
from tests.support.repository import Repository, installation_id, render

OURS = {"ZOURS": "acme.io", "ZCOM": "acme.com"}
ARN = "arn:aws:route53:::hostedzone"
TEAM, EU, DEV = {"ZTEAM": "legacy.acme.io"}, {"ZEU": "eu.legacy.acme.io"}, {"ZDEV": "dev.acme.io"}
OVERRIDES = "apps/platform/external-dns/clusters/nonprod/overrides.yaml"


@pytest.fixture
def preflight(stages: Repository, tmp_path: Path) -> Preflight:
    """Return the preflight of a repository with Route 53 whose overrides may be changed."""
    (tmp_path / "tools").mkdir()
    copy = shutil.copytree(stages.path, tmp_path / "repository", ignore=shutil.ignore_patterns(".git"))
    return Preflight(Path(copy), tmp_path / "tools")


def override(preflight: Preflight, text: str) -> None:
    with (preflight.repository / OVERRIDES).open("a") as file:
        file.write(text)


@pytest.mark.parametrize("zones", [{"ZOTHER": "example.org"}, OURS | {"ZTWICE": "acme.io"}, {}])
def test_no_role_is_made_for_zones_that_are_not_clear(preflight: Preflight, zones: dict[str, str]) -> None:
    done = preflight("nonprod", "--zones", HOSTED_ZONES=printed(zones))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Not exactly one public hosted zone holds" in done.stderr


@pytest.mark.parametrize(
    ("changed", "failure", "fix"),
    [
        ({"HOSTED_ZONES": printed({"ZCOM": "acme.com"})}, "no public hosted zone of the account contains", "acme.com"),
        ({"HOSTED_ZONES": printed(OURS | {"ZTWICE": "acme.io"})}, "several public hosted zones are", "zone-id-filter"),
        ({"HOSTED_ZONES": ""}, "no public hosted zone of the account contains dev.acme.io", "The account has: none\n"),
        ({"RECORDS": "ingress A 192.0.2.1\n"}, "the record ingress-nonprod-", "Found: ingress A 192.0.2.1\n"),
        (
            {"RECORDS": 'external-dns-cname.ingress TXT "heritage=external-dns,external-dns/owner=other,"'},
            "the record ingress-nonprod-",
            "another ingress_host",
        ),
        (
            {"HOSTED_ZONES": printed(OURS | EU), "DENIED": f"ListResourceRecordSets --resource-arns {ARN}/ZEU"},
            "external-dns may not read zone eu.legacy.acme.io",
            "regex-domain-exclusion: eu.legacy.acme.io$",
        ),
        (
            {"HOSTED_ZONES": printed(OURS | DEV), "DENIED": f"ChangeResourceRecordSets --resource-arns {ARN}/ZDEV"},
            "external-dns may not change zone dev.acme.io",
            "AWS roles",
        ),
    ],
)  # fmt: skip
def test_preflight_says_what_is_wrong_with_zones(
    preflight: Preflight, changed: dict[str, str], failure: str, fix: str
) -> None:
    done = preflight(**changed)
    found, *_ = [line for line in done.stdout.splitlines() if line.startswith(f"FAIL  {failure}")]
    assert done.returncode == 1
    assert fix in done.stdout.split(found, 1)[1]


def test_preflight_is_quiet_about_what_is_well(preflight: Preflight, stages: Repository) -> None:
    owner = f"external-dns/owner={installation_id(stages.answers)}-nonprod,"
    done = preflight(HOSTED_ZONES=printed(OURS | TEAM), RECORDS=owner)
    assert done.returncode == 0, done.stdout
    assert "note  zone legacy.acme.io (ZTEAM) is not used\n" in done.stdout
    assert "ok    Route 53 serves dev.acme.io (zone acme.io)\n" in done.stdout


def test_preflight_takes_the_zones_that_the_overrides_leave(preflight: Preflight) -> None:
    zones = printed(OURS | {"ZTWICE": "acme.io"} | TEAM)
    override(preflight, "extraArgs:\n  zone-id-filter: [ZTWICE, ZCOM]\n# ZOURS\n")
    done = preflight(HOSTED_ZONES=zones)
    assert done.returncode == 0 and "legacy" not in done.stdout, done.stdout
    assert preflight("nonprod", "--zones", HOSTED_ZONES=zones).stdout == "ZTWICE\n"


def test_preflight_leaves_out_excluded_domains(preflight: Preflight) -> None:
    override(preflight, "extraArgs:\n  regex-domain-exclusion: eu.legacy.acme.io$\n")
    done = preflight(HOSTED_ZONES=printed(OURS | EU), DENIED="hostedzone/ZEU")
    assert done.returncode == 0 and "legacy" not in done.stdout, done.stdout


def test_preflight_asks_cloudflare_which_zone_it_has(template: Path, tmp_path: Path, stages: Repository) -> None:
    answers = stages.answers | {"dns_provider": "cloudflare", "domain": "apps.example.com"}
    answers |= {"environments": [{"name": "dev", "cluster": "nonprod"}, {"name": "prod", "cluster": "prod"}]}
    answers |= {"workloads": []}
    (tmp_path / "tools").mkdir()
    names = {"CERTIFICATE_NAMES": "*.dev.apps.example.com"}
    preflight = Preflight(render(template, answers, tmp_path / "derived"), tmp_path / "tools")
    done = preflight(**names)
    assert done.returncode == 0, done.stdout
    assert "ok    Cloudflare serves dev.apps.example.com (zone example.com)\n" in done.stdout
    assert (
        "FAIL  the token sees no zone at Cloudflare for dev" in preflight(**names, CLOUDFLARE_ZONE="other.com").stdout
    )
    without = preflight(**names, TOKEN="")
    assert (
        "later external-dns has no Cloudflare token: step 3" in without.stdout
        and "Cloudflare serves" not in without.stdout
    )
    assert (
        "FAIL  external-dns has no Cloudflare token\n" in preflight("nonprod", "--step", "3", **names, TOKEN="").stdout
    )
    assert "ok    Cloudflare serves dev.apps" in preflight(**names, TOKEN="", CLOUDFLARE_API_TOKEN="a-token").stdout


def test_a_record_is_not_called_free_where_no_zone_holds_it(preflight: Preflight) -> None:
    done = preflight(HOSTED_ZONES=printed({"ZCOM": "acme.com"}))
    assert "no other owner has the record" not in done.stdout
