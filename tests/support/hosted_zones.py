"""The output of the AWS CLI about hosted zones."""

from __future__ import annotations


def printed(zones: dict[str, str]) -> str:
    """Return what `aws route53 list-hosted-zones` prints of zones, by id, for printf."""
    return "".join(f"/hostedzone/{name}\\t{zone}.\\n" for name, zone in zones.items())
