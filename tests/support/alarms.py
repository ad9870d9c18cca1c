"""Ordinary and dangerous changes of a rendered repository, each with the expected verdict.

The repository is the example with three environments. Staging and prod are protected.
"""

from __future__ import annotations

from typing import Any

from tests.support import volume_alarms
from tests.support.alarm_steps import (
    API,
    DEV,
    PROD,
    REPORTS,
    REPORTS_PROD,
    SHOP,
    STAGING,
    Alarm,
    add,
    both,
    change,
    claim,
    config,
    config_map,
    copy,
    database,
    drop,
    edit,
    everywhere,
    generated_name,
    job,
    move,
    patched,
    regenerate,
    remove,
    route,
    user_of,
)

RELEASE = edit(f"{PROD}/kustomization.yaml", f'{API}"2.7.1"', f'{API}"2.8.0"')
HOOK = {"hook": "PreSync", "hook_delete_policy": "BeforeHookCreation"}
GENERATED = config('configMapGenerator: [{name: shop-config, literals: ["a=1"]}]')
SECRET = config('secretGenerator: [{name: shop-secret, literals: ["a=1"]}]')


ROLL_OUT, TAKE_OUT = copy("../kept", REPORTS_PROD), move(REPORTS_PROD, "../kept")


def hooked(**annotations: str) -> dict[str, Any]:
    """Return a release with a migration of that life cycle."""
    return {"before": add(job("shop:1", **annotations)), "change": both(RELEASE, change(job("shop:2", **annotations)))}


