#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["kubernetes-validate==1.36.0", "pyyaml==6.0.3", "yamllint==1.38.0"]
# ///
"""What must hold before a change is merged: one line per check, what is wrong below it, and what to do at the end.

    scripts/validate.py                      everything
    scripts/validate.py --changed [main]     what this branch touches since it left main
    scripts/validate.py --quick              what takes a second, before each commit

Exit status: 0 if all of it holds, 1 if not. No cluster is asked; charts and Argo CD's manifests are read from where
they are published.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property, partial
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

import gitops
from gitops import (
    ANSWERS,
    Application,
    GitOpsError,
    Object,
    Tree,
    digest,
    is_below,
    listed,
    pulled,
    run,
    working,
)

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parent.parent
WORKLOADS = "apps/workloads"
POLICIES = "apps/platform/policies"
# The lines around what Git cannot merge; those of equals signs are headings elsewhere.
MARKER = re.compile(r"^(<{7}|\|{7}|>{7})( |$)", re.MULTILINE)
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
RENDERED = "_rendered."
# Admission policies, and their bindings.
POLICY = "ValidatingAdmissionPolicy"
CRD = "CustomResourceDefinition"
TRACKING = "argocd.argoproj.io/tracking-id"
# Where the schemas of Kubernetes look for what they share.
DEFINITIONS = "/api/_definitions.json#/$defs/"
# A resource of Kustomize that is somewhere else: a URL, or a host's name with a path.
REMOTE = re.compile(r".*(://|//|\?ref=)|git@|[\w-]+(\.[\w-]+)+/")
# Kinds of Kubernetes itself that belong to no namespace (kubectl api-resources --namespaced=false).
CLUSTER_SCOPED = {
    *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
    *("ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IPAddress", "IngressClass"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node"),
    *("PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass"),
    *("ServiceCIDR", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass"),
}


class Repository:
    """What the checks look at: all of it, or what a branch touches.

    Attributes:
        touched: The files that were changed; None for all.
    """

    def __init__(self, tree: Tree, touched: set[str] | None = None) -> None:
        self.tree = tree
        self.touched = touched

    @cached_property
    def files(self) -> list[str]:
        """The files to look at, one by one."""
        return [name for name in listed(REPOSITORY) if self.touched is None or name in self.touched]

    @cached_property
    def applications(self) -> list[Application]:
        """The Applications to look at."""
        found = list(self.tree.applications.values())
        if self.touched is None or any(is_below(file, ["argo", POLICIES]) for file in self.touched):
            return found
        paths = {a.name: a.generate_paths for a in found}
        return [a for a in found if any(is_below(file, paths[a.name] or ["."]) for file in self.touched)]

    @cached_property
    def builds(self) -> dict[str, list[Object] | GitOpsError]:
        """The objects of each Application, or why there are none."""

        def build(application: Application) -> list[Object] | GitOpsError:
            try:
                return self.tree.build(application)
            except GitOpsError as error:
                return error

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            built = pool.map(build, self.applications)
            return dict(zip([a.name for a in self.applications], built, strict=True))

    def objects(self) -> Iterator[tuple[Application, Object]]:
        """Every object that could be built, with its Application."""
        for application in self.applications:
            yield from ((application, item) for item in _objects(self, application))

    @cached_property
    def platform(self) -> list[tuple[Application, Object]]:
        """What is no workload, also where a branch does not touch it: workloads make use of it."""
        found = []
        for application in self.tree.applications.values():
            if not _workload(application):
                built = self.builds.get(application.name)
                try:
                    objects = self.tree.build(application) if built is None else built
                except GitOpsError as error:
                    objects = error
                found += [] if isinstance(objects, GitOpsError) else [(application, item) for item in objects]
        return found

    @cached_property
    def crds(self) -> list[Object]:
        """The definitions of custom resources."""
        return [item for _, item in self.platform if item["kind"] == CRD]


# --- the checks: what each finds wrong ---


def conflicts(repository: Repository) -> Iterator[str]:
    """Files that an update or a merge left half done."""
    for name in repository.files:
        file = REPOSITORY / name
        if name.endswith(".rej"):
            yield f"{name}: is what could not be merged; put what is in it where it belongs, and delete it"
        elif file.is_file() and (marker := MARKER.search(file.read_bytes().decode(errors="replace"))):
            line = file.read_bytes()[: marker.start()].count(b"\n") + 1
            yield f"{name}:{line}: has a conflict marker; decide for one side, and delete the markers"


def edited_answers(repository: Repository) -> Iterator[str]:
    """Answers that were changed in their file, which renders nothing."""
    recorded = repository.tree.answers
    sums = {name: value for name, value in recorded.items() if name.startswith(RENDERED)}
    now = {}
    for name, value in recorded.items():
        if isinstance(value, list):
            for entry in value:
                item = entry.get("name") if isinstance(entry, dict) else entry
                now[f"{RENDERED}{name}.{item}"] = digest(entry)
        elif not name.startswith("_"):
            now[f"{RENDERED}{name}"] = digest(value)
    for name in sorted(sums.keys() | now.keys()):
        if sums and sums.get(name) != now.get(name):
            yield (
                f"{ANSWERS}: {name.removeprefix(RENDERED)} was edited here, which renders nothing; "
                "undo that and follow docs/operations.md, Change an answer"
            )


def yaml_style(repository: Repository) -> Iterator[str]:
    """What yamllint says under the rules in .yamllint.yml."""
    names = [n for n in repository.files if n.endswith((".yaml", ".yml")) and (REPOSITORY / n).is_file()]

    def lint(part: list[str]) -> list[str]:
        command = [sys.executable, "-m", "yamllint", "--strict", "--format", "parsable", *part]
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return (result.stdout + result.stderr).splitlines()

    yield from sorted(_on_all_cores(lint, names))


def names(repository: Repository) -> Iterator[str]:
    """Directories of workloads that do not become Applications."""
    known = {a.name for a in repository.tree.applications.values()}
    for folder in sorted((repository.tree.path / WORKLOADS).glob("*/overlays/*")):
        path = folder.relative_to(repository.tree.path).as_posix()
        if repository.touched is None or any(is_below(file, [path]) for file in repository.touched):
            workload, environment = path.split("/")[2], path.split("/")[4]
            name = f"{workload}-{environment}"
            if not DNS_LABEL.fullmatch(workload) or len(name) > 53:
                yield f"{path}: {name} cannot be an Application: lower case, digits and -, from a letter on, at most 53"
            elif name not in known:
                yield f"{path}: no ApplicationSet in argo/applicationsets reads it; is {environment} an environment?"


def builds(repository: Repository) -> Iterator[str]:
    """What Kustomize or Helm refuses, and what cannot be understood."""
    yield from repository.tree.problems
    yield from (str(built) for built in repository.builds.values() if isinstance(built, GitOpsError))


def schemas(repository: Repository) -> Iterator[str]:
    """What the API server of the Application's cluster would refuse, or drop: unknown kinds and fields.

    Kinds of an operator that this repository does not install are left to their project.
    """
    by_version = defaultdict(list)
    for application, item in repository.objects():
        if item["kind"] != CRD and not _foreign(item, repository.crds):
            by_version[repository.tree.kubernetes_version(application.cluster)].append((application.name, item))
    for version, items in by_version.items():
        with tempfile.TemporaryDirectory() as folder:
            _write_schemas(Path(folder), version, {item["kind"] for _, item in items}, repository.crds)
            owners = defaultdict(set)
            for name, item in items:
                owners[_name(item)].add(name)
            for name, problem in _kubeconform([item for _, item in items], Path(folder)):
                yield f"{' or '.join(sorted(owners[name]))}: {name}: {problem}"


def values(repository: Repository) -> Iterator[str]:
    """Keys of values files that the chart does not read."""
    for application in repository.applications:
        for source in (s for s in application.sources if "chart" in s):
            try:
                chart = pulled(source["repoURL"], source["chart"], source["targetRevision"])
            except GitOpsError:
                continue  # Told by the check that builds.
            defaults = yaml.safe_load((chart / "values.yaml").read_text()) or {}
            file = chart / "values.schema.json"
            schema = json.loads(file.read_text()) if file.exists() else {}
            for path in source.get("helm", {}).get("valueFiles", []):
                name = path.partition("/")[2]
                given = yaml.safe_load((repository.tree.path / name).read_text()) or {}
                for key in _unread(given, defaults, schema, schema):
                    yield f"{name}: {key} is nothing that chart {source['chart']} {source['targetRevision']} reads"


def images(repository: Repository) -> Iterator[str]:
    """Images of the platform that may be another one tomorrow; those of workloads are a matter of policy."""
    for application, item in repository.objects():
        for container in () if _workload(application) else _containers(item):
            image = container["image"]
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and tag in ("", "latest") and container.get("imagePullPolicy") != "Always":
                yield f"{application.name}: {_name(item)}: {image} has no fixed tag or digest"


def workloads(repository: Repository) -> Iterator[str]:
    """What does not belong into a workload's folder."""
    files = [n for n in repository.files if n.startswith(f"{WORKLOADS}/") and n.endswith("kustomization.yaml")]
    for name in files:
        content = yaml.safe_load((REPOSITORY / name).read_text()) or {}
        for field in ("resources", "components", "bases"):
            for path in content.get(field) or []:
                if REMOTE.match(path):
                    yield f"{name}: {path} is not in this repository; put a copy here, where it is reviewed"
    for application, item in repository.objects():
        if _workload(application) and item["kind"] == "Namespace":
            yield f"{application.name}: has a Namespace; Argo CD makes {application.namespace}, with its labels"


