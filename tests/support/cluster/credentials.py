"""Certificates and kubeconfig files."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import trustme


def kubeconfig(name: str, url: str, authority: Path, token: str) -> dict[str, Any]:
    """Return a kubeconfig of one cluster: its address, its certificate authority, and the token of the client."""
    sections = {
        "clusters": {"cluster": {"server": url, "certificate-authority": str(authority)}},
        "users": {"user": {"token": token}},
        "contexts": {"context": {"cluster": name, "user": name}},
    }
    named = {section: [{"name": name} | entry] for section, entry in sections.items()}
    return {"apiVersion": "v1", "kind": "Config", "current-context": name} | named


def merged(configs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one kubeconfig with the contexts of several; the first is the current one."""
    first = configs[0]
    sections = ("clusters", "users", "contexts")
    return first | {name: [entry for config in configs for entry in config[name]] for name in sections}


def cluster_secret(name: str, url: str, authority: Path, token: str) -> dict[str, Any]:
    """Return the Secret that registers a cluster in Argo CD."""
    signed_by = base64.b64encode(authority.read_bytes()).decode()
    config = {"bearerToken": token, "tlsClientConfig": {"caData": signed_by}}
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"cluster-{name}", "namespace": "argocd", "labels": labels},
        "stringData": {"name": name, "server": url, "config": json.dumps(config)},
    }


def write_certificate(certificate: trustme.LeafCert, path: Path) -> None:
    """Write a certificate with its chain to <path>.crt, and its key to <path>.key."""
    certificate.private_key_pem.write_to_path(path.with_suffix(".key"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(path.with_suffix(".crt"), append=True)
