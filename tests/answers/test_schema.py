"""Our checks, editors and the documentation interpret the schema of the answers in the same way."""

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from tests.support.cases import ROOT, cases, minimal
from tests.support.properties import thorough, up_to
from tests.support.strategies import answers, anything, places, spoilt

Node = dict[str, Any]
SCHEMA: Node = json.loads((ROOT / "hooks" / "answers.schema.json").read_text())
QUESTIONS: dict[str, Node] = {
    name: question
    for name, question in yaml.safe_load((ROOT / "copier.yml").read_text()).items()
    if not name.startswith("_")
}
ASKED = {name: question for name, question in QUESTIONS.items() if "help" in question}

# The keywords that hooks/schema/validate.jinja reads, and those that it may ignore.
READ = {"$ref", "type", "enum", "not", "maxLength", "pattern", "minimum", "maximum", "minItems", "uniqueItems"}
READ |= {"items", "minProperties", "required", "properties", "propertyNames", "additionalProperties", "definitions"}
READ |= {"anyOf", "allOf", "oneOf", "dependencies", "const"}
NOTES = {
    "$schema",
    "title",
    "description",
    "default",
    "examples",
    "x-rule",
    "x-text-rule",
    "x-fix",
    "x-repair",
    "x-moving-tag",
}
NOTES |= {"x-source", "x-reserved", "x-dependencies", "x-one-of", "x-excluded", "x-instead"}


def nodes(node: Node, path: str = "#") -> Iterator[tuple[str, Node]]:
    """Yield each schema in the schema, with its path."""
    yield path, node
    for key in ("properties", "definitions"):
        for name, inner in node.get(key, {}).items():
            yield from nodes(inner, f"{path}/{key}/{name}")
    for key in ("items", "propertyNames", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], f"{path}/{key}")
    for key in ("anyOf", "allOf", "not"):
        inner = node.get(key, [])
        for index, part in enumerate(inner if isinstance(inner, list) else [inner]):
            yield from nodes(part, f"{path}/{key}/{index}")


def types_of(node: Node) -> list[str]:
    """Return the types of a node as a list."""
    return [node["type"]] if isinstance(node["type"], str) else node["type"]


def resolved(node: Node) -> Node:
    return SCHEMA["definitions"][node["$ref"].split("/")[-1]] if "$ref" in node else node


NODES = dict(nodes(SCHEMA))
TYPED = {path: node for path, node in NODES.items() if "type" in node}
# Free text may contain anything, also a final newline.
STRICT_PATTERNS = {node["pattern"] for node in TYPED.values() if "pattern" in node and "x-text-rule" not in node}