def hosts(repository: Repository) -> Iterator[str]:
    """Hosts of two Applications."""
    owners: dict[str, str] = {}
    looked_at = {application.name for application in repository.applications}
    for application in repository.tree.applications.values():
        # What a branch does not touch is not built, but its routes stand in its own folder.
        if application.name not in looked_at and _workload(application):
            for file in sorted((repository.tree.path / application.sources[0]["path"]).glob("*.yaml")):
                routes = [item for item in gitops.read(file) if item.get("kind") == "IngressRoute"]
                owners |= {host: application.name for route in routes for host in gitops.hosts(route)}
    for application, item in repository.objects():
        for host in gitops.hosts(item) if item["kind"] == "IngressRoute" else ():
            if owners.setdefault(host, application.name) != application.name:
                yield f"{application.name}: {host} is the host of {owners[host]}, too"


def projects(repository: Repository) -> Iterator[str]:
    """What an Application builds, and its project does not admit: Argo CD would refuse it after the merge."""
    known = {p["metadata"]["name"]: p["spec"] for p in repository.tree.root_objects if p.get("kind") == "AppProject"}
    for application in repository.applications:
        name = application.spec["project"]
        file = f"argo/projects/{name}.yaml"
        if name not in known:
            yield f"{application.name}: its project {name} is not in argo/projects"
            continue
        missing = dict.fromkeys(
            f"sourceRepos: {source['repoURL']}"
            for source in application.sources
            if not any(fnmatchcase(source["repoURL"], pattern) for pattern in known[name].get("sourceRepos", []))
        )
        for item in [None, *_objects(repository, application)]:
            missing |= dict.fromkeys(_not_admitted(known[name], application, item, repository.crds))
        yield from (f"{application.name}: project {name} does not admit it; {file} lacks under {m}" for m in missing)


