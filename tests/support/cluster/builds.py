"""Read from Argo CD's repo server which manifests it generated."""

from __future__ import annotations

import re

from tests.support.cluster.client import fetch
from tests.support.cluster.controllers import METRICS
from tests.support.cluster.stack import Stack

# The repo server counts here each time that it builds, and not when it finds manifests that it has built before.
COUNT = "argocd_repo_parallelism_wait_duration_seconds_count"
# What it logs then, which has the name too.
BUILT = re.compile(r'msg="manifest cache miss".* application=(\S+)')


class Builds:
    """What is built from now on."""

    def __init__(self, stack: Stack, quiet_seconds: float) -> None:
        """Have all that is due built first: what was built while a cluster still learned kinds is built once more.

        Args:
            stack: Where Argo CD runs.
            quiet_seconds: How long nothing may be built, to count as being at rest.
        """
        self._stack, self._quiet_seconds = stack, quiet_seconds
        self._log = stack.folder / "log/argocd-repo-server.log"
        stack.argo.refresh()
        stack.settle()
        self._first = self._at_rest()
        self._size = self._log.stat().st_size

    def applications(self) -> set[str]:
        """Return the names of the Applications that were built, once nothing is built any more."""
        self._at_rest()
        return set(BUILT.findall(self._log.read_text(errors="replace")[self._size :]))

    def number(self) -> int:
        """Return how often something was built, once nothing is built any more."""
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
