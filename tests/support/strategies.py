"""Generate answers for property tests: valid ones, and ones with a mistake."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Map = dict[str, Any]

RESERVED = {"aux", "bootstrap", "con", "default", "dns", "kube", "lease", "manager", "nul", "off", "on", "prn"}
RESERVED |= {"public", "secrets", "system", "traefik", "yes", "no", "null", "true", "false"}
DIGEST = "sha256:" + "0123456789abcdef" * 4

HOSTILE = [
    *("", " ", " leading space", "trailing space ", "\n", "two\nlines\n", "\n\n  a", "a\tb"),
    *("yes", "NO", "on", "null", "~", "1e3", "0x1F", "0755", "12:30", "1.10", ".inf", "2026-01-01", "=", "<<"),
    *("# no comment", "a # b", "a: b", "- a", "? a", "{a: b}", "[a]", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a`"),
    *("{{ x }}", "{% x %}", "[[ x ]]", "[% raise %]", "[# x #]", "$(VAR)", "${VAR}", "\\", "\\n", '"a"', "'a'", "it's"),
    *("---", "...", "😀", "e\u0301", "\u202eabc", "a\u00a0b", "a\u200bb", "x" * 300),
]
# Excludes characters that YAML cannot store, and those at which editors and tools break lines.
CHARACTERS = st.characters(
    exclude_categories=["Cs", "Cc"], include_characters="\t\n", exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"
)
texts = st.sampled_from(HOSTILE) | st.text(CHARACTERS, max_size=20)
names = st.from_regex(r"[a-z][a-z0-9]{1,6}(-[a-z0-9]{1,3})?", fullmatch=True).filter(lambda name: name not in RESERVED)
variable_names = st.sampled_from(["A", "_A", "a.b-C", "y", "NO", "null"]) | st.from_regex(
    "[A-Z_][A-Z0-9_]{0,8}", fullmatch=True
)
sources = st.sampled_from([{"secret": "a.b", "key": "x"}, {"field": "status.podIP"}, {"resource": "limits.memory"}])
variables = st.dictionaries(variable_names, texts | st.integers() | st.booleans() | sources, max_size=3)
health = st.sampled_from(
    [
        "/",
        "/x?a=1&b=it's",
        False,
        {"ready": "/r", "live": "/l"},
        {"grpc": True, "start_seconds": 300},
        {"command": ["x"]},
    ]
)
words = st.lists(texts.filter(bool), min_size=1, max_size=2)
# A program has no white space in its name.
commands = st.builds(lambda first, rest: [first, *rest], texts.filter(lambda text: text.split() == [text]), words)
images = st.builds(
    str.__add__,
    st.sampled_from(
        ["whoami", "traefik/whoami", "ghcr.io/acme/api__x", "localhost:5000/team/api", "10.0.0.1:80/a-b/c.d"]
    ),
    st.sampled_from([":1.10", ":V1.0-rc.1_b", ":1e3", ":yes", f"@{DIGEST}", f":1.0.0@{DIGEST}"]),
)
containers = st.builds(lambda image, env: [{"name": "sidecar-proxy", "image": image, "env": env}], images, variables)
versions = st.sampled_from(["1.31", "1.36", "1.40"])
load_balancers = st.sampled_from(["aws-load-balancer-controller", "eks-auto-mode", "legacy"])
paths = st.sampled_from(["/tmp", "/.cache", "/var/lib/x.1e3", "/1", "/dev/shm"])
secrets = st.lists(st.sampled_from(["registry", "a.b", "0755", "null", "1.10"]), max_size=2, unique=True)
resources = st.sampled_from(
    [
        {"requests": {"cpu": "100m"}},
        {"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
        {"limits": {"cpu": "1.5", "memory": "512Mi"}},
        {"requests": {"memory": "1G"}, "limits": {"cpu": "2", "memory": "2G"}},
    ]
)
scalings = st.one_of(
    st.builds(lambda pods: {"replicas": pods}, st.integers(1, 100)),
    st.builds(
        lambda low, more: {"autoscaling": {"min": low, "max": low + more}}, st.integers(1, 50), st.integers(0, 50)
    ),
    st.builds(lambda high, cpu: {"autoscaling": {"max": high, "cpu": cpu}}, st.integers(1, 100), st.integers(1, 500)),
)


def some_of(**fields: SearchStrategy[Any]) -> SearchStrategy[Map]:
    """A map with any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def several(lowest: int, highest: int) -> SearchStrategy[list[str]]:
    """Names, as often many as few, none of which is or ends in another."""

    def apart(chosen: list[str]) -> bool:
        return not any(one.endswith(f"-{other}") for one in chosen for other in chosen)

    size = st.integers(lowest, highest)
    return size.flatmap(lambda size: st.lists(names, min_size=size, max_size=size, unique=True).filter(apart))


