"""The rendered documentation: links work, commands parse, and the names are the user's own."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from tests.support.pages import pages as every_page
from tests.support.repository import ROOT, Repository


def pages(repository: Repository) -> list[Path]:
    return [repository.path / "README.md", *sorted((repository.path / "docs").glob("*.md"))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub creates for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def snippets(page: Path) -> list[str]:
    return re.findall(r"^ *```sh\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_links_lead_to_files_and_headings_that_exist(repository: Repository) -> None:
    for page in every_page(repository.path):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith("https://"):
                continue
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.is_file(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(linked), f"{page.name}: {target}"


def test_files_that_comments_and_docs_name_exist(repository: Repository) -> None:
    for file in repository.files:
        for named in re.findall(
            r"\b(?:docs|argo|bootstrap)/[a-z/-]+\.(?:md|yaml|sh)\b", (repository.path / file).read_text()
        ):
            assert (repository.path / named).is_file(), f"{file}: {named}"


@cache
def shell_errors(snippet: str) -> str:
    """Return what bash reports of a snippet. Scenarios share most of them."""
    placeholders_filled = re.sub(r"<([a-z-]+)>", r"\1", snippet)
    return subprocess.run(["bash", "-n"], input=placeholders_filled, capture_output=True, text=True).stderr


def test_every_command_is_shell_that_parses(repository: Repository) -> None:
    for page in every_page(repository.path):
        for snippet in snippets(page):
            assert shell_errors(snippet) == "", f"{page.name}:\n{snippet}"


def test_inventory_lists_exactly_what_the_answers_say(repository: Repository) -> None:
    text = (repository.path / "docs/inventory.md").read_text()
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| `([a-z0-9-]+)` \| `([a-z0-9-]+)` \| ", text, re.MULTILINE)
    expected = [(w["name"], e["name"], f"{w['name']}-{e['name']}") for w, e, _ in repository.overlays()]
    assert sorted(listed) == sorted(expected)
    for cluster in repository.clusters:
        assert f"`{cluster['ingress_host']}`" in text


def test_only_the_inventory_and_the_answers_name_workloads(repository: Repository) -> None:
    for page in pages(repository):
        if page.name == "inventory.md":
            continue
        for workload, environment, _ in repository.overlays():
            assert f"{workload['name']}-{environment['name']}" not in page.read_text(), page.name


def test_domain_configuration_has_the_exact_certificate_names_and_the_command(repository: Repository) -> None:
    text = (repository.path / "docs/domain-configuration.md").read_text()
    for cluster in repository.clusters:
        names = [f"*.{e['domain']}" for e in repository.environments if e["cluster"] == cluster["name"]]
        _, _, section = text.partition(f"### Cluster {cluster['name']}\n")
        section = section.split("\n### ")[0]
        (command,) = [s for s in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) if "request-certificate" in s]
        assert set(re.findall(r"'([^']+)'", command)) == set(names)
        assert f"--region {cluster['acm_certificate_arn'].split(':')[3]} " in command


# Names of software and services in every rendered repository.
COMMON = (
    "amazonaws.com",
    "argoproj.io",
    "aws.amazon.com",
    "aws.com",
    "cloudflare.com",
    "external-secrets.io",
    "ghcr.io",
    "git-scm.com",
    "github.com",
    "jetstack.io",
    "k8s.io",
    "kubernetes.io",
    "kubernetes-sigs.github.io",
    "microsoft.com",
    "prometheus.io",
    "readthedocs.io",
    "renovatebot.com",
)


def test_nothing_speaks_of_a_domain_that_is_not_the_users(repository: Repository) -> None:
    domains = (
        repository.answers["domain"],
        *(environment["domain"] for environment in repository.environments),
        *COMMON,
    )
    for page in pages(repository):
        if page.name == "answers.md":  # The reference of answers has examples.
            continue
        hosts = set(re.findall(r"\b(?:[a-z0-9-]+\.)+(?:com|ai|io)\b", page.read_text()))
        strangers = {
            host for host in hosts if not any(host == domain or host.endswith(f".{domain}") for domain in domains)
        }
        assert strangers == set(), page.name


def test_the_reference_of_answers_in_docs_is_the_rendered_one(stages: Repository) -> None:
    assert (ROOT / "docs/answers.md").read_text() == (stages.path / "docs/answers.md").read_text(), "run: make docs"
