"""ISO 8601 texts and numpy times."""

from __future__ import annotations

import re

import numpy as np

_ISO = re.compile(r"(\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)(Z|[+-]\d{2}:?\d{2})?")


def as_time(text: str) -> np.datetime64 | None:
    """The time in UTC with microseconds; None where `text` is not an ISO 8601 date or time."""
    match = _ISO.fullmatch(text.strip())
    if not match:
        return None
    try:
        local = np.datetime64(match[1], "us")
    except ValueError:
        return None
    return local - _offset(match[2] or "")


def iso(time: np.datetime64) -> str:
    """`time` as text to the second, or the day alone where it is midnight."""
    text = str(time.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00") if text.endswith("T00:00:00") else text


def _offset(zone: str) -> np.timedelta64:
    if zone in ("", "Z"):
        return np.timedelta64(0, "us")
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return np.timedelta64(minutes * (1 if zone[0] == "+" else -1), "m")
