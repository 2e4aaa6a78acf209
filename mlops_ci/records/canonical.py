"""Canonical JSON and the digests of records.

Canonical form: RFC 8785 (https://www.rfc-editor.org/rfc/rfc8785), with two restrictions that make it
exact everywhere: integers beyond 2^53 and non-finite floats are refused (write them as text).
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec

_LARGEST_INTEGER = 2**53


def canonical_json(value: object) -> bytes:
    """`value` (a record or plain JSON data) as canonical JSON bytes."""
    plain = msgspec.to_builtins(value, str_keys=True)
    return _encode(plain).encode()


def digest(value: object) -> str:
    """sha256 of the canonical JSON of `value`, 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _encode(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_encode(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_encode(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise ValueError(f"{value} is beyond 2^53 and has no canonical JSON form")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def _text(value: str) -> str:
    """A JSON string; RFC 8785 writes DEL and everything above ASCII as it is, which is what msgspec does."""
    return msgspec.json.encode(value).decode()


def _number(value: float) -> str:
    """A float as ECMAScript prints it (ECMA-262, Number::toString), which RFC 8785 asks for."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no canonical JSON form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Decimal digits with the point after `point` of them (0.digits * 10^point), in the shape ECMAScript chooses."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = f"e{point - 1:+d}"
    return f"{digits[0]}.{digits[1:]}{exponent}" if len(digits) > 1 else digits + exponent
