"""Answers from the infrastructure: their contract, the ways to write them, and how to join them with others."""

from __future__ import annotations

import copy as copies
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jinja2 import Environment

from tests.support.answers import ANSWERS_FILE
from tests.support.cases import Answers, minimal
from tests.support.commands import Copy
from tests.support.repository import ROOT
from tools import contract

FOLDER = ROOT / "docs/infrastructure"
PAGE = (FOLDER / "README.md").read_text()
CERTIFICATE: str = minimal()["acm_certificate_arn"]
DESCRIBED = {
    "main": {"computeConfig": {"enabled": False}, "resourcesVpcConfig": {"vpcId": "vpc-0a1b2c3d"}, "version": "1.36"},
    "auto": {"computeConfig": {"enabled": True}, "resourcesVpcConfig": {"vpcId": "vpc-0a1b2c3e"}, "version": "1.35"},
}
TOOL = """#!/usr/bin/env python3
import json, sys
words, described = sys.argv, json.loads({described!r})
if "describe-cluster" in words:
    name = words[words.index("--name") + 1]
    print(json.dumps({{"cluster": {{"name": name, **described[name]}}}}))
elif "list-addons" in words:
    print(json.dumps({{"addons": ["vpc-cni", "metrics-server"] if "main" in words else ["vpc-cni"]}}))
elif "get-caller-identity" in words:
    print(json.dumps({{"Account": "123456789012"}}))
elif words[1:3] == ["get", "cluster"]:
    print(json.dumps([{{"Name": name, "Region": "eu-west-1", "Owned": "True"}} for name in described]))
else:
    sys.exit(1)
"""
Model = Callable[[Answers], dict[str, Any]]


@pytest.fixture(scope="session")
def model(jinja: Environment) -> Model:
    """Return a function from answers to the model, without Copier."""
    template = jinja.from_string(
        "[% from 'hooks/model/complete.jinja' import answers with context %]"
        "[% from 'hooks/model/model.jinja' import model with context %][[ model | to_json ]]"
    )
    return lambda answers: dict(json.loads(template.render(given=answers)))


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a shell with stand-ins for eksctl and the AWS CLI."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("aws", "eksctl"):
        (folder / name).write_text(TOOL.format(described=json.dumps(DESCRIBED)))
        (folder / name).chmod(0o755)
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def written(tools: dict[str, str]) -> str:
    """Return the output of the documented script for two clusters."""
    command = [sys.executable, str(FOLDER / "eksctl.py"), "--region", "eu-west-1", "--domain", "example.com"]
    command += ["--certificate", CERTIFICATE]
    return subprocess.run(command, env=tools, check=True, capture_output=True, text=True).stdout


def test_without_a_certificate_the_script_says_where_the_clusters_are(tools: dict[str, str]) -> None:
    command = [sys.executable, str(FOLDER / "eksctl.py"), "--region", "eu-west-1", "--domain", "example.com"]
    answers = json.loads(subprocess.run(command, env=tools, check=True, capture_output=True, text=True).stdout)
    jsonschema.validate(answers, contract.contract())
    place = {name: answers[name] for name in ("acm_certificate_arn", "aws_region", "aws_account")}
    assert place == {"acm_certificate_arn": "", "aws_region": "eu-west-1", "aws_account": "123456789012"}


def test_the_contract_is_that_of_the_schema() -> None:
    assert contract.CONTRACT.read_text() == contract.text(), "run: make docs"
    jsonschema.Draft7Validator.check_schema(contract.contract())


def test_the_contract_accepts_its_answers_and_no_others() -> None:
    schema, answers = contract.contract(), minimal()
    own = {name: value for name, value in answers.items() if name in schema["properties"]}
    assert own.keys() >= {"domain", "acm_certificate_arn"} and answers.keys() - own.keys() >= {"repo_url", "workloads"}
    jsonschema.validate(own, schema)
    null = [{"name": "main", "vpc_id": None}]
    wrongs: list[Answers] = [{"workloads": []}, {"clusters": null}, {"kubernetes_version": 1.36}]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(own | wrong, schema)