ALARMS: dict[str, Alarm] = {
    # Releases.
    "release in dev": Alarm(edit(f"{DEV}/kustomization.yaml", "2.8.0-rc.1", "2.8.0"), False),
    "release in prod": Alarm(RELEASE, False),
    "roll back in prod": Alarm(edit(f"{PROD}/kustomization.yaml", f'{API}"2.7.1"', f'{API}"2.6.0"'), False),
    "release by digest": Alarm(edit(f"{PROD}/kustomization.yaml", "digest: sha256:0", "digest: sha256:1"), False),
    "scale prod": Alarm(edit(f"{PROD}/kustomization.yaml", "count: 4", "count: 6"), False),
    "another variable": Alarm(edit(f"{SHOP}/base/api.yaml", "value: info", "value: debug"), False),
    "a label of the pods": Alarm(
        edit(f"{SHOP}/overlays/prod/kustomization.yaml", "pairs:\n", "pairs:\n      team: a\n"), False
    ),
    "more CPU": Alarm(edit(f"{PROD}/kustomization.yaml", "cpu: 250m", "cpu: 500m"), False),
    "a base is split into two files": Alarm(
        both(
            lambda c: c.write(
                f"{REPORTS}/base/policy.yaml", (c.path / REPORTS / "base/network-policy.yaml").read_text()
            ),
            edit(f"{REPORTS}/base/kustomization.yaml", "network-policy", "policy"),
        ),
        False,
    ),
    # Hooks.
    "release with a migration": Alarm(**hooked(**HOOK), is_true=False),
    "release with a migration, default policy": Alarm(**hooked(hook="Sync"), is_true=False),
    "release with a migration that is deleted when it succeeds": Alarm(
        **hooked(hook="PreSync", hook_delete_policy="HookSucceeded"), is_true=False
    ),
    "release with a migration by Helm's annotations": Alarm(**hooked(helm_hook="pre-upgrade"), is_true=False),
    "a migration goes": Alarm(drop(job("shop:1", **HOOK)), False, before=add(job("shop:1", **HOOK))),
    "a migration comes": Alarm(add(job("shop:1", **HOOK)), False),
    "a Job becomes a hook": Alarm(change(job("shop:2", **HOOK)), False, before=add(job("shop:1"))),
    "release with a Job that is replaced by force": Alarm(
        **hooked(sync_options="Replace=true,Force=true"), is_true=False
    ),
    "release with a Job that is only replaced": Alarm(
        **hooked(sync_options="Replace=true"), is_true=True, says="Job/migrate"
    ),
    "release with a Job that is no hook": Alarm(**hooked(), is_true=True, says="Job/migrate"),
    "release with a hook that only its failure deletes": Alarm(
        **hooked(hook="PreSync", hook_delete_policy="HookFailed"), is_true=True, says="Job/migrate"
    ),
    "release with a Job that has the version in its name": Alarm(
        both(RELEASE, drop(job("shop:1", "migrate-1")), add(job("shop:2", "migrate-2"))),
        False,
        before=add(job("shop:1", "migrate-1")),
        says="Job/migrate-1 → Job/migrate-2",
    ),
    "a hook that has the version in its name": Alarm(
        both(RELEASE, drop(job("shop:1", "migrate-1", **HOOK)), add(job("shop:2", "migrate-2", **HOOK))),
        False,
        before=add(job("shop:1", "migrate-1", **HOOK)),
    ),
    "a Job goes": Alarm(drop(job("shop:1")), True, before=add(job("shop:1"))),
    "a hook becomes a Job": Alarm(change(job("shop:2")), True, before=add(job("shop:1", **HOOK))),
    "a Deployment becomes a hook": Alarm(
        patched("Deployment", {"metadata": {"name": "any", "annotations": {"argocd.argoproj.io/hook": "Sync"}}}), True
    ),
    "a claim becomes a hook": Alarm(change(claim(hook="PreSync")), True, before=add(claim())),
    "a Deployment is replaced by force from now on": Alarm(
        patched(
            "Deployment",
            {
                "metadata": {
                    "name": "any",
                    "annotations": {"argocd.argoproj.io/sync-options": "Replace=true,Force=true"},
                }
            },
        ),
        True,
    ),
    # Generated names.
    "a generated ConfigMap changes": Alarm(regenerate("a=1", "a=2"), False, before=GENERATED, never_says="Deleted"),
    "a generated Secret changes": Alarm(regenerate("a=1", "a=2"), False, before=SECRET, never_says="Deleted"),
    "a generated ConfigMap becomes fixed": Alarm(
        regenerate('["a=1"]', '["a=1"], options: {disableNameSuffixHash: true}'), False, before=GENERATED
    ),
    "a generated ConfigMap and its pods change": Alarm(
        edit(f"{REPORTS_PROD}/kustomization.yaml", "a=1", "a=2"),
        False,
        before=both(config('configMapGenerator: [{name: own, literals: ["a=1"]}]', REPORTS_PROD), user_of("own")),
        says="Deployment/reports",
        never_says="Deleted",
    ),
    "a generated ConfigMap goes": Alarm(
        regenerate("configMapGenerator", "metadata: {name: any}\n#"), True, before=GENERATED, says="Deleted"
    ),
    "the name of a generated ConfigMap changes": Alarm(
        regenerate("shop-config", "shop-settings"), True, before=GENERATED, says="Deleted"
    ),
    "the pods keep the old name of a generated ConfigMap": Alarm(
        regenerate("a=1", "a=2"),
        True,
        before=both(GENERATED, lambda c: add(config_map("user", generated_name(c)))(c)),
        says="Deleted",
    ),
    "a name that looks like a hash": Alarm(
        both(drop(config_map("app-config-v2bcdfghjk")), add(config_map("app-config-k8m9t2g5h6"))),
        True,
        before=add(config_map("app-config-v2bcdfghjk")),
        says="Deleted",
    ),
    # Added and removed objects.
    "an object is added": Alarm(add(config_map("new")), False),
    "an object goes in dev": Alarm(drop(config_map("old"), DEV), False, before=add(config_map("old"), DEV)),
    "an object goes in prod": Alarm(drop(config_map("old")), True, before=add(config_map("old"))),
    "the network policy goes": Alarm(edit(f"{REPORTS}/base/kustomization.yaml", "  - network-policy.yaml\n", ""), True),
    "an immutable ConfigMap changes": Alarm(
        change(config_map("fixed", "2") | {"immutable": True}),
        True,
        before=add(config_map("fixed") | {"immutable": True}),
    ),
    **volume_alarms.ALARMS,
    # Names.
    "a component is renamed in dev": Alarm(
        both(drop(database(), DEV), add(database("pg"), DEV)),
        False,
        before=add(database(), DEV),
        says="StatefulSet/db → StatefulSet/pg",
    ),
    "a component is renamed": Alarm(
        both(
            everywhere(REPORTS, "name: reports", "name: report"), everywhere(REPORTS, "image: reports", "image: report")
        ),
        True,
        says="Deployment/reports → Deployment/report",
    ),
    "a selector changes": Alarm(
        everywhere(f"{REPORTS}/base", "app.kubernetes.io/name: reports", "app.kubernetes.io/name: report"), True
    ),
    "a host of prod changes": Alarm(edit(f"{PROD}/resources.yaml", "`www.", "`web."), True, says="www.acme.com"),
    "a host of dev changes": Alarm(edit(f"{DEV}/resources.yaml", "`shop.", "`store."), False),
    "another host in prod": Alarm(
        edit(f"{PROD}/resources.yaml", "Host(`www.acme.com`)", "Host(`www.acme.com`) || Host(`web.acme.com`)"), False
    ),
    # Workloads and environments.
    "a workload leaves dev": Alarm(remove(DEV), False),
    "a workload leaves prod": Alarm(remove(PROD), True, never_says="- www.acme.com"),
    "a workload is added by hand": Alarm(
        both(
            copy(DEV, "apps/workloads/store/overlays/dev"),
            copy(f"{SHOP}/base", "apps/workloads/store/base"),
            everywhere("apps/workloads/store", "shop.dev", "store.dev"),
        ),
        False,
    ),
    "a value of the platform": Alarm(
        lambda c: c.write(
            "apps/platform/external-dns/clusters/prod/overrides.yaml",
            (c.path / "apps/platform/external-dns/clusters/prod/overrides.yaml").read_text() + "\nlogLevel: debug\n",
        ),
        False,
    ),
    "a host that another workload has, too": Alarm(
        edit(f"{DEV}/resources.yaml", "`shop.", "`store."),
        False,
        before=add(route("shop.dev.acme.io"), STAGING),
        never_says="- shop.dev.acme.io",
    ),
    "a host that an object keeps in the cluster": Alarm(
        drop(route("x.acme.com", sync_options="Prune=false")),
        False,
        before=add(route("x.acme.com", sync_options="Prune=false")),
        never_says="- x.acme.com",
    ),
    # Workloads that start with another image than the environment before it runs.
    "a workload is rolled out with what the stage before runs": Alarm(
        ROLL_OUT,
        False,
        before=TAKE_OUT,
        says="reports:1.10",
    ),
    "a workload is rolled out with the image of the first day": Alarm(
        ROLL_OUT,
        True,
        before=both(TAKE_OUT, edit(f"{REPORTS}/overlays/staging/kustomization.yaml", '"1.10"', '"1.17"')),
        says="scripts/promote.py reports staging prod",
    ),
}