def _not_admitted(
    project: Object, application: Application, item: Object | None, definitions: list[Object]
) -> Iterator[str]:
    """What a project lacks for an object, or for the Application's own namespace."""
    namespace = item["metadata"].get("namespace") if item else application.namespace
    if item:
        group, kind = item["apiVersion"].rpartition("/")[0], item["kind"]
        is_cluster = _is_of_the_cluster(item, definitions)
        section = "clusterResourceWhitelist" if is_cluster else "namespaceResourceWhitelist"
        entry = {"group": group, "kind": kind} | ({"name": item["metadata"]["name"]} if is_cluster else {})
        allowed = project.get(section, [] if is_cluster else [{"group": "*", "kind": "*"}])
        if not any(all(fnmatchcase(entry[k], e.get(k, "*")) for k in entry) for e in allowed):
            yield f"{section}: {json.dumps(entry)}"
        if is_cluster:
            return
    destination = application.spec["destination"]
    place = {k: destination[k] for k in ("name", "server") if k in destination} | {"namespace": namespace}
    if not any(
        all(fnmatchcase(str(value), d.get(k, "" if k == "namespace" else "*")) for k, value in place.items())
        for d in project.get("destinations", [])
    ):
        yield f"destinations: {json.dumps(place)}"


def policies(repository: Repository) -> Iterator[str]:
    """What the API server's admission policies will refuse of workloads, by the files that the platform applies."""
    items: dict[str, list[tuple[str, Object]]] = defaultdict(list)
    for application, item in repository.objects():
        if _workload(application):
            items[application.cluster].append((application.name, item))
    for cluster, asked in items.items():
        rules, definitions = (
            [item for a, item in repository.platform if a.cluster == cluster and item["kind"].startswith(kind)]
            for kind in (POLICY, CRD)
        )
        if rules:
            known = [(name, item) for name, item in asked if not _foreign(item, definitions)]
            yield from sorted(_on_all_cores(partial(_kyverno, rules, definitions), known))