@st.composite
def certificates(draw: DrawFn, most: int = 3) -> str:
    account = draw(st.from_regex("[0-9]{12}", fullmatch=True))
    region = draw(st.sampled_from(["eu-west-1", "us-east-1", "ap-southeast-7"]))
    ids = draw(st.lists(st.from_regex("[0-9a-f]{8}", fullmatch=True), min_size=1, max_size=most, unique=True))
    return ",".join(f"arn:aws:acm:{region}:{account}:certificate/{name}" for name in ids)


@st.composite
def clusters(draw: DrawFn, domain: str) -> list[str | Map]:
    result: list[str | Map] = []
    for name in draw(several(1, 3)):
        load_balancer = draw(load_balancers)
        arn = draw(certificates(most=1 if load_balancer == "legacy" else 3))
        cluster = {"name": name, "load_balancer": load_balancer, "acm_certificate_arn": arn}
        optional = some_of(
            kubernetes_version=versions,
            ingress_host=st.just(f"in-{name}.{domain}"),
            provides=st.lists(st.just("aws-load-balancer-controller"), max_size=1),
            vpc_id=st.just("vpc-0a1b2c3d4e5f67890"),
        )
        result.append(draw(st.just(name) | st.just(cluster | draw(optional))))
    return result


UNPROTECTED = {"dev", "test", "qa", "sandbox", "staging"}


@st.composite
def environments(draw: DrawFn, domain: str, available: list[str]) -> list[str | Map]:
    result: list[str | Map] = []
    chosen = draw(several(1, 4))
    for name in chosen:
        own = some_of(protected=st.booleans(), domain=st.sampled_from([f"{name}.example.org", f"{name}.env.{domain}"]))
        environment = {"name": name, "cluster": draw(st.sampled_from(available))} | draw(own)
        result.append(name if len(available) == 1 and draw(st.booleans()) else environment)
    return result


@st.composite
def changes(draw: DrawFn) -> Map:
    """What an override of a component changes."""
    change = draw(some_of(image=images, env=variables))
    return change | draw(st.just({}) | scalings.filter(lambda scaling: "cpu" not in scaling.get("autoscaling", {})))


