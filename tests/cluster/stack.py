"""A rendered repository in clusters of its own: Git, Kubernetes, Argo CD and the world outside, all on this machine."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from tests import engines
from tests.cluster.kubernetes import Kubernetes, Node, Object
from tests.cluster.sandbox import Sandbox, SandboxError
from tests.cluster.world import outside_world
from tests.conftest import Repository

BINARIES = engines.CACHE / "bin"
REFRESH = {
    "applications": "argocd.argoproj.io/refresh=normal",
    "applicationsets": "argocd.argoproj.io/application-set-refresh=true",
}
PORT = 3128
PROXY = f"http://127.0.0.1:{PORT}"
CONTROLLERS = {
    "argocd-repo-server": "http://127.0.0.1:8084/healthz",
    "argocd-application-controller": "http://127.0.0.1:8082/healthz",
    "argocd-applicationset-controller": "http://127.0.0.1:12345/metrics",
}


class Stack:
    """The clusters of a repository, and the repository itself under its real URL.

    Attributes:
        work: A clone of the repository, to change and `publish`.
        clusters: Kubernetes by the names that the answers give them.
        argocd: The cluster that Argo CD runs in.
        is_installed: Whether Argo CD's controllers were started.
    """

    def __init__(
        self,
        folder: Path,
        repository: Repository,
        nodes: list[Node] | None = None,
        grace_seconds: int = 0,
        resync_seconds: int = 10,
        outlives_us: bool = False,
    ) -> None:
        """Start empty clusters, with nothing in them but what Kubernetes itself puts there.

        Args:
            folder: For everything that runs; best a short path.
            repository: What becomes the repository; copied.
            nodes: The nodes of every cluster; two large ones of different architecture, if not given.
            grace_seconds: How long a pod that is being deleted still holds its place.
            resync_seconds: How often Argo CD looks at every Application when nothing asks it to.
            outlives_us: Whether all goes on when this process ends.
        """
        self.repository = repository
        self.resync_seconds = resync_seconds
        self.is_installed = False
        self.folder = folder
        self.work = folder / "work"
        self.origin = folder / "web" / repository.answers["repo_url"].removeprefix("https://")
        self._authority = trustme.CA()
        self._prepare_folders()
        self.sandbox = Sandbox(folder, self._environment(), outlives_us)
        try:
            self._serve_the_world()
            nodes = nodes or [Node("node-a", zone="a"), Node("node-b", zone="b", arch="arm64")]
            names = [cluster["name"] for cluster in repository.clusters]
            self.clusters = {
                name: Kubernetes(self.sandbox, name, nodes, self._authority, grace_seconds) for name in names
            }
            self.argocd = self.clusters[repository.answers.get("argocd_cluster", names[0])]
            self.kubectl = self.argocd.kubectl
            self.until = self.sandbox.until
            self.kubectl("config", "use-context", self.argocd.name)
        except BaseException:
            self.close()
            raise

    # --- Git ---------------------------------------------------------------------------------------------------------

    def git(self, *arguments: str) -> str:
        """Run Git in the working clone and return what it prints."""
        return subprocess.run(["git", *arguments], cwd=self.work, check=True, capture_output=True, text=True).stdout

    @property
    def head(self) -> str:
        """The revision that the working clone is at."""
        return self.git("rev-parse", "HEAD").strip()

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file of the working clone."""
        text = (self.work / path).read_text()
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        (self.work / path).write_text(text.replace(old, new))

    def add_by_hand(self, workload: str, item: Object) -> None:
        """Make a workload of one object in dev, in the working clone, as people do who do not use the answers."""
        overlay = self.work / f"apps/workloads/{workload}/overlays/dev"
        overlay.mkdir(parents=True)
        (overlay / "object.yaml").write_text(json.dumps(item))
        kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        (overlay / "kustomization.yaml").write_text(json.dumps(kind | {"resources": ["object.yaml"]}))

    def publish(self, message: str) -> None:
        """Commit whatever changed in the working clone, and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "--force", "origin", "HEAD:main")
        if self.is_installed:
            # As a webhook of the Git server does, so that nobody waits for the next look. Sets look by themselves.
            self.refresh("applications")

    def refresh(self, kind: str) -> None:
        """Have Argo CD read Git at once for all Applications, or for all ApplicationSets, which wait after errors."""
        annotate = ["annotate", kind, "--all", "--namespace=argocd", "--overwrite", REFRESH[kind]]
        try:
            self.kubectl(*annotate)
        except SandboxError as error:
            if "NotFound" not in str(error):
                raise
            # One went between kubectl's list and its write.
            self.kubectl(*annotate)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo after the block whatever is published in it, and wait until Argo CD has followed."""
        start = self.head
        try:
            yield
        except BaseException:
            self.restore(start)
            raise
        self.restore(start)
        self.settle(hurry=True)

    def restore(self, revision: str) -> None:
        """Undo everything since a revision by a new commit, as people do."""
        self.git("read-tree", "--reset", "-u", revision)
        self.git("clean", "--force", "-d", "--quiet")
        if self.git("diff", "--cached", "--name-only", "HEAD"):
            self.publish("Back to where it was")

    # --- Argo CD -----------------------------------------------------------------------------------------------------

    def documented(self, page: str, heading: str) -> list[str]:
        """The shell commands that a page of the rendered documentation gives below a heading, block by block."""
        below = (self.work / "docs" / page).read_text().split(f" {heading}\n", 1)[1]
        section = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
        blocks = re.findall(r"^( *)```sh\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
        return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks]

    def type(self, commands: str, stdin: str = "") -> str:
        """Type commands into a shell in the repository, as the documentation has them, and return what they print.

        Raises:
            SandboxError: if one of them fails.
        """
        shell = ["bash", "-eu", "-o", "pipefail", "-c"]
        result = self.sandbox.run(*shell, commands, stdin=stdin, folder=self.work)
        if result.returncode:
            raise SandboxError(f"{commands}\n{result.stdout}{result.stderr}")
        return result.stdout

    def install(self, again: bool = False) -> None:
        """Do what docs/installation.md says, in its order; a second time the credentials are there already."""
        if not again and self.repository.answers.get("dns_provider", "cloudflare") == "cloudflare":
            token, *_ = self.documented("installation.md", "3. Credentials")
            self.type(token, stdin="a-token\n")
        for block in self.documented("installation.md", "4. Bootstrap"):
            self.type(block)
        self.start_argocd()

    def start_argocd(self) -> None:
        """Start Argo CD's controllers, as its pods would where containers run."""
        # argocd-server makes this key when it first starts. It does not run here: nobody logs in.
        key = json.dumps({"stringData": {"server.secretkey": "unused"}})
        self.kubectl("patch", "secret", "argocd-secret", "--namespace=argocd", "--type=merge", "--patch", key)
        home = self.folder / "argocd"
        for name in ("tls", "ssh", "gpg/source", "gpg/keys", "plugin"):
            (home / name).mkdir(parents=True, exist_ok=True)
        (home / "gpg/keys").chmod(0o700)
        (home / "ssh/ssh_known_hosts").touch()
        environment = {
            "KUBECONFIG": str(self.folder / self.argocd.name / "kubeconfig"),
            # https://kubernetes.default.svc is the cluster of KUBECONFIG.
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_TLS_DATA_PATH": str(home / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(home / "ssh"),
            "ARGOCD_GPG_DATA_PATH": str(home / "gpg/source"),
            "ARGOCD_GNUPGHOME": str(home / "gpg/keys"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_PLUGINSOCKFILEPATH": str(home / "plugin"),
            "ARGOCD_ASK_PASS_SOCK": str(home / "ask.sock"),
            "ARGOCD_RECONCILIATION_TIMEOUT": "3s",
            "ARGOCD_RECONCILIATION_JITTER": "0s",
            "ARGOCD_APPLICATIONSET_CONTROLLER_REQUEUE_AFTER": "5s",
        }
        redis, repo_server = "127.0.0.1:6379", "127.0.0.1:8081"
        options = {
            "argocd-repo-server": [
                "--address=127.0.0.1",
                "--port=8081",
                "--metrics-address=127.0.0.1",
                "--metrics-port=8084",
                f"--redis={redis}",
                "--disable-tls",
                "--client-ca-path=",
                "--parallelismlimit=2",
            ],
            "argocd-application-controller": [
                "--namespace=argocd",
                f"--redis={redis}",
                f"--repo-server={repo_server}",
                "--repo-server-plaintext",
                "--metrics-port=8082",
                f"--app-resync={self.resync_seconds}",
                "--app-resync-jitter=0",
                "--self-heal-timeout-seconds=1",
                "--self-heal-backoff-cap-seconds=5",
                # Else it says only after three minutes that it cannot read a repository.
                "--repo-error-grace-period-seconds=5",
            ],
            "argocd-applicationset-controller": [
                "--namespace=argocd",
                f"--argocd-repo-server={repo_server}",
                "--repo-server-plaintext",
                "--metrics-addr=127.0.0.1:12345",
                "--probe-addr=127.0.0.1:12346",
                "--webhook-addr=127.0.0.1:7001",
            ],
        }
        self.is_installed = True
        self.sandbox.start("redis", BINARIES / "argocd/redis", redis)
        for name, health in CONTROLLERS.items():
            command: list[str | Path] = [
                BINARIES / "argocd/controllers",
                *options[name],
                "--loglevel=info",
                "--logformat=text",
            ]
            self.sandbox.start(name, *command, environment=environment | {"ARGOCD_BINARY_NAME": name})
            self.sandbox.wait_for(name, health)

    def register(self, cluster: str) -> None:
        """Register a cluster, as docs/operations.md says, but with a token in the place of an IAM role."""
        target = self.clusters[cluster]
        authority = (self.folder / "authority.pem").read_bytes()
        config = {"bearerToken": target.token, "tlsClientConfig": {"caData": base64.b64encode(authority).decode()}}
        self.argocd.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": f"cluster-{cluster}",
                    "namespace": "argocd",
                    "labels": {"argocd.argoproj.io/secret-type": "cluster"},
                },
                "stringData": {"name": cluster, "server": target.url, "config": json.dumps(config)},
            }
        )

    def identities(self, kinds: str) -> dict[str, str]:
        """The uids of all objects of some kinds by cluster/namespace/kind/name, without what Kubernetes itself keeps.

        A Namespace counts as in itself.
        """
        found = {}
        for cluster in self.clusters.values():
            for item in cluster.list(kinds):
                name = item["metadata"]["name"]
                namespace = item["metadata"].get("namespace", name)
                if not namespace.startswith(("kube-", "default")) and name != "default":
                    found[f"{cluster.name}/{namespace}/{item['kind']}/{name}"] = item["metadata"]["uid"]
        return found

    @property
    def applications(self) -> dict[str, Object]:
        """The Applications by name."""
        return {item["metadata"]["name"]: item for item in self.argocd.list("applications", "argocd")}

    def states(self) -> dict[str, str]:
        """What `kubectl get applications` shows: "Synced Healthy" by name."""
        return {name: state(application) for name, application in self.applications.items()}

    def end_operations(self) -> None:
        """End what Argo CD still tries with Applications that go: it retries for minutes, and only then deletes."""
        for name, item in self.applications.items():
            if "deletionTimestamp" in item["metadata"] and "operation" in item:
                end = json.dumps([{"op": "remove", "path": "/operation"}])
                self.kubectl("patch", "application", name, "--namespace=argocd", "--type=json", "--patch", end)

    def settle(self, hurry: bool = False) -> None:
        """Wait until every Application is Synced and Healthy at the newest revision of what it reads.

        Args:
            hurry: Whether to end operations that hold up the removal of an Application.
        """
        revision = self.head

        def unsettled() -> dict[str, str]:
            found = self.applications
            result = {name: state(item) for name, item in found.items() if state(item) != "Synced Healthy"}
            for name in ("root", *(n for n in found if n != "root")):
                if name in found and revision not in revisions(found[name]):
                    result.setdefault(name, f"not at {revision[:7]}")
            for item in self.argocd.list("applicationsets", "argocd"):
                observed = {r["name"] for r in item.get("status", {}).get("resources", [])}
                for name in sorted(observed - found.keys()):
                    result[name] = "not made yet"
            return result

        last: dict[str, str] = {}

        def settled() -> bool:
            nonlocal last
            if hurry:
                self.end_operations()
            last = unsettled()
            return not last

        try:
            self.until("all applications are settled", settled, every=1)
        except SandboxError as error:
            raise SandboxError(f"{error}\nnot settled: {json.dumps(last, indent=1)}") from None

    def explain(self) -> str:
        """Why things are as they are: the Applications, their conditions, and the logs of who works on them."""
        lines = []
        try:
            for item in [*self.applications.values(), *self.argocd.list("applicationsets", "argocd")]:
                status = item.get("status", {})
                operation = status.get("operationState", {})
                lines.append(f"{item['kind']} {item['metadata']['name']}: {state(item)} {operation.get('phase', '')}")
                messages = [c.get("message", "") for c in status.get("conditions", []) if c.get("status") != "False"]
                unhealthy = [
                    r
                    for r in status.get("resources", [])
                    if r.get("status") == "OutOfSync" or r.get("health", {}).get("status", "Healthy") != "Healthy"
                ]
                for resource in unhealthy:
                    messages.append(
                        f"{resource['kind']}/{resource['name']}: {resource.get('status')} {resource.get('health', '')}"
                    )
                if operation.get("phase") != "Succeeded":
                    messages.append(operation.get("message", ""))
                lines += [f"    {message}" for message in messages if message]
        except (SandboxError, subprocess.TimeoutExpired) as error:
            lines.append(str(error))
        for name in CONTROLLERS:
            if name in self.sandbox.processes:
                wanted = [
                    line
                    for line in self.sandbox.log(name, 2000).splitlines()
                    if re.search(r"level=(warn|error|fatal)|panic", line)
                ]
                lines += [f"--- {name}", *(line[:600] for line in wanted[-8:])]
        return "\n".join(lines)

    def close(self) -> None:
        """End everything."""
        self.sandbox.close()

    # --- what it all stands on ---------------------------------------------------------------------------------------

    def _prepare_folders(self) -> None:
        for name in ("bin", "home", "tmp", "web"):
            (self.folder / name).mkdir(parents=True)
        # Argo CD calls these for every commit. A module's zip keeps no executable bits.
        argocd = engines.go_module("github.com/argoproj/argo-cd/v3", pinned_in="argocd")
        for script in ("git-verify-wrapper.sh", "gpg-wrapper.sh"):
            (self.folder / "bin" / script).write_bytes((argocd / "hack" / script).read_bytes())
            (self.folder / "bin" / script).chmod(0o755)
        self._authority.cert_pem.write_to_path(self.folder / "authority.pem")
        (self.folder / "home/.gitconfig").write_text("[safe]\n\tdirectory = *\n")
        shutil.copytree(self.repository.path, self.work)
        self.origin.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.origin], check=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(self.origin))
        self.publish("Render the platform")

    def _environment(self) -> dict[str, str]:
        paths = (self.folder / "bin", BINARIES / "kubernetes", BINARIES, "/usr/local/bin", "/usr/bin", "/bin")
        return {
            "PATH": ":".join(map(str, paths)),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "HTTPS_PROXY": PROXY,
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(self.folder / "authority.pem"),
            "GIT_SSL_CAINFO": str(self.folder / "authority.pem"),
        }

    def _serve_the_world(self) -> None:
        command = outside_world(self.folder, self._authority, PORT)
        self.sandbox.start("web", *command)


def state(application: Object) -> str:
    """What Argo CD says of an Application: "Synced Healthy"."""
    status = application.get("status", {})
    sync, health = status.get("sync", {}).get("status", "-"), status.get("health", {}).get("status", "-")
    return f"{sync} {health}"


def revisions(application: Object) -> list[str]:
    """The revisions that an Application was last compared with, one per source."""
    sync: dict[str, Any] = application.get("status", {}).get("sync", {})
    return list(sync.get("revisions") or [sync.get("revision", "")])