def secrets(repository: Repository) -> Iterator[str]:
    """What looks like a password, a key or a token."""
    options = ["--no-banner", "--redact", "--log-level=error", "--exit-code=0"]
    report = ["--report-format=json", "--report-path=-"]
    for entry in json.loads(run("gitleaks", "dir", ".", *options, *report, folder=repository.tree.path) or "[]"):
        if repository.touched is None or entry["File"] in repository.touched:
            where = f"{entry['File']}:{entry['StartLine']}"
            yield f"{where}: looks like a secret ({entry['RuleID']}); take it out, and revoke it where it was issued"


CHECKS: dict[str, Callable[[Repository], Iterator[str]]] = {
    "nothing is left of a conflict": conflicts,
    "the answers are those that were rendered": edited_answers,
    "YAML is clean": yaml_style,
    "folders can be applications": names,
    "every application builds": builds,
    "its objects are valid": schemas,
    "values are read by their chart": values,
    "images of the platform are pinned": images,
    "workloads bring nothing foreign": workloads,
    "hosts are unique": hosts,
    "projects admit what is built": projects,
    "policies admit it": policies,
    "no secret is here": secrets,
}
# Those that read files, and build nothing.
QUICK = (conflicts, edited_answers, yaml_style, names, secrets)


# --- what they need ---


def _on_all_cores(check: Callable[[list[T]], list[str]], items: list[T]) -> Iterator[str]:
    """What a check that runs another program says of each part of the items, one part per core."""
    cores = os.cpu_count() or 1
    parts = [items[start::cores] for start in range(min(cores, len(items)))]
    with ThreadPoolExecutor(cores) as pool:
        yield from (problem for found in pool.map(check, parts) for problem in found)


def _workload(application: Application) -> str:
    path = str(application.sources[0].get("path", ""))
    return path.split("/")[2] if path.startswith(f"{WORKLOADS}/") else ""


def _objects(repository: Repository, application: Application) -> list[Object]:
    built = repository.builds[application.name]
    return [] if isinstance(built, GitOpsError) else built


def _name(item: Object) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def _is_of_the_cluster(item: Object, definitions: list[Object]) -> bool:
    """Whether objects of this kind belong to no namespace."""
    group, kind = item["apiVersion"].rpartition("/")[0], item["kind"]
    for spec in (definition["spec"] for definition in definitions):
        if (spec["group"], spec["names"]["kind"]) == (group, kind):
            return bool(spec["scope"] == "Cluster")
    return kind in CLUSTER_SCOPED


def _foreign(item: Object, definitions: list[Object]) -> bool:
    """Whether an object is of an API that neither Kubernetes nor this repository defines, such as an operator's."""
    group = item["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io") and all(group != d["spec"]["group"] for d in definitions)


