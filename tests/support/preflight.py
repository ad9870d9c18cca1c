"""bootstrap/preflight.sh of a rendered repository, with stand-ins for the programs that it runs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import engines
from tests.support.hosted_zones import printed

TOOLS = {
    "aws": """case "$*" in
  *describe-cluster*) echo https://endpoint ;;
  *describe-certificate*) printf '%s\\n%s\\n' "$CERTIFICATE_STATUS" "$CERTIFICATE_NAMES" ;;
  *describe-instances*) [ "$INSTANCES" != denied ] && printf '%s\\n' "$INSTANCES" ;;
  *list-pod-identity*"--service-account $NO_ROLE"*) echo None ;;
  *list-pod-identity*) echo a-123 ;;
  *describe-secret*"--secret-id $DELETED_SECRET "*) echo 2026-11-01T00:00:00+00:00 ;;
  *describe-secret*"--secret-id $MISSING_SECRET "*) echo '(ResourceNotFoundException)' >&2; exit 254 ;;
  *describe-secret*"--secret-id $UNREADABLE_SECRET "*) echo '(AccessDeniedException)' >&2; exit 254 ;;
  *describe-secret*) echo None ;;
  *describe-pod-identity*) echo arn:aws:iam::123456789012:role/dns ;;
  *list-hosted-zones*) printf "$HOSTED_ZONES" ;;
  *list-resource-record-sets*) printf %s "$RECORDS" ;;
  *simulate-principal-policy*"$UNKNOWN"*) exit 254 ;;
  *simulate-principal-policy*"$DENIED"*) echo implicitDeny ;;
  *simulate-principal-policy*) echo allowed ;;
  *) exit 1 ;;
esac""",
    "curl": """case "$*" in
  *"https://raw.githubusercontent.com/argoproj/argo-cd/"*) cat "$MANIFEST" ;;
  *"api.cloudflare.com/client/v4/zones?name=$CLOUDFLARE_ZONE")
    grep -q 'Authorization: Bearer a-token' && echo '{"result_info":{"count":1,"total_count":1}}' ;;
  *api.cloudflare.com*) echo '{"result_info":{"count":0,"total_count":0}}' ;;
  *) exit 1 ;;
esac""",
    "kubectl": """case "$*" in
  *"config view"*) printf %s "$KUBECTL_SERVER" ;;
  version*) printf 'serverVersion:\\n  gitVersion: v%s.3-eks-1\\n' "$SERVER_VERSION" ;;
  *custom-columns*) [ "$OBJECTS" != denied ] && printf '%s' "$OBJECTS" ;;
  *metrics.k8s.io*) [ "$METRICS" = there ] ;;
  *rollout*deployment/aws-load-balancer-controller*) [ "$CONTROLLER" = there ] ;;
  *eks-pod-identity-agent*) [ "$AGENT" = there ] ;;
  *apis/eks.amazonaws.com*) exit 1 ;;
  *aws-node*) echo "- --enable-network-policy=true" ;;
  *"secret --namespace external-dns cloudflare-api-token"*) printf %s "$TOKEN" | base64 ;;
esac""",
}
# What the tools find where everything is there.
READY = {
    "KUBECTL_SERVER": "https://endpoint",
    "SERVER_VERSION": "1.36",
    "CERTIFICATE_STATUS": "ISSUED",
    "CERTIFICATE_NAMES": "*.dev.acme.io\t*.staging.acme.io",
    "INSTANCES": "",
    "HOSTED_ZONES": printed({"ZOURS": "acme.io", "ZCOM": "acme.com"}),
    "RECORDS": "",
    "OBJECTS": "",
    "METRICS": "there",
    "CONTROLLER": "there",
    "AGENT": "there",
    "NO_ROLE": "nothing",
    "DELETED_SECRET": "nothing",
    "MISSING_SECRET": "nothing",
    "UNREADABLE_SECRET": "nothing",
    "UNKNOWN": "nothing",
    "DENIED": "nothing",
    "TOKEN": "a-token",
    "CLOUDFLARE_ZONE": "example.com",
}


@dataclass(frozen=True)
class Preflight:
    """The script of a repository, and a folder for the stand-ins."""

    repository: Path
    folder: Path

    def __call__(self, cluster: str = "nonprod", *options: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run it for a cluster, where something may not be as it should."""
        for tool, body in TOOLS.items():
            (self.folder / tool).write_text(f"#!/bin/sh\n{body}\n")
            (self.folder / tool).chmod(0o755)
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}", "MANIFEST": str(*engines.argocd_manifests().values())}
        script = self.repository / "bootstrap/preflight.sh"
        environment = os.environ | READY | path | changed
        return subprocess.run([script, cluster, *options], env=environment, capture_output=True, text=True, check=False)