# Every field once.
PORTS: Node = {"http": 8080, "dns": {"port": 5353, "protocol": "UDP"}}
VARIABLES: Node = {
    "TEXT": "text",
    "NUMBER": 1,
    "SWITCH": True,
    "PASSWORD": {"secret": "db", "key": "password", "optional": True},
    "ADDRESS": {"field": "metadata.labels['a.b/c']"},
    "MEMORY": {"resource": "limits.memory"},
    "NONE": None,
}
CONTAINER: Node = {
    "name": "proxy",
    "image": "proxy:1.0.0",
    "command": ["proxy"],
    "args": ["--quiet"],
    "env": {"TEXT": "text"},
    "ports": {"admin": 9901},
    "files": {"/etc/proxy.yaml": "a: 1\n"},
    "writable_paths": ["/run/proxy"],
    "resources": {"limits": {"memory": "1Gi"}},
    "run_as_user": 101,
}
CHANGE: Node = {
    "image": "whoami:1.1.0",
    "mutable_tag": False,
    "command": ["whoami"],
    "args": ["--verbose", "--port=8080"],
    "env": VARIABLES,
    "env_from_secrets": ["one", "two"],
    "image_pull_secrets": ["registry"],
    "files": {"/etc/whoami.yaml": "a: 1\n"},
    "secret_files": {"/etc/key.pem": {"secret": "keys", "key": "key.pem"}},
    "writable_paths": ["/tmp", {"path": "/cache", "copy": True, "memory": True, "size": "64Mi"}],
    "read_only": False,
    "health": {
        "ready": "/readyz",
        "live": ["true"],
        "start_seconds": 300,
        "port": 8080,
        "headers": {"Host": "a"},
        "timeout_seconds": 5,
    },
    "before_release": ["migrate"],
    "after_release": {"command": ["warm"], "args": ["-v"], "image": "tools:1.0.0", "deadline_seconds": 60},
    "schedules": {
        "nightly": {
            "cron": "0 3 * * *",
            "command": ["clean"],
            "args": ["-v"],
            "timezone": "Europe/Berlin",
            "concurrency": "replace",
            "deadline_seconds": 60,
            "suspend": True,
        }
    },
    "sidecars": [CONTAINER],
    "init": [{"name": "wait", "image": "wait:1.0.0"}],
    "replicas": 2,
    "strategy": "recreate",
    "stop_seconds": 60,
    "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "2", "ephemeral-storage": "1Gi"}},
    "metrics": {"port": 8080, "path": "/stats"},
    "nodes": {
        "arch": "arm64",
        "selector": {"a.b/c": "d"},
        "tolerations": [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}],
    },
    "arch": "arm64",
    "labels": {"team": "a"},
    "annotations": {"a.b/c": "d e"},
    "run_as_user": 1000,
    "run_as_group": 0,
}
COMPONENT: Node = CHANGE | {
    "kind": "statefulset",
    "port": 8080,
    "ports": PORTS,
    "service": "who",
    "public": True,
    "callers": ["other", "other/web"],
    "volumes": [
        {"path": "/data", "size": "1Gi", "shared": True, "storage_class": "efs", "sub_path": "a/b"},
        {"path": "/media", "of": "api"},
    ],
}
SMALL_CHANGE: Node = {"image": "whoami:1.1.0", "autoscaling": {"min": 3}, "env": {"TEXT": "text"}}
ROUTE: Node = {
    "host": "www",
    "path": "/api",
    "component": "web",
    "strip": True,
    "sticky": True,
    "protocol": "h2c",
    "allow": ["203.0.113.0/24", "2001:db8::/32", "::1"],
    "basic_auth": "users",
    "rate_limit": 50,
}
ROUTES: list[Node] = [ROUTE, {"host": "@", "redirect": "www"}]
EVERYTHING: Node = minimal() | {
    "additional_repo_urls": ["https://github.com/acme/old.git"],
    "repo_private": True,
    "target_revision": "main",
    "installation_id": "gitops1a2b3c",
    "dns_provider": "route53",
    "platform_hosts": ["grafana.example.com"],
    "load_balancer": "legacy",
    "kubernetes_version": "1.36",
    "hsts_seconds": 0,
    "addons": ["metrics-server"],
    "clusters": [
        "main",
        {
            "name": "other",
            "provides": ["aws-load-balancer-controller"],
            "vpc_id": "vpc-0a1b2c3d4e5f67890",
            "acm_certificate_arn": minimal()["acm_certificate_arn"],
            "load_balancer": "legacy",
            "kubernetes_version": "1.35",
            "aws_region": "eu-west-1",
            "aws_account": "123456789012",
            "ingress_host": "in.example.com",
            "dns_owner_id": "gitops-main",
        },
    ],
    "argocd_cluster": "main",
    "aws_region": "eu-west-1",
    "aws_account": "123456789012",
    "environments": [
        "dev",
        {
            "name": "prod",
            "cluster": "main",
            "domain": "example.org",
            "protected": True,
            "limits": {"cpu": "2", "replicas": 5},
        },
    ],
    "limits": {"replicas": 10, "cpu": 4, "memory": "8Gi", "storage": "10Gi", "stop_seconds": 60},
    "registries": ["docker.io/library/", "ghcr.io/acme/"],
    "priority_classes": ["batch"],
    "monitoring_namespace": "observability",
    # Each field alone: every odd value in every place checks the whole workload again.
    "workloads": [
        *({"name": "one", "image": "whoami:1.0.0", field: value} for field, value in COMPONENT.items()),
        {"name": "one", "image": "whoami:1.0.0", "autoscaling": {"min": 2, "max": 4, "cpu": 80, "memory": 80}},
        {"name": "one", "image": "whoami:1.0.0", "health": {"grpc": True, "port": 8080}},
        {"name": "one", "image": "whoami:1.0.0", "health": {"command": ["true"], "live": "/livez"}, "metrics": 9090},
        {"name": "one", "image": "whoami:1.0.0", "health": False, "host": "one", "environments": ["dev"]},
        {"name": "one", "image": "whoami:1.0.0", "health": "/healthz", "routes": ROUTES, "external_secrets": False},
        {"name": "one", "image": "whoami:1.0.0", "overrides": {"dev": SMALL_CHANGE | {"host": "a", "routes": ROUTES}}},
        {
            "name": "several",
            "host": False,
            "defaults": SMALL_CHANGE | {"port": 80, "overrides": {"dev": SMALL_CHANGE}},
            "components": [{"name": "web", "port": 80, **SMALL_CHANGE, "overrides": {"dev": SMALL_CHANGE}}],
        },
    ],
    "ci": "none",
}
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.0,
    1.5,
    8080.0,
    70000,
    2**31,
    "",
    "1",
    "true",
    "a\n",
    "é",
    "x" * 40_000,
]
ODD += [[], ["a", "a"], [1], [{}], [["a"]], {}, {"name": "a"}, {"dev": {}}, {1: "a"}, {True: "a"}, {"A": None}, b"a"]
ODD += [datetime.date(2026, 1, 1), "a", "A", "0", "main", "1.36", "con", "default", "in-cluster", "kube-x", "yes"]


