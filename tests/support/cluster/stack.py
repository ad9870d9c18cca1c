"""A rendered repository in its own clusters: Git, Kubernetes, Argo CD and the outside world on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.support import engines
from tests.support.cluster import control_plane, controllers
from tests.support.cluster.argocd import ArgoCD
from tests.support.cluster.checkout import Checkout
from tests.support.cluster.client import fetch
from tests.support.cluster.credentials import cluster_secret, merged
from tests.support.cluster.kubernetes import Kubernetes
from tests.support.cluster.nodes import Node
from tests.support.cluster.sandbox import Sandbox, SandboxError
from tests.support.cluster.world import outside_world
from tests.support.pages import commands
from tests.support.repository import Repository

BINARIES = engines.CACHE / "bin"
PORT = 3128
PROXY = f"http://127.0.0.1:{PORT}"
TWO_NODES = [Node("node-a", zone="a"), Node("node-b", zone="b", arch="arm64")]


class Stack:
    """The clusters of a repository, and the repository itself under its real URL.

    Attributes:
        checkout: A clone of the repository, to change and `publish`.
        clusters: Kubernetes by the names that the answers give them.
        argocd: The cluster that Argo CD runs in.
        argo: Argo CD itself.
        is_installed: Whether Argo CD's controllers were started.
        is_at_rest: Whether nothing was undone since all Applications were settled.
    """

    def __init__(
        self,
        folder: Path,
        repository: Repository,
        nodes: list[Node] | None = None,
        grace_seconds: int = 0,
        poll_seconds: int = 300,
        outlives_us: bool = False,
    ) -> None:
        """Start empty clusters, with nothing in them but what Kubernetes itself puts there.

        Args:
            folder: For everything that runs; best a short path.
            repository: What becomes the repository; copied.
            nodes: The nodes of every cluster; two large ones of different architecture, if not given.
            grace_seconds: How long a pod that is being deleted still holds its place.
            poll_seconds: How often Argo CD reads Git when nothing asks it to, as `publish` does.
            outlives_us: Whether all goes on when this process ends.
        """
        self.folder, self.repository, self.poll_seconds = folder, repository, poll_seconds
        self.is_installed = self.is_at_rest = False
        self._settled_at = self._unrest = ""
        for name in ("bin", "home", "tmp", "web"):
            (folder / name).mkdir(parents=True)
        controllers.prepare(folder / "bin")
        (folder / "home/.gitconfig").write_text("[safe]\n\tdirectory = *\n")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "authority.pem")
        origin = folder / "web" / repository.answers["repo_url"].removeprefix("https://")
        self.checkout = Checkout(repository.path, folder / "work", origin)
        self.sandbox = Sandbox(folder, _environment(folder), outlives_us)
        try:
            self._start(authority, nodes or TWO_NODES, grace_seconds)
        except BaseException:
            self.close()
            raise

    # --- Git ---------------------------------------------------------------------------------------------------------

    def publish(self, message: str) -> None:
        """Commit whatever changed in the checkout, and push it. Argo CD is told, as by a webhook of the Git server."""
        self.checkout.push(message)
        if self.is_installed:
            self.argo.refresh(self._changed())

    def restore(self, revision: str) -> None:
        """Undo everything since a revision by a new commit, as people do."""
        if self.checkout.restore(revision):
            self.publish("Back to where it was")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Begin at rest, and undo after the block what is published in it; `rest` waits until Argo CD has followed."""
        self.rest()
        start = self.checkout.head
        try:
            yield
        finally:
            self.is_at_rest = False
            self.restore(start)

    # --- Argo CD -----------------------------------------------------------------------------------------------------

    def documented(self, page: str, heading: str) -> list[str]:
        """Return the shell commands that a page of the documentation gives below a heading, block by block."""
        return commands(self.checkout.work / "docs" / page, heading)

    def type(self, commands: str, stdin: str = "") -> str:
        """Type commands into a shell in the repository, as the documentation has them, and return what they print.

        Raises:
            SandboxError: if one of them fails.
        """
        shell = ["bash", "-eu", "-o", "pipefail", "-c"]
        result = self.sandbox.run(*shell, commands, stdin=stdin, folder=self.checkout.work)
        if result.returncode:
            raise SandboxError(f"{commands}\n{result.stdout}{result.stderr}")
        return result.stdout

    def install(self, again: bool = False, is_private: bool = False) -> None:
        """Type the commands of docs/installation.md, in its order.

        Args:
            again: Whether the credentials exist already.
            is_private: Whether Argo CD gets credentials for the repository.
        """
        if not again and self.repository.answers.get("dns_provider", "cloudflare") == "cloudflare":
            self.type("".join(self.documented("installation.md", "DNS token")), stdin="a-token\n")
        if is_private:
            self.type("".join(self.documented("installation.md", "Repository credentials")), stdin="a-token\n")
        for block in self.documented("installation.md", "4. Bootstrap"):
            self.type(block)
        self.is_installed = True
        controllers.start(self.sandbox, self.argocd, self.poll_seconds)

    def register(self, cluster: str) -> None:
        """Register a cluster, as docs/operations.md says, but with a token in the place of an IAM role."""
        target, authority = self.clusters[cluster], self.folder / "authority.pem"
        target.kubectl("apply", "--server-side", "--filename", self.checkout.work / f"bootstrap/access-{cluster}.yaml")
        self.argocd.apply(cluster_secret(cluster, target.url, authority, target.argocd_token))

    def register_others(self) -> None:
        """Register every cluster but the one that Argo CD runs in."""
        for cluster in self.clusters.values():
            if cluster is not self.argocd:
                self.register(cluster.name)

    def settle(self) -> None:
        """Wait until every Application is Synced and Healthy, and has followed all commits."""
        self.argo.settle(self.checkout.head, self._changed())
        self._settled_at = self.checkout.head
        self.is_at_rest = True

    def rest(self) -> None:
        """Wait until Argo CD has followed what was undone.

        Raises:
            SandboxError: if it does not. Later calls then fail immediately.
        """
        if self._unrest:
            raise SandboxError(f"an earlier test did not come to rest: {self._unrest}")
        if self.is_at_rest:
            return
        try:
            self.settle()
        except SandboxError as error:
            self._unrest = str(error)
            raise

    def identities(self, kinds: str) -> dict[str, str]:
        """Return the uids of all objects of some kinds by cluster/namespace/kind/name.

        A Namespace counts as in itself. What Kubernetes itself keeps is left out.
        """
        uids = {}
        for cluster in self.clusters.values():
            for item in cluster.list(kinds):
                name = item["metadata"]["name"]
                namespace = item["metadata"].get("namespace", name)
                if not namespace.startswith(("kube-", "default")) and name != "default":
                    uids[f"{cluster.name}/{namespace}/{item['kind']}/{name}"] = item["metadata"]["uid"]
        return uids

    def close(self) -> None:
        """End everything."""
        self.sandbox.close()

    def _changed(self) -> set[str] | None:
        """Return the files that commits have changed since all Applications were settled; None before."""
        return self.checkout.files_of_commits(self._settled_at) if self._settled_at else None

    def _start(self, authority: trustme.CA, nodes: list[Node], grace_seconds: int) -> None:
        sandbox, names = self.sandbox, [cluster["name"] for cluster in self.repository.clusters]
        sandbox.start("web", *outside_world(self.folder, authority, PORT))
        sandbox.start("etcd", *control_plane.etcd(self.folder / "etcd"))
        with_metrics = "metrics-server" in self.repository.answers.get("addons", [])
        self.clusters = {
            name: Kubernetes(sandbox, name, index, authority, asks_pods=with_metrics)
            for index, name in enumerate(names)
        }
        self.argocd = self.clusters[self.repository.answers.get("argocd_cluster", names[0])]
        # For commands that name their context, or mean the cluster that Argo CD runs in.
        in_order = sorted(self.clusters.values(), key=lambda cluster: cluster is not self.argocd)
        (self.folder / "kubeconfig").write_text(json.dumps(merged([cluster.kubeconfig for cluster in in_order])))
        sandbox.wait_for("etcd", lambda: fetch(sandbox, f"{control_plane.ETCD}/health") is not None)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda cluster: cluster.start(nodes, grace_seconds), self.clusters.values()))
        self.argo = ArgoCD(sandbox, self.argocd.api)
        self.until, self.kubectl = sandbox.until, self.argocd.kubectl


def _environment(folder: Path) -> dict[str, str]:
    paths = (folder / "bin", BINARIES / "kubernetes", BINARIES, "/usr/local/bin", "/usr/bin", "/bin")
    return {
        "PATH": ":".join(map(str, paths)),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "KUBECONFIG": str(folder / "kubeconfig"),
        "HTTPS_PROXY": PROXY,
        # Pods have addresses of 10.244.0.0/15.
        "NO_PROXY": "127.0.0.1,localhost,10.244.0.0/15",
        "SSL_CERT_FILE": str(folder / "authority.pem"),
        "GIT_SSL_CAINFO": str(folder / "authority.pem"),
        # Memory for speed: collecting garbage takes a quarter of the API server's and of Argo CD's time.
        "GOGC": "200",
    }
