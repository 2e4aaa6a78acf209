"""What GitHub says about waiting."""

from __future__ import annotations

from collections.abc import Mapping

_SECONDARY = b"secondary rate limit"
_SECONDARY_WAIT = 60.0
"""Where GitHub says nothing nearer.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""


def rate_limit(status: int, headers: Mapping[str, str], body: bytes, now: float) -> float | None:
    """Seconds a rate limit lasts, or None where the answer is none. A call that met one was not carried out."""
    if status not in (403, 429):
        return None
    after = _seconds(headers.get("retry-after", ""))
    if after is not None:
        return after
    reset = _seconds(headers.get("x-ratelimit-reset", ""))
    if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(0.0, reset - now) + 1.0
    return _SECONDARY_WAIT if status == 429 or _SECONDARY in body.lower() else None


def _seconds(header: str) -> float | None:
    """A whole number of seconds; None for anything else, as for a date."""
    return float(header) if header.isascii() and header.isdigit() and len(header) <= 12 else None