def is_integer(_: Any, value: object) -> bool:
    """Return whether a value is an integer in YAML: floats and booleans are not."""
    return isinstance(value, int) and not isinstance(value, bool)


VALIDATOR = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft7Validator,
    type_checker=jsonschema.Draft7Validator.TYPE_CHECKER.redefine("integer", is_integer),
)(SCHEMA)


@pytest.fixture(scope="session")
def validate(jinja: Environment) -> Callable[[object], list[str]]:
    """Return the problems that hooks/schema/validate.jinja finds."""
    macro = jinja.from_string(
        "[% from 'hooks/schema/validate.jinja' import validate %][[ validate(schema, schema, value, '') ]]"
    )
    return lambda value: macro.render(schema=SCHEMA, value=value).split()


def test_the_schema_is_valid_itself() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_schema_uses_only_keywords_that_the_checks_read() -> None:
    for path, node in NODES.items():
        assert node.keys() <= READ | NOTES, path


def test_the_schema_uses_keywords_only_as_the_checks_read_them() -> None:
    for path, node in NODES.items():
        if "$ref" in node:
            assert node.keys() <= {"$ref", "description", "examples", "x-source"}, path
            assert node["$ref"] in {f"#/definitions/{name}" for name in SCHEMA["definitions"]}, path
    for path, node in TYPED.items():
        assert "x-rule" in node or "enum" in node or "allOf" in node, path
        assert len(node.get("allOf", [node])) == 1, path
        types = [kind for part in node.get("anyOf", []) for kind in types_of(resolved(part))]
        assert len(types) == len(set(types)) and set(types) <= set(types_of(node)), path
        assert node.get("x-dependencies", {}).keys() == node.get("dependencies", {}).keys(), path
        assert ("x-one-of" in node) == ("oneOf" in node), path
        assert node.get("additionalProperties", False) is False or "propertyNames" in node, path
        assert ("x-excluded" in node) == ("not" in node.get("propertyNames", {})), path
        assert "object" not in types_of(node) or node.keys() & {"additionalProperties", "anyOf", "allOf"}, path
        assert "object" in types_of(node) or "additionalProperties" not in node, path