def test_clusters_of_eksctl_are_described_as_the_contract_has_it(written: str) -> None:
    answers = json.loads(written)
    jsonschema.validate(answers, contract.contract())
    auto, main = answers["clusters"]
    assert (main["load_balancer"], main["provides"]) == ("aws-load-balancer-controller", ["metrics-server"])
    assert (auto["load_balancer"], auto["vpc_id"]) == ("eks-auto-mode", "vpc-0a1b2c3e")


def test_the_output_of_terraform_has_names_of_the_contract() -> None:
    text = (FOLDER / "outputs.tf").read_text()
    assert text.count("{") == text.count("}") and text.count("[") == text.count("]")
    properties = contract.contract()["properties"]
    fields = contract.contract()["definitions"]["cluster_fields"]["properties"]
    assert {*re.findall(r"^    (\w+) += ", text, re.MULTILINE)} == properties.keys() - {"kubernetes_version"}
    assert {*re.findall(r"^      (\w+) += ", text, re.MULTILINE)} <= fields.keys()


@pytest.mark.parametrize("indent", [None, 2])
def test_two_files_are_joined_by_the_documented_command(
    written: str, indent: int | None, find_problems: Callable[[Answers], list[str]], tmp_path: Path
) -> None:
    (join,) = re.findall(r"^\{ cat platform\.yaml.*$", PAGE, re.MULTILINE)
    platform = {name: value for name, value in minimal().items() if name not in contract.contract()["properties"]}
    platform["environments"] = [{"name": "dev", "cluster": "auto"}, {"name": "prod", "cluster": "main"}]
    text = yaml.safe_dump(platform | {"domain": "example.org"}).rstrip()
    (tmp_path / "platform.yaml").write_text(f"---\n# Ours.\n{text}")
    (tmp_path / "infrastructure.json").write_text(json.dumps(json.loads(written), indent=indent))
    subprocess.run(["sh", "-euc", join], cwd=tmp_path, check=True)
    joined = yaml.safe_load((tmp_path / "answers.yml").read_text())
    assert joined == json.loads(written) | platform | {"domain": "example.org"}
    assert find_problems(joined) == []


def test_a_cluster_that_recorded_environments_name_cannot_disappear(written: str, copy: Copy, tmp_path: Path) -> None:
    environments = [{"name": "dev", "cluster": "auto"}, {"name": "prod", "cluster": "main"}]
    platform = minimal() | json.loads(written) | {"environments": environments}
    (tmp_path / ANSWERS_FILE).write_text(yaml.safe_dump(platform))
    (problem,) = copy({"clusters": ["main"]}, tmp_path, "--overwrite").problems
    assert problem.startswith('environments[0].cluster: "auto" is not a cluster; use main (recorded in ')
    assert yaml.safe_load((tmp_path / ANSWERS_FILE).read_text()) == platform


def test_the_order_of_clusters_changes_nothing(model: Model) -> None:
    for environments in (["dev"], ["dev", "prod"]):
        entries = [{"name": name, "cluster": "b"} for name in environments]
        answers = minimal() | {"clusters": ["b", {"name": "a"}, "c"], "environments": entries}
        turned = copies.deepcopy(answers) | {"clusters": ["c", {"name": "a"}, "b"]}
        assert model(answers) == model(turned)


def test_a_domain_inside_that_of_another_cluster_belongs_to_its_own(model: Model) -> None:
    environments = [
        {"name": "prod", "cluster": "prod", "domain": "example.com"},
        {"name": "dev", "cluster": "dev"},
        {"name": "eu", "cluster": "prod", "domain": "eu.stage.example.com"},
        {"name": "stage", "cluster": "dev"},
    ]
    answers = minimal() | {"dns_provider": "route53", "clusters": ["dev", "prod"], "environments": environments}
    dev, prod = model(answers)["clusters"]
    assert {"dev.example.com", "*.dev.example.com", dev["ingress_host"]} <= {*prod["foreign_record_names"]}
    # A name of prod is below stage.example.com, so prod keeps the names there.
    assert "*.stage.example.com" not in prod["foreign_record_names"]
    assert dev["foreign_record_names"] == ["eu.stage.example.com", "*.eu.stage.example.com"]
