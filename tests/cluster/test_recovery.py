"""A lost Argo CD is bootstrapped again, and adopts the running objects."""

from __future__ import annotations

import pytest

from tests.support.cluster import controllers, guarded
from tests.support.cluster.runbook import Runbook
from tests.support.cluster.sandbox import SandboxError
from tests.support.cluster.stack import Stack


def test_a_lost_argocd_is_recovered_from_git_alone(stages: Stack) -> None:
    before = guarded.outside(guarded.everything(stages), "argocd")
    runbook = Runbook(stages, "shop", "prod")
    # The processes of the pods that the first command deletes, and of all others.
    for name in controllers.PROCESSES:
        stages.sandbox.end(name)
    runbook.type("Stop Argo CD", 0)
    assert not stages.argocd.list("pods", "argocd", selector="app.kubernetes.io/name=argocd-application-controller")
    runbook.type("Stop Argo CD", 1)
    lose_argocd(stages)
    stages.install(again=True)
    stages.register_others()
    stages.settle()
    assert guarded.outside(guarded.everything(stages), "argocd") == before


def lose_argocd(stack: Stack) -> None:
    """Delete Argo CD with all its state, past every guard, as if its storage was lost."""
    for kind in ("applications", "applicationsets", "appprojects"):
        for item in stack.argocd.list(kind, "argocd"):
            without_finalizers = {"metadata": {"finalizers": None}}
            stack.argocd.api.patch(kind, item["metadata"]["name"], without_finalizers, "argocd")
        stack.argocd.api.delete("crd", f"{kind}.argoproj.io")
    stack.argocd.api.delete("namespace", "argocd")
    with pytest.raises(SandboxError):
        stack.argocd.list("applications")
