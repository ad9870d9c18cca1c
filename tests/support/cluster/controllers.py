"""The command lines of Argo CD's controllers, as in their pods."""

from __future__ import annotations

from pathlib import Path

from tests.support import engines
from tests.support.cluster.client import fetch
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.sandbox import Sandbox

BINARIES = engines.CACHE / "bin/argocd"
REDIS, REPO_SERVER = "127.0.0.1:6379", "127.0.0.1:8081"
METRICS = "http://127.0.0.1:8084/metrics"
SETS = "argocd-applicationset-controller"
HEALTH = {
    "argocd-repo-server": "http://127.0.0.1:8084/healthz",
    "argocd-application-controller": "http://127.0.0.1:8082/healthz",
    SETS: "http://127.0.0.1:12345/metrics",
}
PROCESSES = ("redis", *HEALTH)
PARAMETERS = "argocd-cmd-params-cm"
# A set that reads a commit before Argo CD has applied its project fails until it reads Git again.
SETS_SECONDS = 10


def start(sandbox: Sandbox, cluster: Kubernetes, poll_seconds: int) -> None:
    """Start the controllers, and return when they are ready.

    Args:
        sandbox: Where they run.
        cluster: The cluster that they are installed in.
        poll_seconds: How often they read Git when nothing asks them to.
    """
    # argocd-server makes this key when it first starts. It does not run here: nobody logs in.
    cluster.api.patch("secret", "argocd-secret", {"stringData": {"server.secretkey": "unused"}}, "argocd")
    sandbox.start("redis", BINARIES / "redis", REDIS)
    run(sandbox, cluster, poll_seconds, *HEALTH)


def run(sandbox: Sandbox, cluster: Kubernetes, poll_seconds: int, *names: str) -> None:
    """Start some of the controllers beside those that run, and return when they are ready."""
    environment = _environment(sandbox.folder / "argocd", cluster, poll_seconds)
    for name in names:
        options = [*_options(poll_seconds)[name], "--loglevel=info", "--logformat=text"]
        variables = _parameters(cluster, name) | environment | {"ARGOCD_BINARY_NAME": name}
        sandbox.start(name, BINARIES / "controllers", *options, environment=variables)
    for name in names:
        sandbox.wait_for(name, lambda name=name: fetch(sandbox, HEALTH[name]) is not None)  # type: ignore[misc]


def prepare(folder: Path) -> None:
    """Put the scripts onto the path that Argo CD calls for every commit. A module's zip keeps no executable bits."""
    module = engines.go_module("github.com/argoproj/argo-cd/v3", pinned_in="argocd")
    for script in ("git-verify-wrapper.sh", "gpg-wrapper.sh"):
        (folder / script).write_bytes((module / "hack" / script).read_bytes())
        (folder / script).chmod(0o755)


def _parameters(cluster: Kubernetes, component: str) -> dict[str, str]:
    """Return the variables that a pod of Argo CD has from its settings in Git."""
    kind = "statefulset" if component == "argocd-application-controller" else "deployment"
    parameters, controller = cluster.get("configmap", PARAMETERS, "argocd"), cluster.get(kind, component, "argocd")
    assert parameters
    assert controller
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    references = {
        variable["name"]: variable.get("valueFrom", {}).get("configMapKeyRef", {})
        for variable in container.get("env", [])
    }
    return {
        name: parameters["data"][reference["key"]]
        for name, reference in references.items()
        if reference.get("name") == PARAMETERS and reference["key"] in parameters["data"]
    }


def _environment(home: Path, cluster: Kubernetes, poll_seconds: int) -> dict[str, str]:
    for name in ("tls", "ssh", "gpg/source", "gpg/keys", "plugin"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "gpg/keys").chmod(0o700)
    (home / "ssh/ssh_known_hosts").touch()
    return {
        "KUBECONFIG": str(cluster.argocd_kubeconfig),
        # https://kubernetes.default.svc is the cluster of KUBECONFIG.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_TLS_DATA_PATH": str(home / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(home / "ssh"),
        "ARGOCD_GPG_DATA_PATH": str(home / "gpg/source"),
        "ARGOCD_GNUPGHOME": str(home / "gpg/keys"),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(home / "plugin"),
        "ARGOCD_ASK_PASS_SOCK": str(home / "ask.sock"),
        # How long the repo server takes a branch to be where it was.
        "ARGOCD_RECONCILIATION_TIMEOUT": "2s",
        "ARGOCD_RECONCILIATION_JITTER": "0s",
        "ARGOCD_APPLICATIONSET_CONTROLLER_REQUEUE_AFTER": f"{min(poll_seconds, SETS_SECONDS)}s",
        # Waves keep their order without the pause between them.
        "ARGOCD_SYNC_WAVE_DELAY": "0",
    }


def _options(poll_seconds: int) -> dict[str, list[str]]:
    return {
        "argocd-repo-server": [
            "--address=127.0.0.1",
            "--port=8081",
            "--metrics-address=127.0.0.1",
            "--metrics-port=8084",
            f"--redis={REDIS}",
            "--disable-tls",
            "--client-ca-path=",
            "--parallelismlimit=2",
        ],
        "argocd-application-controller": [
            "--namespace=argocd",
            f"--redis={REDIS}",
            f"--repo-server={REPO_SERVER}",
            "--repo-server-plaintext",
            "--metrics-port=8082",
            f"--app-resync={poll_seconds}",
            "--app-resync-jitter=0",
            "--self-heal-timeout-seconds=1",
            "--self-heal-backoff-cap-seconds=5",
            # Else it says only after three minutes that it cannot read a repository.
            "--repo-error-grace-period-seconds=5",
        ],
        SETS: [
            "--namespace=argocd",
            f"--argocd-repo-server={REPO_SERVER}",
            "--repo-server-plaintext",
            "--metrics-addr=127.0.0.1:12345",
            "--probe-addr=127.0.0.1:12346",
            "--webhook-addr=127.0.0.1:7001",
        ],
    }
