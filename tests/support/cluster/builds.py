"""Read from Argo CD's repo server which manifests it generated."""

from __future__ import annotations

import re

from tests.support.cluster.client import fetch
from tests.support.cluster.controllers import METRICS
from tests.support.cluster.stack import Stack

# The repo server increments this counter for each build, but not for cached manifests.
COUNT = "argocd_repo_parallelism_wait_duration_seconds_count"
# The log line of a build, which contains the name.
BUILT = re.compile(r'msg="manifest cache miss".* application=(\S+)')


class Builds:
    """Record what is built from now on."""

    def __init__(self, stack: Stack, quiet_seconds: float) -> None:
        """Wait until pending builds are done: Argo CD repeats builds that ran while a cluster still discovered kinds.

        Args:
            stack: Where Argo CD runs.
            quiet_seconds: How long no build may run before the repo server counts as idle.
        """
        self._stack, self._quiet_seconds = stack, quiet_seconds
        self._log = stack.folder / "log/argocd-repo-server.log"
        stack.argo.refresh()
        stack.settle()
        self._first = self._at_rest()
        self._size = self._log.stat().st_size

    def applications(self) -> set[str]:
        """Return the names of the Applications that were built, when no build runs anymore."""
        self._at_rest()
        return set(BUILT.findall(self._log.read_text(errors="replace")[self._size :]))

    def number(self) -> int:
        """Return the number of builds, when no build runs anymore."""
        return self._at_rest() - self._first

    def _at_rest(self) -> int:
        counts = [-1]

        def is_steady() -> bool:
            counts.append(self._count())
            return counts[-1] == counts[-2]

        self._stack.until("nothing is built any more", is_steady, every=self._quiet_seconds)
        return counts[-1]

    def _count(self) -> int:
        metrics = fetch(self._stack.sandbox, METRICS)
        assert metrics
        return sum(int(float(value)) for value in re.findall(rf"^{COUNT}.* (\S+)$", metrics, re.MULTILINE))
