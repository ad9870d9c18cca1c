"""Rules of Jobs and CronJobs (k8s.io/kubernetes, pkg/apis/batch/validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.objects import Object
from gitops.validation import cron, grammar, selectors
from gitops.validation.terms import Problem, Rule, at_least, choice, each, exactly_one, required, valid

INDEXED = "Indexed"
INDEXES = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")
MOST_AT_ONCE = 100_000


def ends(node: Object) -> Iterator[Problem]:
    """Check that the pods of a Job end."""
    policy = ((node.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        yield "template.spec.restartPolicy", f"{policy or 'Always, the default,'} must be OnFailure or Never"
    elif "podFailurePolicy" in node and policy != "Never":
        yield "template.spec.restartPolicy", f"{policy} must be Never beside podFailurePolicy"


def indexes(node: Object) -> Iterator[Problem]:
    """Check that only indexed Jobs have settings of indexes."""
    if node.get("completionMode") == INDEXED:
        # Both are 1 if none is given.
        if "completions" not in node and "parallelism" in node:
            yield "completions", f"must be set beside completionMode: {INDEXED}"
        if node.get("parallelism", 1) > MOST_AT_ONCE or node.get("maxFailedIndexes", 0) > MOST_AT_ONCE:
            yield "parallelism", f"and maxFailedIndexes must be at most {MOST_AT_ONCE}"
        if node.get("maxFailedIndexes", 0) > node.get("completions", MOST_AT_ONCE):
            yield "maxFailedIndexes", f"{node['maxFailedIndexes']} must be at most completions"
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if field in node:
                yield field, f"needs completionMode: {INDEXED}"
    if "maxFailedIndexes" in node and "backoffLimitPerIndex" not in node:
        yield "backoffLimitPerIndex", "must be set beside maxFailedIndexes"


def failures(node: Object) -> Iterator[Problem]:
    """Check that rules for failed pods name existing containers."""
    spec = (node.get("template") or {}).get("spec") or {}
    containers = {c["name"] for field in ("containers", "initContainers") for c in spec.get(field) or []}
    for path, entry in each(node.get("podFailurePolicy") or {}, "rules"):
        yield from ((f"podFailurePolicy.{path}", m) for _, m in exactly_one("onExitCodes", "onPodConditions")(entry))
        codes = entry.get("onExitCodes") or {}
        if entry.get("action") == "FailIndex" and "backoffLimitPerIndex" not in node:
            yield f"podFailurePolicy.{path}.action", "FailIndex needs backoffLimitPerIndex"
        if "containerName" in codes and codes["containerName"] not in containers:
            yield f"podFailurePolicy.{path}", f"there is no container {codes['containerName']}"
    replacement = node.get("podReplacementPolicy")
    if "podFailurePolicy" in node and replacement not in (None, "Failed"):
        yield "podReplacementPolicy", "must be Failed beside podFailurePolicy"


def exit_codes(node: Object) -> Iterator[Problem]:
    """Check that exit codes are sorted and unique."""
    codes = node.get("values") or []
    if codes != sorted(set(codes)) or not codes or len(codes) > 255:
        yield "values", "must be exit codes in ascending order, each once"
    if node.get("operator") == "In" and 0 in codes:
        yield "values", "operator In takes no 0: it is success"


def job_selector(node: Object) -> Iterator[Problem]:
    """Check that Kubernetes generates the selector."""
    spec = node.get("spec") or {}
    if spec.get("manualSelector"):
        yield from (("spec." + path, message) for path, message in selectors.template(spec))
    elif "selector" in spec:
        yield "spec.selector", "is generated: remove it"
    last = f"{node['metadata']['name']}-{spec.get('completions', 1) - 1}"
    if spec.get("completionMode") == INDEXED and spec.get("completions", 0) > 0 and grammar.dns_label(last):
        yield "metadata.name", f"its pods have names such as {last}, which {grammar.dns_label(last)}"


def cron_job(node: Object) -> Iterator[Problem]:
    """Check the name of a CronJob, which leaves room for a timestamp, and its template."""
    name, spec = node["metadata"]["name"], node.get("spec") or {}
    if len(name) > 52:
        yield "metadata.name", f"{len(name)} characters must be at most 52"
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    for field in ("selector", "manualSelector"):
        if template.get(field) not in (None, False):
            yield f"spec.jobTemplate.spec.{field}", "is generated: remove it"


def schedule(node: Object) -> Iterator[Problem]:
    """Check that Kubernetes can parse the schedule."""
    text = node.get("schedule", "")
    if "TZ" in text:
        yield "schedule", f"{text} must not name a time zone: use timeZone"
    elif message := cron.problem(text):
        yield "schedule", f"{text or '(empty)'} {message}"
    if node.get("timeZone") == "":
        yield "timeZone", "must not be empty: remove it"


def success(node: Object) -> Iterator[Problem]:
    """Check that a success rule has a condition."""
    if not node.get("rules") or len(node["rules"]) > 20:
        yield "rules", "must be 1 to 20"
    for path, entry in each(node, "rules"):
        if "succeededIndexes" not in entry and "succeededCount" not in entry:
            yield path, "needs succeededIndexes or succeededCount"
        if not INDEXES.fullmatch(entry.get("succeededIndexes", "0")):
            yield f"{path}.succeededIndexes", f"{entry['succeededIndexes']} must be indexes, such as 0,2-4"


def conditions(node: Object) -> Iterator[Problem]:
    """Check the status of a pod condition."""
    if node.get("status", "True") not in ("True", "False", "Unknown"):
        yield "status", f"{node['status']} is not one of True, False, Unknown"
    yield from valid(grammar.label_key, "type")(node)


COUNTS = at_least(
    0,
    *("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"),
    *("backoffLimitPerIndex", "maxFailedIndexes"),
)
RULES: dict[str, tuple[Rule, ...]] = {
    "batch/Job": (job_selector, required("spec")),
    "batch/CronJob": (cron_job, required("spec")),
    "batch.v1.JobSpec": (
        ends,
        indexes,
        failures,
        COUNTS,
        choice("completionMode", "NonIndexed", INDEXED, even_if_empty=True),
        choice("podReplacementPolicy", "Failed", "TerminatingOrFailed", even_if_empty=True),
        valid(grammar.domain_path, "managedBy"),
    ),
    "batch.v1.JobTemplateSpec": (required("spec"),),
    "batch.v1.PodFailurePolicyRule": (
        required("action"),
        choice("action", "Count", "FailIndex", "FailJob", "Ignore"),
    ),
    "batch.v1.PodFailurePolicyOnExitCodesRequirement": (exit_codes, choice("operator", "In", "NotIn")),
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": (conditions,),
    "batch.v1.SuccessPolicy": (success,),
    "batch.v1.CronJobSpec": (
        schedule,
        valid(grammar.time_zone, "timeZone"),
        choice("concurrencyPolicy", "Allow", "Forbid", "Replace"),
        at_least(0, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    ),
}
