"""How often and how long one call to the outside is tried."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

_TRIES = 5


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
