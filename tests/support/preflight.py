"""Run bootstrap/preflight.sh of a rendered repository, with stand-ins for the programs that it calls."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import engines
from tests.support.hosted_zones import printed

# The first step of every stand-in: record the call, and fail if the test requires it.
CALLED = """[ -z "$CALLS" ] || printf '%s\\n' "${0##*/} $*" >>"$CALLS"
if [ "${0##*/} $*" = "$BROKEN" ]; then printf 'debugging output\\n\\n%s\\n' "$ERROR" >&2; exit 255; fi
case "${0##*/}" in $BROKEN_TOOL) printf '\\n%s\\n' "$ERROR" >&2; exit 255 ;; esac
not_found() { echo "An error occurred (ResourceNotFoundException) when calling $1: not found" >&2; exit 254; }
absent() { echo "Error from server (NotFound): $1 not found" >&2; exit 1; }
"""
TOOLS = {
    "aws": """case "$*" in
  *get-caller-identity*) printf '%s\\tarn:aws:sts::%s:assumed-role/Admin/jo\\n' "$ACCOUNT" "$ACCOUNT" ;;
  *describe-cluster*) [ "$EKS" != away ] || not_found DescribeCluster; printf '%s\\thttps://endpoint\\n' "$EKS" ;;
  *describe-certificate*) [ "$CERTIFICATE_STATUS" != away ] || not_found DescribeCertificate
    printf '%s\\n%s\\n' "$CERTIFICATE_STATUS" "$CERTIFICATE_NAMES" ;;
  *describe-instances*) printf '%s\\n' "$INSTANCES" ;;
  *list-pod-identity*"--service-account $NO_ROLE"*) echo None ;;
  *list-pod-identity*) echo a-123 ;;
  *describe-secret*"--secret-id $DELETED_SECRET "*) echo 2026-11-01T00:00:00+00:00 ;;
  *describe-secret*"--secret-id $MISSING_SECRET "*) not_found DescribeSecret ;;
  *describe-secret*) echo None ;;
  *describe-pod-identity*) echo arn:aws:iam::123456789012:role/dns ;;
  *list-hosted-zones*) printf "$HOSTED_ZONES" ;;
  *list-resource-record-sets*) printf %s "$RECORDS" ;;
  *simulate-principal-policy*"$DENIED"*) echo implicitDeny ;;
  *simulate-principal-policy*) echo allowed ;;
  *) echo "aws: unknown call $*" >&2; exit 1 ;;
esac""",
    "curl": """case "$*" in
  *"https://raw.githubusercontent.com/argoproj/argo-cd/"*) cat "$MANIFEST" ;;
  *"api.cloudflare.com/client/v4/zones?name=$CLOUDFLARE_ZONE")
    grep -q 'Authorization: Bearer a-token' && echo '{"result_info":{"count":1,"total_count":1}}' ;;
  *api.cloudflare.com*) echo '{"result_info":{"count":0,"total_count":0}}' ;;
  *) exit 1 ;;
esac""",
    "kubectl": """case "$*" in
  *"config view"*) printf '%s\\n' "context elsewhere other" "context ${CONTEXT:-$2} eks" \\
    "cluster other https://other" "cluster eks $KUBECTL_SERVER" ;;
  *" version"*)
    printf '%s\\n' clientVersion: '  gitVersion: v1.1.0' serverVersion: "  gitVersion: v$SERVER_VERSION.3-eks-1" ;;
  *custom-columns*) printf '%s' "$OBJECTS" ;;
  *metrics.k8s.io*) [ "$METRICS" = there ] || absent metrics ;;
  *"deployment aws-load-balancer-controller"*) [ "$CONTROLLER" != away ] || absent deployment; echo "$CONTROLLER" ;;
  *eks-pod-identity-agent*) [ "$AGENT" = there ] || absent daemonset ;;
  *apis/eks.amazonaws.com*) [ "$AUTO_MODE" = on ] || absent group ;;
  *aws-node*) [ "$AWS_NODE" != away ] || absent daemonset; echo "- $AWS_NODE" ;;
  *amazon-vpc-cni*) echo "enable-network-policy-controller: \\"$CNI\\"" ;;
  *mutatingwebhookconfigurations*) echo "name: $WEBHOOK" ;;
  *"secret cloudflare-api-token"*) [ -n "$TOKEN" ] || absent secret; printf %s "$TOKEN" | base64 ;;
  *"get secrets"*) printf %s "$REPOSITORY" ;;
  *) echo "kubectl: unknown call $*" >&2; exit 1 ;;
esac""",
}
# The output of the tools if everything exists.
READY = {
    "CALLS": "",
    "BROKEN": "nothing",
    "BROKEN_TOOL": "nothing",
    "ERROR": "An error occurred (AccessDenied) when calling this: not you",
    "ACCOUNT": "123456789012",
    "EKS": "ACTIVE",
    "CONTEXT": "",
    "KUBECTL_SERVER": "https://endpoint",
    "SERVER_VERSION": "1.36",
    "CERTIFICATE_STATUS": "ISSUED",
    "CERTIFICATE_NAMES": "*.dev.acme.io\t*.staging.acme.io",
    "INSTANCES": "",
    "HOSTED_ZONES": printed({"ZOURS": "acme.io", "ZCOM": "acme.com"}),
    "RECORDS": "",
    "OBJECTS": "",
    "METRICS": "there",
    "CONTROLLER": "2",
    "AGENT": "there",
    "AUTO_MODE": "off",
    "AWS_NODE": "--enable-network-policy=true",
    "CNI": "false",
    "WEBHOOK": "other",
    "NO_ROLE": "nothing",
    "DELETED_SECRET": "nothing",
    "MISSING_SECRET": "nothing",
    "DENIED": "nothing",
    "TOKEN": "a-token",
    "REPOSITORY": "secret/repository",
    "CLOUDFLARE_ZONE": "example.com",
}


@dataclass(frozen=True)
class Preflight:
    """The script of a repository, and a folder for the stand-ins."""

    repository: Path
    folder: Path

    def __call__(self, cluster: str = "nonprod", *options: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run it for a cluster, with changes to what the tools find."""
        for tool, body in TOOLS.items():
            (self.folder / tool).write_text(f"#!/bin/sh\n{CALLED}{body}\n")
            (self.folder / tool).chmod(0o755)
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}", "MANIFEST": str(*engines.argocd_manifests().values())}
        script = self.repository / "bootstrap/preflight.sh"
        environment = os.environ | READY | path | changed
        return subprocess.run([script, cluster, *options], env=environment, capture_output=True, text=True, check=False)
