#!/usr/bin/env python3
"""Print the answers about existing clusters, made with eksctl or by hand. Only reads, with the AWS CLI and eksctl.

python3 eksctl.py --region eu-west-1 --domain example.com --certificate <ARN> [cluster ...] >infrastructure.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
from typing import Any

INSTALLABLE = ("metrics-server",)


def read(*command: str) -> Any:
    """Return what a command prints as JSON."""
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def answers_of(cluster: str, region: str) -> dict[str, Any]:
    """Return the answers about one cluster."""
    place = ("--region", region, "--output", "json")
    found = read("aws", "eks", "describe-cluster", "--name", cluster, *place)["cluster"]
    addons = read("aws", "eks", "list-addons", "--cluster-name", cluster, *place)["addons"]
    auto_mode = (found.get("computeConfig") or {}).get("enabled", False)
    return {
        "name": found["name"],
        "vpc_id": found["resourcesVpcConfig"]["vpcId"],
        "kubernetes_version": found["version"],
        "load_balancer": "eks-auto-mode" if auto_mode else "aws-load-balancer-controller",
        "provides": [addon for addon in INSTALLABLE if addon in addons],
    }


def place_of(region: str) -> dict[str, str]:
    """Return what the ARN of a certificate would say."""
    return {
        "aws_region": region,
        "aws_account": read("aws", "sts", "get-caller-identity", "--output", "json")["Account"],
    }


def main() -> None:
    """Print the answers about all clusters."""
    parser = argparse.ArgumentParser(description="Print what the GitOps template needs to know of clusters.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--dns-provider", choices=("route53", "cloudflare"), default="route53")
    parser.add_argument("--certificate", default="", help="ARN of the ACM certificate; several: comma-separated")
    parser.add_argument("cluster", nargs="*", help="default: all clusters of the region")
    given = parser.parse_args()
    listed = given.cluster or [
        cluster["Name"] for cluster in read("eksctl", "get", "cluster", "--region", given.region, "--output", "json")
    ]
    answers = {
        "domain": given.domain,
        "dns_provider": given.dns_provider,
        "acm_certificate_arn": given.certificate,
        **({} if given.certificate else place_of(given.region)),
        "clusters": [answers_of(cluster, given.region) for cluster in sorted(listed)],
    }
    print(json.dumps(answers, indent=2))


if __name__ == "__main__":
    main()
