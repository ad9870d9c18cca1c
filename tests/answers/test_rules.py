"""Rules that depend on many values, or that need large answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Environment

from gitops.validation import cron
from tests.support.cases import ROOT, Answers, minimal
from tests.support.properties import up_to

FindProblems = Callable[[Answers], list[str]]
KNOWN = json.loads((ROOT / "hooks/known_images.json").read_text())


def workloads(fields: Iterable[dict[str, Any]]) -> Answers:
    """Return the smallest answers with a workload for each of the fields."""
    entries = [{"name": f"w{number}", "image": "whoami:1.0.0"} | given for number, given in enumerate(fields)]
    return minimal() | {"workloads": entries}


@pytest.fixture(scope="session")
def cron_fault(jinja: Environment) -> Callable[[str], str]:
    """Return the macro that finds the problem of a schedule."""
    macro = jinja.from_string(
        "[% from 'hooks/rules/schedules.jinja' import cron_fault %][[ cron_fault(schedule) | trim ]]"
    )
    return lambda schedule: macro.render(schedule=schedule)


PARTS = "* ? 0 5 7 12 24 31 60 */5 */0 1-5 5-1 - 1/ /2 1-2-3 jan MON mon-fri jan-dec/2 a 1,2 , 1,,2 *-5 ?/3 00 1_0 x/1"
parts = st.sampled_from(PARTS.split(" "))
lines = st.lists(parts, min_size=4, max_size=6).map(" ".join)
words = st.sampled_from([*cron.DESCRIPTORS, "@every 1h", "@every", "@every x", "@every 1.5h30m", "@every -5s", "@noon"])


@up_to(400)
@given(schedule=lines | words | st.builds("{} {} {} {} {}".format, *[parts] * 5))
@example(schedule="0 3 * * *")
@example(schedule="0 0 * * 7")
def test_the_answers_and_the_check_refuse_the_same_schedules(schedule: str, cron_fault: Callable[[str], str]) -> None:
    assert bool(cron_fault(schedule)) == bool(cron.problem(schedule)), schedule


def test_files_of_a_component_fit_into_a_config_map(jinja: Environment) -> None:
    macro = jinja.from_string("[% from 'hooks/rules/storage.jinja' import check_size %][[ check_size('w', files) ]]")
    half = "\u00e9" * 225_000
    assert macro.render(files={"/etc/a": half, "/etc/b": half}).strip() == ""
    problem = macro.render(files={"/etc/a": half, "/etc/b": half + "x"}).strip()
    assert problem.startswith("w.files: have 900001 bytes in total, and a ConfigMap holds 900000; ")


def test_no_database_runs_twice_by_default(find_problems: FindProblems) -> None:
    databases = KNOWN["databases"]
    problems = find_problems(workloads({"image": f"registry.example.com/mirror/{name}:1.0.0"} for name in databases))
    for name, problem in zip(databases, problems, strict=True):
        assert f"the default is two pods: each pod of {name} would be a database of its own" in problem
    others = ["mysqld-exporter", "postgres-client", "redis/redisinsight", "postgres/api"]
    assert find_problems(workloads({"image": f"registry.example.com/{name}:1.0.0"} for name in others)) == []


def test_no_folder_of_data_is_emptied_at_every_start(find_problems: FindProblems) -> None:
    folders = [path for folder in KNOWN["data_folders"] for path in (folder, f"{folder}/x")]
    problems = find_problems(workloads({"writable_paths": [path]} for path in folders))
    for path, problem in zip(folders, problems, strict=True):
        assert f"{path} looks like data, and is empty after every restart" in problem
    assert find_problems(workloads({"writable_paths": [f"{path}-x"]} for path in KNOWN["data_folders"][:3])) == []


def test_a_policy_that_is_too_large_for_aws_is_refused(find_problems: FindProblems) -> None:
    def environments(count: int) -> Answers:
        entries = [{"name": f"e{number}", "domain": f"{'d' * 60}.e{number}.example.com"} for number in range(count)]
        return minimal() | {"domain": "example.com", "dns_provider": "route53", "environments": entries}

    assert find_problems(environments(55)) == []
    (problem,) = find_problems(environments(65))
    assert problem.startswith("environments: the AWS policy of external-dns in cluster main would have 1")
    assert "the limit of AWS is 10240" in problem


def test_each_hint_is_for_a_name_that_no_field_has(jinja: Environment) -> None:
    hints = json.loads((ROOT / "hooks/schema/instead.json").read_text())
    schema = json.loads((ROOT / "hooks/answers.schema.json").read_text())
    readers = {node["x-instead"]: node for node in [schema, *schema["definitions"].values()] if "x-instead" in node}
    assert hints.keys() == readers.keys()
    for name, node in readers.items():
        assert hints[name].keys().isdisjoint(node["properties"].keys() - {"timezone"}), name
        assert all(hint == "".join(hint.lower().split("_")).replace("-", "") for hint in hints[name]), name


# Fields of Compose, of Kubernetes and of charts. No field here is called like them, and some share letters with one.
TRIED = (
    "shm_size ulimits extra_hosts hostAliases dns dnsPolicy deploy logging cap_add security_opt group_add mem_limit "
    "cpus gpus devices runtime runtimeClassName profiles extends configs env_file tmpfs hostname expose working_dir "
    "restart depends_on healthcheck entrypoint user stop_grace_period pull_policy scale preStop postStart parallelism "
    "headless clusterIP serviceType automountServiceAccountToken shareProcessNamespace minReadySeconds websocket "
    "progressDeadlineSeconds activeDeadlineSeconds extraContainers secretMounts sticky"
)


def test_fields_of_other_tools_have_a_hint_each(find_problems: FindProblems) -> None:
    problems = find_problems(workloads({"image": "example.com/api:1.4.2", name: "x"} for name in TRIED.split()))
    assert len(problems) == len(TRIED.split())
    assert [line for line in problems if "did you mean" in line or "known fields are" in line] == []


@pytest.mark.parametrize(
    ("name", "meant"), [("prots", "ports"), ("vloumes", "volumes"), ("prot", "port"), ("strop", "")]
)
def test_only_a_name_that_begins_or_ends_alike_is_meant(find_problems: FindProblems, name: str, meant: str) -> None:
    (problem,) = find_problems(workloads([{"image": "example.com/api:1.4.2", name: "x"}]))
    assert ("did you mean " + meant + "?" in problem) if meant else "; known fields are " in problem