def test_every_definition_is_used() -> None:
    used = {node["$ref"].split("/")[-1] for node in NODES.values() if "$ref" in node}
    hooks = "".join(path.read_text() for path in (ROOT / "hooks").rglob("*.jinja"))
    assert used | set(re.findall(r"definitions\.(\w+)", hooks)) == SCHEMA["definitions"].keys()


def test_no_text_repeats_a_limit_of_its_node() -> None:
    for path, node in TYPED.items():
        limits = {str(node[key]) for key in ("maxLength", "minimum", "maximum") if node.get(key, 0) > 1}
        texts = node.get("x-rule", "") + node.get("x-text-rule", "")
        assert limits.isdisjoint(re.findall("[0-9]+", texts)), path


def test_every_answer_and_every_field_is_described() -> None:
    for path, node in NODES.items():
        if re.search("/properties/[^/]+$", path):
            assert node.get("description") or resolved(node).get("description"), path


@pytest.mark.parametrize("pattern", sorted(STRICT_PATTERNS))
def test_a_pattern_holds_from_the_first_to_the_last_character(pattern: str) -> None:
    assert pattern.startswith("^") and pattern.endswith(r"(?![\s\S])")
    assert not re.search(r"\\[dDwWbBzZ]|\$", pattern), "depends on the engine, or takes digits of other alphabets"


@pytest.mark.parametrize("pattern", sorted(STRICT_PATTERNS))
@up_to(20)
@given(data=st.data())
def test_a_pattern_refuses_a_newline_at_the_end_and_digits_of_other_alphabets(
    pattern: str, data: st.DataObject
) -> None:
    inner = pattern.removeprefix("^").removesuffix(r"(?![\s\S])")
    text = data.draw(st.from_regex(re.compile(inner, re.ASCII), fullmatch=True, alphabet=st.characters(codec="ascii")))
    assert re.search(pattern, text)
    assert not re.search(pattern, text + "\n")
    arabic = text.translate({ord("0") + digit: ord("\u0660") + digit for digit in range(10)})
    assert arabic == text or not re.search(pattern, arabic)


def test_questions_are_the_answers_of_the_schema_in_its_groups() -> None:
    assert ASKED.keys() == SCHEMA["properties"].keys()


def test_what_is_not_asked_is_computed_and_cannot_be_answered(jinja: Environment) -> None:
    computed = jinja.from_string(
        "[% from 'hooks/rules/shape.jinja' import computed %][[ computed | to_json ]]"
    ).render()
    assert set(json.loads(computed)) == QUESTIONS.keys() - ASKED.keys()


@pytest.mark.parametrize("name", ASKED)
def test_a_question_and_its_schema_agree(name: str) -> None:
    question, node = ASKED[name], resolved(SCHEMA["properties"][name])
    types = {"string": "str", "array": "yaml", "object": "yaml", "integer": "int", "boolean": "bool"}
    assert question["type"] == types[node["type"]]
    assert ("default" in question) != (name in SCHEMA["required"])
    if name not in ("argocd_cluster", "installation_id"):
        default = question.get("default")
        if isinstance(default, str) and "[%" in default:
            # At a terminal it may have none: users type into an empty line.
            default = re.sub(r"\[% (?:from|else|if needs).*|\[%.*?%\]", "", default)
            default = yaml.safe_load(default) if node["type"] == "array" else default
        assert default == node.get("default")
        choices = question.get("choices", {})
        assert list(choices.values()) == node.get("enum", [])


@pytest.mark.parametrize("name", ASKED)
def test_the_text_of_a_question_fits_a_terminal(name: str) -> None:
    lines = [line for line in ASKED[name]["help"].split("\n") if "[[" not in line and "[%" not in line]
    # Copier prints a symbol of three columns before the first line, and two blanks before each choice.
    assert all(len(line) <= 80 - 3 * (number == 0) for number, line in enumerate(lines)), lines
    assert all(len(choice) <= 80 - 4 for choice in ASKED[name].get("choices", []) if isinstance(choice, str))