def _kyverno(rules: list[Object], definitions: list[Object], items: list[tuple[str, Object]]) -> list[str]:
    """What Kyverno says that policies refuse of objects, each with the Application that it belongs to."""
    asked, owners = [], {}
    for name, item in items:
        metadata = dict(item["metadata"])
        if _is_of_the_cluster(item, definitions):
            del metadata["namespace"]
        # Argo CD notes the owner.
        metadata["annotations"] = (metadata.get("annotations") or {}) | {TRACKING: f"{name}:"}
        owners[item["kind"], metadata.get("namespace", ""), metadata["name"]] = name
        asked.append(item | {"metadata": metadata})
    namespaces = {item["metadata"]["namespace"] for item in asked if "namespace" in item["metadata"]}
    labels = [{"name": name, "labels": {"kubernetes.io/metadata.name": name}} for name in sorted(namespaces)]
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    kinds = [  # It reads their schemas again and again, and needs none.
        d | {"spec": d["spec"] | {"versions": [v | {"schema": anything} for v in d["spec"]["versions"]]}}
        for d in definitions
        if any(d["spec"]["names"]["kind"] == item["kind"] for item in asked)
    ]
    with tempfile.TemporaryDirectory() as folder:
        rules = [rule | {"metadata": {"name": rule["metadata"]["name"]}} for rule in rules]
        for name, documents in {"rules": rules, "items": asked, "kinds": kinds}.items():
            (Path(folder) / f"{name}.yaml").write_text("\n---\n".join(map(json.dumps, documents)))
        values = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "namespaceSelector": labels}
        (Path(folder) / "values.yaml").write_text(json.dumps(values))
        options = ["--resource=items.yaml", "--values-file=values.yaml", "--policy-report", "--output-format=json"]
        options += ["--crd-paths=kinds.yaml"] if kinds else []
        # It makes much garbage, and ends soon: collecting less takes a quarter off its time.
        collect_less = {"GOGC": "400"}
        said = run("kyverno", "apply", "rules.yaml", *options, folder=Path(folder), variables=collect_less, finds=True)
    try:
        found = json.loads(said)["results"]
    except (KeyError, ValueError):
        raise GitOpsError(f"kyverno: {' '.join(said.split())}") from None
    refused = []
    for entry in (e for e in found if e["result"] not in ("pass", "skip")):
        (resource,) = entry["resources"]
        owner = owners[resource["kind"], resource.get("namespace", ""), resource["name"]]
        message = entry.get("message", entry["result"])
        refused.append(f"{owner}: {resource['kind']}/{resource['name']}: {entry['policy']}: {message}")
    return refused


def _kubeconform(items: list[Object], schemas: Path) -> Iterator[tuple[str, str]]:
    """What is wrong with objects: the kind and name of each, and its fault."""
    location = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "objects.json"
        file.write_text("\n---\n".join(map(json.dumps, items)))
        said = run("kubeconform", "-strict", "-output", "json", "-schema-location", location, str(file), finds=True)
    for entry in json.loads(said)["resources"] or []:
        yield f"{entry['kind']}/{entry['name']}", entry["msg"].rpartition("#' - ")[2]