@st.composite
def parts(draw: DrawFn, own_environments: list[str], port: bool) -> Map:
    """A component without its name and without `public`."""
    part = {"image": draw(images)} | draw(st.just({}) | scalings)
    part |= draw(
        some_of(
            command=commands,
            args=st.lists(texts, min_size=1, max_size=3),
            env=variables,
            env_from_secrets=secrets,
            # The key of this kind of Secret is not a variable name.
            image_pull_secrets=st.lists(st.sampled_from(["pull", "1.0"]), max_size=2, unique=True),
            resources=resources,
            writable_paths=st.lists(paths, max_size=3, unique=True),
            run_as_user=st.integers(1, 2**31 - 1),
            arch=st.sampled_from(["amd64", "arm64"]),
            files=st.dictionaries(st.sampled_from(["/etc/a.yaml", "/etc/.b", "/opt/c@d"]), texts, min_size=1),
            secret_files=st.just({"/etc/key": {"secret": "keys", "key": "key"}}),
            before_release=commands | st.builds(lambda image: {"image": image, "args": ["x"]}, images),
            schedules=st.sampled_from(
                [{"nightly": {"cron": "0 3 * * *"}}, {"hourly": {"cron": "@hourly", "args": ["no"]}}]
            ),
            sidecars=containers,
            labels=st.sampled_from([{"team": "a"}, {"a.b/c": ""}]),
            annotations=st.dictionaries(st.sampled_from(["a", "b.c/d"]), texts),
            read_only=st.booleans(),
        )
    )
    if port:
        part |= {"port": draw(st.integers(1, 65535))} | draw(some_of(health=health))
    if draw(st.booleans()):
        part["overrides"] = draw(st.dictionaries(st.sampled_from(own_environments), changes_of(part), max_size=2))
    return part


def changes_of(part: Map) -> SearchStrategy[Map]:
    """Changes that fit a component: `min` of its own autoscaling and `max` of a change could conflict."""
    if "autoscaling" in part:
        return changes().filter(lambda change: "autoscaling" not in change)
    return changes()


@st.composite
def workloads(draw: DrawFn, name: str, all_environments: list[str]) -> Map:
    workload: Map = {"name": name}
    own = all_environments
    if draw(st.booleans()):
        own = draw(st.lists(st.sampled_from(all_environments), min_size=1, unique=True))
        workload["environments"] = own
    if draw(st.booleans()):
        part = draw(parts(own, port=draw(st.booleans())))
        public = "port" in part
        workload |= part
    else:
        chosen = draw(st.lists(names | st.just(name), min_size=1, max_size=3, unique=True))
        ports = [draw(st.booleans()) for _ in chosen]
        public = any(ports) and draw(st.booleans())
        which = ports.index(True) if public else -1
        workload["components"] = [
            {"name": part, **draw(parts(own, port=port)), **({"public": index == which} if port else {})}
            for index, (part, port) in enumerate(zip(chosen, ports, strict=True))
        ]
    # The host of one workload is never the name of another.
    hosts = st.sampled_from([f"h--{name}", False]) if public else st.just(False)
    if draw(st.booleans()):
        workload["host"] = draw(hosts)
    if public and draw(st.booleans()):
        environment = draw(st.sampled_from(own))
        overrides = workload.setdefault("overrides", {})
        overrides[environment] = overrides.get(environment, {}) | {"host": draw(st.just(f"o--{name}") | st.just(False))}
    return workload


def places_of_argocd(clusters: list[str], environments: list[str | Map]) -> list[str]:
    """The clusters that Argo CD may run in: no unprotected environment is beside the credentials of others."""
    protected: dict[str, set[bool]] = {cluster: set() for cluster in clusters}
    for given in environments:
        environment: Map = {"name": given} if isinstance(given, str) else given
        is_protected = bool(environment.get("protected", environment["name"] not in UNPROTECTED))
        protected[environment.get("cluster", clusters[0])].add(is_protected)
    ranks = {cluster: 0 if False not in kinds else 1 if True in kinds else 2 for cluster, kinds in protected.items()}
    best = min((ranks[cluster] for cluster, kinds in protected.items() if True in kinds), default=2)
    return [cluster for cluster, rank in ranks.items() if rank <= best]


