"""AWS roles: their policies, their trust, and two equal ways to create them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_roles import roles_of, terraform_roles
from tests.support.iam import is_allowed, listed
from tests.support.repository import ROOT, Document, Repository, installation_id

TABLE: dict[str, Any] = json.loads((ROOT / "hooks/addons.json").read_text())
ROLES = {name: entry["aws_role"] for name, entry in TABLE.items() if "aws_role" in entry}
FOLDER = "infrastructure"
# IAM rejects more, not counting white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MOST_CHARACTERS, LONGEST_NAME, LONGEST_ID, LONGEST_CLUSTER = 10_240, 64, 14, 40
ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z]+")
# Actions that AWS defines without resources.
WITHOUT_RESOURCE = re.compile(
    r"(ec2|elasticloadbalancing):(Describe|Get)\w+|route53:ListHostedZones|acm:ListCertificates"
)


def installed(repository: Repository, cluster: Document) -> set[str]:
    """Return the add-ons with a role in a cluster, as the answers imply."""
    chosen = {*repository.answers.get("addons", [])} - {*cluster.get("provides", [])}
    dns = {"external-dns"} if repository.answers.get("dns_provider") == "route53" else set()
    return (chosen | dns) & ROLES.keys()


def policies(repository: Repository) -> dict[tuple[str, str], Document]:
    """Return the rendered policies, by cluster and add-on."""
    return {
        (file.parts[2], file.stem): json.loads((repository.path / file).read_text())
        for file in repository.files
        if file.parts[:2] == (FOLDER, "policies")
    }


@pytest.fixture
def addons(repositories: Callable[[str], Repository]) -> Repository:
    """Return the example with every add-on."""
    return repositories("addons")


def test_each_add_on_with_a_role_has_a_policy_per_cluster_and_nothing_else_is_there(repository: Repository) -> None:
    expected = {(cluster["name"], addon) for cluster in repository.clusters for addon in installed(repository, cluster)}
    files = {f"{FOLDER}/{kind}/{c}/{addon}.json" for c, addon in expected for kind in ("policies", "trust")}
    files |= {f"{FOLDER}/roles.tf"} if expected else set()
    assert {file.as_posix() for file in repository.files if file.parts[0] == FOLDER} == files
    assert (repository.path / FOLDER).exists() == bool(expected)


def test_policies_are_what_iam_accepts(repository: Repository) -> None:
    for place, policy in policies(repository).items():
        assert policy.keys() == {"Version", "Statement"} and policy["Version"] == "2012-10-17"
        assert len(json.dumps(policy, separators=(",", ":"))) < MOST_CHARACTERS, place
        names = [statement["Sid"] for statement in policy["Statement"]]
        assert len(names) == len({*names}) and all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)
        for statement in policy["Statement"]:
            assert statement.keys() - {"Condition"} == {"Sid", "Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            assert all(ACTION.fullmatch(action) for action in listed(statement["Action"])), place


def test_policies_name_resources_of_the_cluster_where_aws_has_resources(repository: Repository) -> None:
    partitions = {c["name"]: c["acm_certificate_arn"].split(",")[0].split(":") for c in repository.clusters}
    for (cluster, addon), policy in policies(repository).items():
        _, partition, _, region, account, _ = partitions[cluster]
        for statement in policy["Statement"]:
            for resource in listed(statement["Resource"]):
                if resource == "*":
                    assert all(WITHOUT_RESOURCE.fullmatch(action) for action in listed(statement["Action"])), addon
                    continue
                arn, own_partition, service, own_region, own_account, _ = resource.split(":", 5)
                assert (arn, own_partition) == ("arn", partition)
                assert service in {action.split(":")[0] for action in listed(statement["Action"])}
                assert own_region in ("", region) and (own_region or service in ("route53", "iam"))
                assert own_account == account or service == "route53" or resource.endswith(":*:vpc/*")


def test_secrets_are_read_of_the_environments_of_the_cluster_only(addons: Repository) -> None:
    cluster = addons.clusters[0]["name"]
    policy = policies(addons)[cluster, "external-secrets"]
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
    for environment in addons.environments:
        assert is_allowed(policy, "secretsmanager:GetSecretValue", f"{secret}{environment['name']}/notes/db-a1B2c3", {})
    assert is_allowed(policy, "secretsmanager:GetSecretValue", f"{secret}platform/{cluster}/repository-a1B2c3", {})
    for other in ("other/notes/db-a1B2c3", "platform/other/repository-a1B2c3", "devel/x-a1B2c3", "db-a1B2c3"):
        assert not is_allowed(policy, "secretsmanager:GetSecretValue", secret + other, {})
    assert {action for s in policy["Statement"] for action in listed(s["Action"])} == {"secretsmanager:GetSecretValue"}


def test_load_balancers_and_security_groups_carry_the_tag_of_the_cluster(addons: Repository) -> None:
    policy = policies(addons)["main", "aws-load-balancer-controller"]
    tag, place = "elbv2.k8s.aws/cluster", "eu-west-1:123456789012"
    group, target = (
        f"arn:aws:ec2:{place}:security-group/sg-1",
        f"arn:aws:elasticloadbalancing:{place}:targetgroup/k8s/1",
    )
    for name, allowed in (("main", True), ("other", False)):
        new, old = {f"aws:RequestTag/{tag}": [name]}, {f"aws:ResourceTag/{tag}": [name]}
        assert is_allowed(policy, "elasticloadbalancing:CreateTargetGroup", target, new) == allowed
        assert is_allowed(policy, "elasticloadbalancing:RegisterTargets", target, old) == allowed
        assert is_allowed(policy, "ec2:CreateSecurityGroup", group, new) == allowed
        assert is_allowed(policy, "ec2:DeleteSecurityGroup", group, old) == allowed
        assert (
            is_allowed(policy, "ec2:CreateTags", group, new | {"ec2:CreateAction": ["CreateSecurityGroup"]}) == allowed
        )
        nodes = {f"aws:ResourceTag/kubernetes.io/cluster/{name}": ["owned"]}
        assert is_allowed(policy, "ec2:AuthorizeSecurityGroupIngress", group, nodes) == allowed
        assert not is_allowed(policy, "ec2:DeleteSecurityGroup", group, nodes)
        # No tag of another cluster is replaced with the tag of this one.
        assert not is_allowed(policy, "ec2:CreateTags", group, new | {f"aws:ResourceTag/{tag}": ["main"]})


def test_the_dns_role_changes_the_names_of_its_cluster_only(stages: Repository) -> None:
    zone = "arn:aws:route53:::hostedzone/Z1"
    endpoints = {c["name"]: c["ingress_host"] for c in stages.clusters}
    names = {"nonprod": ["dev.acme.io", "www.dev.acme.io", "a.b.staging.acme.io"], "prod": ["acme.com", "www.acme.com"]}
    for cluster, endpoint in endpoints.items():
        names[cluster] += [endpoint, f"external-dns-a.{endpoint}", f"external-dns-cname.www.{names[cluster][0]}"]
    foreign = ["acme.io", "mail.acme.io", "legacy.acme.io", "www.legacy.acme.io", "xdev.acme.io", "acme.org"]
    for cluster, own in names.items():
        policy = policies(stages)[cluster, "external-dns"]
        others = foreign + [name for other, theirs in names.items() if other != cluster for name in theirs]
        for name, allowed in [(name, True) for name in own] + [(name, False) for name in others]:
            key = "route53:ChangeResourceRecordSets"
            context = {f"{key}NormalizedRecordNames": [own[0], name], f"{key}RecordTypes": ["CNAME", "TXT"]}
            assert is_allowed(policy, key, zone, context) == allowed, (cluster, name)
            assert not is_allowed(policy, key, zone, context | {f"{key}RecordTypes": ["CNAME", "MX"]})


def test_the_dns_role_knows_the_records_that_external_dns_writes(stages: Repository) -> None:
    values = stages.one("apps/platform/external-dns/values.yaml")
    key, prefix = "route53:ChangeResourceRecordSets", values["txtPrefix"].replace("%{record_type}", "*")
    for cluster in stages.clusters:
        condition = policies(stages)[cluster["name"], "external-dns"]["Statement"][0]["Condition"]
        types = condition["ForAllValues:StringEquals"][f"{key}RecordTypes"]
        assert types == [*values["managedRecordTypes"], values["registry"].upper()]
        names = condition["ForAllValues:StringLike"][f"{key}NormalizedRecordNames"]
        assert f"{prefix}{cluster['ingress_host']}" in names


def test_one_service_account_may_take_a_role(repository: Repository) -> None:
    for cluster in repository.clusters:
        arn = cluster["acm_certificate_arn"].split(":")
        for addon in installed(repository, cluster):
            path = repository.path / FOLDER / "trust" / cluster["name"] / f"{addon}.json"
            (statement,) = json.loads(path.read_text())["Statement"]
            assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
            assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
            assert statement["Condition"]["StringEquals"] == {
                "aws:RequestTag/eks-cluster-arn": f"arn:{arn[1]}:eks:{arn[3]}:{arn[4]}:cluster/{cluster['name']}",
                "aws:RequestTag/kubernetes-namespace": repository.one(f"apps/platform/{addon}/addon.yaml")["namespace"],
                "aws:RequestTag/kubernetes-service-account": ROLES[addon]["service_account"],
            }


def test_commands_and_terraform_create_the_same_roles(repository: Repository, tmp_path: Path) -> None:
    by_terraform = terraform_roles(repository.path)
    by_command, roles = {}, roles_of(repository.path, tmp_path)
    for cluster in repository.clusters:
        arn, name = cluster["acm_certificate_arn"].split(":"), cluster["name"]
        for addon in installed(repository, cluster):
            role = roles.pop(f"{ROLES[addon]['prefix']}-{installation_id(repository.answers)}-{name}")
            assert role.policies == {addon: policies(repository)[name, addon]}
            assert role.trust == json.loads((repository.path / FOLDER / "trust" / name / f"{addon}.json").read_text())
            (given,) = role.associations
            assert given["role-arn"] == f"arn:{arn[1]}:iam::{arn[4]}:role/{role.name}"
            by_command[f"{name}/{addon}"] = {
                "name": role.name,
                "account": arn[4],
                "region": given["region"],
                "cluster": given["cluster-name"],
                "addon": addon,
                "namespace": given["namespace"],
                "service_account": given["service-account"],
            }
    assert (by_terraform, roles) == (by_command, {})


def test_the_documented_deletion_finds_each_role_by_its_add_on(repositories: Callable[[str], Repository]) -> None:
    page = (repositories("addons").path / "docs/operations.md").read_text()
    assert '--service-account "$addon"' in page and '--policy-name "$addon"' in page
    assert all(role["service_account"] == addon for addon, role in ROLES.items())


def test_role_names_fit_with_the_longest_id_and_cluster() -> None:
    prefixes = [role["prefix"] for role in ROLES.values()]
    assert len({*prefixes}) == len(prefixes)
    assert max(map(len, prefixes)) + LONGEST_ID + LONGEST_CLUSTER + 2 <= LONGEST_NAME


def test_every_role_of_the_table_has_a_policy_of_its_own() -> None:
    assert {path.stem for path in (ROOT / "hooks/roles").glob("*.json")} == {*ROLES, "trust"}
