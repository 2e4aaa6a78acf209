"""Tracebacks on the server's output: one a second, so that what fails at every request neither fills nor stops it."""

from __future__ import annotations

import sys
import time
import traceback


class Complaints:
    """Prints the exception at hand, and how many were passed over since the last one."""

    def __init__(self) -> None:
        self._next = 0.0
        self._passed_over = 0

    def tell(self) -> None:
        """Call it where an exception is handled."""
        now = time.monotonic()
        if now < self._next:
            self._passed_over += 1
            return
        more = f"(and {self._passed_over} failures before this one)\n" if self._passed_over else ""
        sys.stderr.write(f"{traceback.format_exc()}{more}")
        self._next, self._passed_over = now + 1.0, 0