@st.composite
def answers(draw: DrawFn) -> Map:
    """Any valid answers."""
    domain = draw(st.sampled_from(["example.com", "xn--mnchen-3ya.example.co.uk"]))
    all_clusters = draw(clusters(domain))
    cluster_names = [given if isinstance(given, str) else given["name"] for given in all_clusters]
    all_environments = draw(environments(domain, cluster_names))
    environment_names = [given if isinstance(given, str) else given["name"] for given in all_environments]
    applications = {
        f"{addon}-{cluster}"
        for addon in ("traefik", "external-dns", "external-secrets", "metrics-server")
        for cluster in cluster_names
    }
    chosen = draw(several(0, 4))
    chosen = [name for name in chosen if not applications & {f"{name}-{other}" for other in environment_names}]
    load_balancer = draw(load_balancers)
    return {
        "repo_url": draw(
            st.sampled_from(
                [
                    "https://github.com/acme/gitops.git",
                    "git@gitlab.com:acme/a/gitops.git",
                    "ssh://git@host:2222/acme/gitops",
                ]
            )
        ),
        "domain": domain,
        "load_balancer": load_balancer,
        "acm_certificate_arn": draw(certificates(most=1)),
        # Components scale.
        "addons": ["metrics-server", *draw(st.lists(st.just("external-secrets"), max_size=1))],
        "clusters": all_clusters,
        "argocd_cluster": draw(st.sampled_from(places_of_argocd(cluster_names, all_environments))),
        "environments": all_environments,
        # As much as components may have.
        "limits": {"replicas": 100} | draw(some_of(stop_seconds=st.integers(1, 86400), storage=st.just("5Gi"))),
        "workloads": [draw(workloads(name, environment_names)) for name in chosen],
        **draw(
            some_of(
                additional_repo_urls=st.just(["https://github.com/acme/new.git", "git@gitlab.com:acme/a/new.git"]),
                target_revision=st.sampled_from(["main", "1.10", "yes", "release/2026-01"]),
                dns_provider=st.sampled_from(["cloudflare", "route53"]),
                kubernetes_version=versions,
                ci=st.sampled_from(["github", "none"]),
            )
        ),
    }


anything: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 80, 70000, 1.0, 8080.0, 1.5, float("inf"), "80", "main", "true", 10**30])
    | st.dates()
    | st.binary(max_size=3)
    | texts
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container below a value with each of its keys or indexes."""
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


MARKS = ["\n", " ", "٣", "é", "x" * 300, "\u200b", "'", "[[ x ]]", ".", "-", ":latest", "\ud800"]


def nearly(value: Any) -> SearchStrategy[Any]:
    """A value similar to another one, which may be valid or invalid in its place."""
    if isinstance(value, bool):
        return st.sampled_from([int(value), str(value).lower(), "yes", None])
    if isinstance(value, int):
        return st.sampled_from([float(value), str(value), value + 70_000, value + 2**31, -value - 1, 0, True])
    if isinstance(value, str):
        return st.sampled_from([value + mark for mark in MARKS] + ["", value.upper(), [value], {"name": value}])
    if isinstance(value, list):
        return st.sampled_from([value[:1] + value, [], value[0] if value else None, {"0": value}])
    if isinstance(value, dict):
        return st.just([value]) | anything.map(lambda inner: value | {"new": inner})
    return anything


@st.composite
def spoilt(draw: DrawFn) -> Map:
    """Valid answers with one or two changed places: mostly invalid, not always."""
    result = copy.deepcopy(draw(answers()))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        # Most values are text: the kind of value is drawn first.
        kinds: dict[type, list[tuple[Any, Any]]] = {}
        for container, key in places(result):
            kinds.setdefault(type(container[key]), []).append((container, key))
        kind = draw(st.sampled_from(sorted(kinds, key=str)))
        container, key = draw(st.sampled_from(kinds[kind]))
        how = draw(st.sampled_from(["nearly", "nearly", "nearly", "anything", "take away", "rename"]))
        if how == "take away" or (how == "rename" and isinstance(container, list)):
            container.pop(key)
        elif how == "rename":
            container[draw(texts | st.integers() | st.just(f"{key}s"))] = container.pop(key)
        else:
            container[key] = draw(nearly(container[key]) if how == "nearly" else anything)
    return result