@pytest.mark.parametrize("name", ASKED)
def test_a_question_checks_its_own_answer_or_offers_choices(name: str) -> None:
    checked = f"[% from 'hooks/gates.jinja' import at_prompt with context %][[ at_prompt('{name}', {name}) ]]"
    assert ASKED[name].get("validator") == (None if "choices" in ASKED[name] else checked)


def test_the_checks_know_every_question_in_its_order(jinja: Environment) -> None:
    answered = jinja.from_string(
        "[% from 'hooks/given/answered.jinja' import answered with context %][[ answered | to_json ]]"
    )
    given = {name: f"the answer to {name}" for name in reversed(ASKED)}
    for number, last in enumerate(ASKED, 1):
        assert list(json.loads(answered.render(_copier_answers=given, last=last))) == list(ASKED)[:number]


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.name)
def test_editors_accept_what_the_checks_accept(case: Any) -> None:
    VALIDATOR.validate(case.answers)


@up_to(150)
@given(value=answers())
def test_valid_answers_are_accepted_by_our_checks_and_by_jsonschema(
    value: Node, validate: Callable[[object], list[str]]
) -> None:
    assert validate(value) == []
    assert list(VALIDATOR.iter_errors(value)) == []


def test_everything_has_every_field() -> None:
    fields = [name for node in TYPED.values() for name in node.get("properties", {})]
    named = [key for _, key in places(EVERYTHING) if isinstance(key, str)]
    assert set(fields) <= set(named)
    VALIDATOR.validate(EVERYTHING)


# One cluster, environment or workload at a time, with otherwise minimal answers.
SMALL = EVERYTHING | {"addons": [], "clusters": ["main"], "environments": ["dev"], "workloads": []}
PARTS = {"answers": SMALL} | {
    f"{name}[{index}]": SMALL | {name: [part]}
    for name in ("clusters", "environments", "workloads")
    for index, part in enumerate(EVERYTHING[name])
}


@pytest.mark.parametrize("part", PARTS)
def test_our_checks_and_jsonschema_judge_any_odd_value_in_any_place_alike(
    part: str, validate: Callable[[object], list[str]]
) -> None:
    changed = copy.deepcopy(PARTS[part])
    for number, (container, key) in enumerate(places(changed if part == "answers" else changed[part.split("[")[0]])):
        value = container[key]
        odd = [odd for odd in ODD if odd is not value]
        if isinstance(value, dict):
            odd += [{other: value[other] for other in value if other != field} for field in value]
            odd += [value | {"unknown": 1}]
        # In the fast tier every place gets some values, and every value some places.
        for container[key] in odd if thorough() else odd[number % 5 :: 5]:
            assert (validate(changed) == []) == VALIDATOR.is_valid(changed), (container, key)
        container[key] = value


@up_to(200)
@given(value=spoilt())
def test_our_checks_and_jsonschema_judge_spoilt_answers_alike(
    value: Node, validate: Callable[[object], list[str]]
) -> None:
    assert (validate(value) == []) == VALIDATOR.is_valid(value)


@up_to(200)
@given(value=anything)
def test_our_checks_and_jsonschema_judge_anything_alike(value: object, validate: Callable[[object], list[str]]) -> None:
    assert (validate(value) == []) == VALIDATOR.is_valid(value)


def test_the_readme_has_every_answer_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = {name: yaml.safe_load(default.strip("`")) for name, default in rows}
    assert listed.keys() == SCHEMA["properties"].keys()
    for name, property in SCHEMA["properties"].items():
        node = SCHEMA["definitions"][property["$ref"].split("/")[-1]] if "$ref" in property else property
        if name in SCHEMA["required"]:
            assert listed[name] == "required"
        elif "default" in node:
            assert listed[name] == node["default"], name