def _write_schemas(folder: Path, version: str, kinds: set[str], definitions: list[Object]) -> None:
    """JSON schemas as kubeconform looks for them: those of Kubernetes, and of custom resources."""
    package = Path(str(resources.files("kubernetes_validate"))) / "kubernetes-json-schema"
    known = {path.name.removeprefix("v").removesuffix(".0-local-strict"): path for path in package.glob("*-strict")}
    newest = max(known, key=lambda name: [int(part) for part in name.split(".")])
    if version not in ("", *known):
        raise GitOpsError(f"there are no schemas of Kubernetes {version}, only up to {newest}")
    source = known[version or newest]
    shared = json.loads((source / "_definitions.json").read_text())["$defs"]
    schemas = {f.stem: json.loads(f.read_text()) for kind in kinds for f in source.glob(f"{kind.lower()}-*.json")}
    schemas |= {f.stem: json.loads(f.read_text()) for kind in kinds for f in source.glob(f"{kind.lower()}.json")}
    for spec in (definition["spec"] for definition in definitions):
        for served in spec["versions"]:
            schema = _closed(served["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"$ref": f"{DEFINITIONS}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
            schemas[f"{spec['names']['kind']}-{spec['group'].split('.')[0]}-{served['name']}".lower()] = schema
    for name, schema in schemas.items():
        # Each with only the definitions that it uses: all of them take kubeconform seconds to read.
        used: dict[str, Object] = {}
        wanted = _references(schema)
        while wanted := {reference for reference in wanted if reference not in used}:
            used |= {reference: shared[reference] for reference in wanted}
            wanted = {r for reference in wanted for r in _references(shared[reference])}
        text = json.dumps(schema | {"$defs": used})
        (folder / f"{name}.json").write_text(text.replace(f'"{DEFINITIONS}', '"#/$defs/'))


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return {reference for child in node for reference in _references(child)}
    if not isinstance(node, dict):
        return set()
    found = {reference for child in node.values() for reference in _references(child)}
    reference = node.get("$ref")
    return found | {reference.rpartition("/")[2]} if isinstance(reference, str) else found


def _closed(schema: Object) -> Object:
    """The schema of a custom resource as JSON Schema that refuses every field which the API server would drop."""
    closed = {key: value for key, value in schema.items() if key not in ("description", "nullable", "properties")}
    if "properties" in schema:
        closed["properties"] = {name: _closed(child) for name, child in schema["properties"].items()}
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            closed[key] = _closed(schema[key])
    if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        closed.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if schema.get("nullable") and "type" in schema:
        closed["type"] = [schema["type"], "null"]
    return closed


def _unread(given: Object, defaults: Object, schema: Object, whole: Object, path: str = "") -> Iterator[str]:
    """The keys of values that neither the chart's own values nor its schema knows."""
    while "$ref" in schema:
        at = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        schema = at
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    # An object of which the schema says nothing, such as annotations, goes into a manifest as it is.
    takes_any = isinstance(others, dict) or (schema.get("type") == "object" and not known)
    for key, value in given.items():
        if key not in defaults and key not in known and not takes_any:
            yield f"{path}{key}"
        elif isinstance(value, dict) and not (key in defaults and defaults[key] in ({}, None)):
            inner = known.get(key, others if isinstance(others, dict) else {"type": "object"} if takes_any else {})
            default = defaults.get(key)
            yield from _unread(value, default if isinstance(default, dict) else {}, inner, whole, f"{path}{key}.")


def _containers(node: Any) -> Iterator[Object]:
    if isinstance(node, dict):
        for field in ("containers", "initContainers"):
            yield from (c for c in node.get(field) or [] if isinstance(c, dict) and "image" in c)
        for value in node.values():
            yield from _containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _containers(value)


# --- what is said ---


def touched(since: str) -> set[str]:
    """The files that differ from where this branch left another one, committed or not."""
    base = run("git", "merge-base", since, "HEAD", folder=REPOSITORY).strip()
    changed = run("git", "diff", "--name-only", "-z", base, folder=REPOSITORY)
    new = run("git", "ls-files", "--others", "--exclude-standard", "-z", folder=REPOSITORY)
    return set(filter(None, (changed + new).split("\0")))


def found(
    checks: dict[str, Callable[[Repository], Iterator[str]]], repository: Repository
) -> Iterator[tuple[str, list[str]]]:
    """What each check finds, in order. Those that build nothing run beside the builds."""

    def problems(check: Callable[[Repository], Iterator[str]]) -> list[str]:
        try:
            return list(dict.fromkeys(check(repository)))
        except (GitOpsError, yaml.YAMLError) as error:
            return [" ".join(str(error).split())]

    with suppress(GitOpsError, yaml.YAMLError):
        _ = repository.tree.applications  # All look at them; whoever cannot, says so.
    with ThreadPoolExecutor() as pool:
        early = {name: pool.submit(problems, check) for name, check in checks.items() if check in QUICK}
        yield from (
            (name, early[name].result() if name in early else problems(check)) for name, check in checks.items()
        )


def main() -> int:
    """Run every check, and say what each found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="validate.py"
    )
    parser.add_argument(
        "--changed", nargs="?", const="origin/HEAD", metavar="BRANCH", help="check only what differs from a branch"
    )
    parser.add_argument("--quick", action="store_true", help="only what builds nothing")
    arguments = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            since = touched(arguments.changed) if arguments.changed else None
            repository = Repository(working(REPOSITORY, Path(folder)), since)
        except GitOpsError as error:
            print(error, file=sys.stderr)
            return 1
        checks = {name: check for name, check in CHECKS.items() if check in QUICK or not arguments.quick}
        for name, problems in found(checks, repository):
            print(f"{'FAILED' if problems else 'ok':6} {name}", flush=True)
            for problem in problems:
                print(f"       {problem}")
            failed += [name] if problems else []
    if failed:
        print(f"\n{len(failed)} of {len(checks)} checks failed. Mend what is named, and run scripts/validate.py again.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
