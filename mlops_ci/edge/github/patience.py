"""How often and how long one call is tried, and what GitHub says about waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

_TRIES = 5
_SECONDARY = b"secondary rate limit"
_SECONDARY_WAIT = 60.0
"""Where GitHub says nothing nearer.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""


class Time(NamedTuple):
    """The clocks of the machine; tests put their own in."""

    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


class Patience:
    """For one call: at most five tries, and none that would begin after `seconds` in all."""

    def __init__(self, of: Time, seconds: float) -> None:
        self._time = of
        self._tries = 1
        self.deadline = of.clock() + seconds

    @property
    def left(self) -> float:
        return self.deadline - self._time.clock()

    def again(self, wait: float | None = None) -> bool:
        """Wait `wait` seconds (without it 1, 2, 4, 8) before one more try; False at once where none may come."""
        seconds = 2.0 ** (self._tries - 1) if wait is None else wait
        if self._tries == _TRIES or seconds >= self.left:
            return False
        self._tries += 1
        self._time.sleep(seconds)
        return True


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
