"""Read quantities, as k8s.io/apimachinery/pkg/api/resource does."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Any

QUANTITY = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = "KMGTPE"
MILLI = Decimal("0.001")


def read(value: Any) -> Decimal | None:
    """Return a quantity rounded up to a thousandth, as the API server stores most, or None for other text."""
    number = exact(value)
    return number.quantize(MILLI, ROUND_CEILING) if number is not None and abs(number) <= 10**18 else number


def exact(value: Any) -> Decimal | None:
    """Return a quantity, or None for other text."""
    match = QUANTITY.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        return None
    sign, number, suffix = match[1], Decimal(match[2]), match[3] or ""
    if suffix.endswith("i"):
        number *= 1024 ** (BINARY.index(suffix[0]) + 1)
    elif suffix in DECIMAL:
        number = number.scaleb(DECIMAL[suffix])
    else:
        exponent = int(suffix[1:])
        if abs(exponent) > 10_000:
            return None
        number = number.scaleb(exponent)
    return -number if sign == "-" else number


def is_quantity(value: Any) -> str:
    """Return the rule that a quantity breaks."""
    return "" if read(value) is not None else "must be a quantity, such as 250m or 1Gi"


def positive(value: Any) -> str:
    """Return the rule that a quantity breaks; empty if it is positive."""
    quantity = read(value)
    return "" if quantity is None or quantity > 0 else "must be more than 0"


def not_negative(value: Any) -> str:
    """Return the rule that a quantity breaks; empty if it is not negative."""
    quantity = read(value)
    return "" if quantity is None or quantity >= 0 else "must not be negative"
