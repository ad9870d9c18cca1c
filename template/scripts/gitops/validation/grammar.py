"""The grammars of names in Kubernetes (k8s.io/apimachinery, pkg/util/validation and pkg/api/validate/content).

Each function returns what a text must be, or an empty text if it is valid.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

Grammar = Callable[[str], str]

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
TIME_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}")


def _grammar(pattern: str, longest: int, message: str) -> Grammar:
    compiled = re.compile(pattern)
    return lambda text: "" if len(text) <= longest and compiled.fullmatch(text) else message


dns_label = _grammar(LABEL, 63, "must be at most 63 lower case letters, digits and -, and begin and end with no -")
dns_subdomain = _grammar(
    rf"{LABEL}(\.{LABEL})*", 253, "must be at most 253 lower case letters, digits, - and ., such as shop.example"
)
dns_subdomain_with_underscore = _grammar(
    r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
    253,
    "must be at most 253 lower case letters, digits, -, _ and .",
)
service_name = _grammar(
    r"[a-z]([-a-z0-9]*[a-z0-9])?", 63, "must be at most 63 lower case letters, digits and -, and begin with a letter"
)
label_value = _grammar(
    f"({NAME})?", 63, "must be at most 63 letters, digits, -, _ and ., and begin and end with a letter or digit"
)
env_name = _grammar(r"[ -<>-~]+", 10**6, "must be printable ASCII characters without =")
header_name = _grammar(r"[-A-Za-z0-9]+", 10**6, "must be letters, digits and -")
percent = _grammar(r"[0-9]+%", 10**6, "must be a number or a percentage, such as 25%")
path_segment = _grammar(r"(?!\.\.?$)[^/%]+", 10**6, "must not be . or .., and contain no / and no %")
_path_of_domain = _grammar(HTTP_PATH, 10**6, "must be a path of a domain, such as example.com/name")
_short_name = _grammar(NAME, 63, "is a domain and / at most, then up to 63 letters, digits, -, _ and .")
_config_key = _grammar(r"[-._a-zA-Z0-9]+", 253, "must be at most 253 letters, digits, -, _ and .")


def label_key(text: str) -> str:
    """Return the rule that a key of a label or annotation breaks."""
    prefix, slash, name = text.rpartition("/")
    return _short_name(name) or (slash and dns_subdomain(prefix)) or ""


def annotation_key(text: str) -> str:
    """Return the rule that a key of an annotation breaks."""
    return label_key(text.lower())


def config_key(text: str) -> str:
    """Return the rule that a key of a ConfigMap or Secret breaks."""
    return _config_key(text) or ("must not begin with .." if text.startswith("..") or text == "." else "")


def port_name(text: str) -> str:
    """Return the rule that a name of a port breaks."""
    is_valid = len(text) <= 15 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) and re.search("[a-z]", text)
    return "" if is_valid else "must be at most 15 lower case letters, digits and single -, with one letter at least"


def port(value: int | str) -> str:
    """Return the rule that a port breaks: a number, or the name of one."""
    if isinstance(value, str):
        return port_name(value)
    return "" if 1 <= value <= 65535 else "must be from 1 to 65535"


def int_or_percent(value: int | str) -> str:
    """Return the rule that a number or percentage breaks."""
    if isinstance(value, str):
        return percent(value)
    return "" if value >= 0 else "must not be negative"


def relative_path(text: str) -> str:
    """Return the rule that a path inside a volume breaks."""
    is_valid = not text.startswith("/") and ".." not in text.split("/")
    return "" if is_valid else "must be a relative path without .."


def forward_path(text: str) -> str:
    """Return the rule that a path of a node breaks."""
    return "must have no .." if ".." in text.split("/") else ""


def file_path(text: str) -> str:
    """Return the rule that the path of a file that a volume projects breaks."""
    return relative_path(text) or ("must not begin with .." if text.startswith("..") else "")


def domain_path(text: str) -> str:
    """Return the rule that a domain with a path breaks."""
    domain, _, path = text.partition("/")
    return _path_of_domain(path) or dns_subdomain(domain)


def address(text: str) -> str:
    """Return the rule that an IP address breaks; the API server tolerates leading zeros."""
    try:
        ipaddress.ip_address(_without_zeros(text))
    except ValueError:
        return "must be an IP address"
    return ""


def network(text: str) -> str:
    """Return the rule that a network breaks."""
    ip, slash, bits = text.partition("/")
    try:
        ipaddress.ip_network(f"{_without_zeros(ip)}/{bits}", strict=False)
    except ValueError:
        return "must be a network, such as 10.0.0.0/8"
    return "" if slash and bits.isdecimal() else "must be a network, such as 10.0.0.0/8"


def _without_zeros(text: str) -> str:
    return ".".join(part.lstrip("0") or part[-1:] for part in text.split(".")) if ":" not in text else text


def time_zone(text: str) -> str:
    """Return the rule that a time zone breaks. Only the API server knows whether it exists."""
    parts = text.split("/")
    is_valid = all(TIME_ZONE_PART.fullmatch(part) and part not in (".", "..") for part in parts)
    return "" if is_valid and text.lower() != "local" else "must be a time zone, such as Europe/Berlin"
