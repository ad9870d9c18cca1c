"""Change objects with data: claims, and StatefulSets with a claim per pod."""

from __future__ import annotations

from typing import Any

from tests.support.alarm_steps import (
    DEV,
    PROD,
    SHOP,
    Alarm,
    add,
    both,
    change,
    claim,
    database,
    drop,
    move,
    remove,
    service,
)

LOST, LEFT = "Data is deleted", "Data stays"
GUARDED: dict[str, Any] = {"sync_options": "Prune=false,Delete=false"}
FORCED: dict[str, Any] = {"sync_options": "Replace=true,Force=true"}
DELETED_WITH_SET: dict[str, Any] = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
DELETED_WITH_POD: dict[str, Any] = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}


def becomes(old: dict[str, Any], new: dict[str, Any], overlay: str = DEV) -> dict[str, Any]:
    """Return the steps that change an object."""
    return {"before": add(old, overlay), "change": change(new, overlay)}


ALARMS: dict[str, Alarm] = {
    "a claim goes in prod": Alarm(drop(claim()), True, before=add(claim()), says=LOST),
    "a claim goes in dev": Alarm(drop(claim(), DEV), True, before=add(claim(), DEV), says="is deleted: shop in dev."),
    "a claim that stays goes": Alarm(
        drop(claim(**GUARDED)),
        False,
        before=add(claim(**GUARDED)),
        says="kubectl delete pvc data --namespace shop-prod",
        never_says=LOST,
    ),
    "a volume moves in dev": Alarm(
        both(drop(claim(), DEV), add(claim("uploads"), DEV)), True, before=add(claim(), DEV), says=LOST
    ),
    "a claim is deleted at each sync": Alarm(
        **becomes(claim(**FORCED), claim(size="2Gi", **FORCED)),
        is_true=True,
        says=LOST,
    ),
    "a workload with a claim leaves dev": Alarm(remove(DEV), True, before=add(claim(), DEV), says=LOST),
    "a workload with a claim that says so leaves dev": Alarm(
        remove(DEV), False, before=add(claim(**GUARDED), DEV), says=LEFT, never_says=LOST
    ),
    "a workload with a claim is renamed in dev": Alarm(
        both(move(f"{SHOP}/base", "apps/workloads/store/base"), move(DEV, "apps/workloads/store/overlays/dev")),
        True,
        before=both(remove(f"{SHOP}/overlays/staging"), remove(PROD), add(claim(), DEV)),
        says=LOST,
    ),
    "a workload with a database leaves dev": Alarm(
        remove(DEV), False, before=add(database(), DEV), says="data-db-* stay", never_says=LOST
    ),
    "a workload with a claim leaves prod": Alarm(
        remove(PROD), True, before=add(claim(**GUARDED)), says="Something protected is lost", never_says=LOST
    ),
    "a database that takes its claims along goes in dev": Alarm(
        drop(database(**DELETED_WITH_SET), DEV), True, before=add(database(**DELETED_WITH_SET), DEV), says=LOST
    ),
    "a database that deletes claims shrinks in dev": Alarm(
        **becomes(database(replicas=3, **DELETED_WITH_POD), database(replicas=1, **DELETED_WITH_POD)),
        is_true=True,
        says="claims of pods 1 to 2",
    ),
    "a database shrinks in dev": Alarm(
        **becomes(database(replicas=3), database(replicas=1)), is_true=False, never_says="Data"
    ),
    "a database becomes a StatefulSet in dev": Alarm(
        both(drop(database(kind="Deployment"), DEV), drop(claim(), DEV), add(database(), DEV)),
        True,
        before=both(add(database(kind="Deployment"), DEV), add(claim(), DEV)),
        says="Deployment/db → StatefulSet/db",
    ),
    "a database gets larger claims": Alarm(
        **becomes(database(), database(size="2Gi"), PROD), is_true=True, says='{"data": "1Gi"} → {"data": "2Gi"}: once'
    ),
    "a Service becomes headless in dev": Alarm(
        **becomes(service(), service(clusterIP="None")), is_true=False, says="kubectl delete service db"
    ),
    "a claim grows": Alarm(
        **becomes(claim(), claim(size="2Gi"), PROD), is_true=False, says="allowVolumeExpansion", never_says="refuses"
    ),
    "a claim shrinks": Alarm(**becomes(claim(), claim(size="1M"), PROD), is_true=True, says="a volume never shrinks"),
}
