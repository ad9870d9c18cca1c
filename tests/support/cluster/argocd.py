"""What Argo CD says of its Applications and sets, and how to make it look."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable
from typing import Any

from gitops.applications import GENERATE_PATHS
from tests.support.cluster.api import Api, Object
from tests.support.cluster.controllers import HEALTH
from tests.support.cluster.sandbox import Sandbox, SandboxError
from tests.support.cluster.transport import ApiError

NAMESPACE = "argocd"
REFRESH, SET_REFRESH = "argocd.argoproj.io/refresh", "argocd.argoproj.io/application-set-refresh"
REFRESHED = {REFRESH: "normal"}
HEALTHY = "Synced Healthy"
REFRESH_SECONDS = 5
# Files that decide how Applications are generated.
OF_ALL = re.compile("(argo|bootstrap)/|.*/addon.yaml$")


class ArgoCD:
    """Argo CD of one cluster."""

    def __init__(self, sandbox: Sandbox, api: Api) -> None:
        self.sandbox, self.api = sandbox, api

    @property
    def applications(self) -> dict[str, Object]:
        """The Applications by name."""
        return {item["metadata"]["name"]: item for item in self.api.list("applications", NAMESPACE)}

    @property
    def sets(self) -> dict[str, Object]:
        """The ApplicationSets by name."""
        return {item["metadata"]["name"]: item for item in self.api.list("applicationsets", NAMESPACE)}

    def states(self) -> dict[str, str]:
        """Return what `kubectl get applications` shows: "Synced Healthy" by name."""
        return {name: state(item) for name, item in self.applications.items()}

    def state(self, name: str) -> str:
        """Return the state of one Application; empty if there is none."""
        item = self.api.get("application", name, NAMESPACE)
        return state(item) if item else ""

    def says(self, name: str) -> str:
        """Return what an Application says of itself and of its last operation, as one text."""
        item = self.api.get("application", name, NAMESPACE) or {}
        status = item.get("status", {})
        conditions = " ".join(condition["message"] for condition in status.get("conditions", []))
        operation = status.get("operationState", {})
        return f"{conditions} {operation.get('message', '')} {json.dumps(operation.get('syncResult'))}"

    def errors_of_sets(self, message: str) -> set[str]:
        """Return the names of the ApplicationSets that complain about something."""

        def complains(item: Object) -> bool:
            conditions = item.get("status", {}).get("conditions", [])
            errors = [c["message"] for c in conditions if c["type"] == "ErrorOccurred" and c["status"] == "True"]
            return any(message in error for error in errors)

        return {name for name, item in self.sets.items() if complains(item)}

    def refresh(self, files: Collection[str] | None = None) -> None:
        """Have Argo CD read Git at once, as a webhook of the Git server does.

        Args:
            files: The files that commits have changed: only Applications that read one of them follow, and all sets.
                Without it, all Applications follow.
        """
        if files is not None:
            self._annotate(self.sets.values(), {SET_REFRESH: "true"})
        told: set[str] = set()

        def is_done() -> bool:
            due = {name: item for name, item in self.applications.items() if _reads(item, files) and name not in told}
            # A comparison that was requested removes the annotation at its end, also one that was added meanwhile.
            free = {name: item for name, item in due.items() if not _is_busy(item)}
            self._annotate(free.values(), REFRESHED)
            told.update(free)
            return free.keys() == due.keys()

        self.sandbox.until("Argo CD is told", is_done)

    def refresh_sets(self) -> None:
        """Have every ApplicationSet read Git anew, and wait until each has. They wait after errors."""
        self._annotate(self.sets.values(), {SET_REFRESH: "true"})
        self.sandbox.until("every set has looked", lambda: not any(map(_is_waiting, self.sets.values())))

    def end_operations(self) -> None:
        """End syncs of Applications that are being deleted: Argo CD retries them for minutes, and only then deletes."""
        for name, item in self.applications.items():
            if "deletionTimestamp" in item["metadata"] and "operation" in item:
                try:
                    self.api.patch("application", name, [{"op": "remove", "path": "/operation"}], NAMESPACE)
                except ApiError:
                    # It ended by itself, or the Application is gone.
                    continue

    def settle(self, revision: str, files: Collection[str] | None = None) -> None:
        """Wait until every Application is Synced and Healthy, and has followed what commits have changed.

        Operations end that hold up the removal of an Application.

        Args:
            revision: The newest revision of the repository.
            files: The files that commits have changed, as for `refresh`.
        """
        last: dict[str, str] = {}
        asked = time.monotonic()

        def is_settled() -> bool:
            nonlocal last, asked
            self.end_operations()
            last = self._unsettled(revision, files)
            if last and time.monotonic() - asked > REFRESH_SECONDS:
                # A push without `publish` notifies nobody.
                self._annotate([a for a in self.applications.values() if a["metadata"]["name"] in last], REFRESHED)
                asked = time.monotonic()
            return not last

        try:
            self.sandbox.until("all applications are settled", is_settled, every=0.5)
        except SandboxError as error:
            raise SandboxError(f"{error}\nnot settled: {json.dumps(last, indent=1)}") from None

    def explain(self) -> str:
        """Return why things are as they are: Applications, conditions, and the logs of who works on them."""
        lines = []
        try:
            for item in [*self.applications.values(), *self.sets.values()]:
                lines += _explained(item)
        except (SandboxError, OSError) as error:
            lines.append(str(error))
        for name in HEALTH:
            if name in self.sandbox.processes:
                log = self.sandbox.log(name, 2000).splitlines()
                complaints = [line[:600] for line in log if re.search(r"level=(warn|error|fatal)|panic", line)]
                lines += [f"--- {name}", *complaints[-8:]]
        return "\n".join(lines)

    def _annotate(self, items: Iterable[Object], annotations: dict[str, str]) -> None:
        for item in items:
            try:
                metadata = {"metadata": {"annotations": annotations}}
                self.api.patch(item["kind"].lower(), item["metadata"]["name"], metadata, NAMESPACE)
            except ApiError as error:
                # It went between the list and the write.
                if error.status != 404:
                    raise

    def _unsettled(self, revision: str, files: Collection[str] | None) -> dict[str, str]:
        found, sets = self.applications, self.sets
        result = {name: state(item) for name, item in found.items() if state(item) != HEALTHY}
        for name, item in found.items():
            if _reads(item, files) and revision not in _revisions(item):
                result.setdefault(name, f"not at {revision[:7]}")
            elif "deletionTimestamp" in item["metadata"]:
                result.setdefault(name, "is being deleted")
        for name, item in sets.items():
            if _is_waiting(item):
                result[name] = "has not looked yet"
            observed = {resource["name"] for resource in item.get("status", {}).get("resources", [])}
            for application in observed - found.keys():
                result[application] = "not made yet"
        return result


def _is_waiting(item: Object) -> bool:
    """Return whether an ApplicationSet is still to read Git anew."""
    return SET_REFRESH in item["metadata"].get("annotations", {})


def _is_busy(application: Object) -> bool:
    """Return whether a requested comparison has not ended. Argo CD compares nothing that is being deleted."""
    metadata = application["metadata"]
    return REFRESH in metadata.get("annotations", {}) and "deletionTimestamp" not in metadata


def _reads(application: Object, files: Collection[str] | None) -> bool:
    """Return whether Argo CD compares an Application anew after a commit to some files."""
    paths = application["metadata"].get("annotations", {}).get(GENERATE_PATHS)
    if files is None or not paths or any(map(OF_ALL.match, files)):
        return True
    folder = application["spec"].get("source", {}).get("path", "")
    places = [f"/{folder}" if path == "." else path for path in paths.split(";")]
    return any(f"/{file}/".startswith(f"{place}/") for file in files for place in places)


def state(application: Object) -> str:
    """Return what Argo CD says of an Application: "Synced Healthy"."""
    status = application.get("status", {})
    sync, health = status.get("sync", {}).get("status", "-"), status.get("health", {}).get("status", "-")
    return f"{sync} {health}"


def _revisions(application: Object) -> list[str]:
    """The revisions that an Application was last compared with, one per source."""
    sync: dict[str, Any] = application.get("status", {}).get("sync", {})
    return list(sync.get("revisions") or [sync.get("revision", "")])


def _explained(item: Object) -> list[str]:
    status = item.get("status", {})
    operation = status.get("operationState", {})
    messages = [c.get("message", "") for c in status.get("conditions", []) if c.get("status") != "False"]
    for resource in status.get("resources", []):
        health = resource.get("health", {})
        if resource.get("status") == "OutOfSync" or health.get("status", "Healthy") != "Healthy":
            messages.append(f"{resource['kind']}/{resource['name']}: {resource.get('status')} {health or ''}")
    if operation.get("phase") != "Succeeded":
        messages.append(operation.get("message", ""))
    head = f"{item['kind']} {item['metadata']['name']}: {state(item)} {operation.get('phase', '')}"
    return [head, *(f"    {message}" for message in messages if message)]
