"""How far it is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

_WIDTH = 30
_EVERY = 0.2  # seconds, on a terminal
_SELDOM = 30.0  # in a log


class Progress:
    """Told of rows, says how many there were, how fast, and which share of all bytes that is."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = list(sizes)
        self._total = max(1, sum(sizes))
        self._before = 0.0
        self._share = 0.0
        self._rows = 0
        self._bar = sys.stderr.isatty()
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        self._began = self._last = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._bar and self._rows:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def told(self, rows: int, share: float) -> None:
        """So many rows more; `share` of the file at hand is done, less than before where it is the next file."""
        if share < self._share and self._sizes:
            self._before += self._sizes.pop(0)
        self._share = share
        self._rows += rows
        now = time.monotonic()
        if now - self._last >= (_EVERY if self._bar else _SELDOM):
            self._last = now
            self._show(now - self._began)

    def _show(self, seconds: float) -> None:
        size = self._sizes[0] if self._sizes else 0
        done = min(1.0, (self._before + self._share * size) / self._total)
        words = f"{done:4.0%}  {self._rows:,} rows, {self._rows / max(seconds, 1e-3):,.0f} a second"
        full = round(done * _WIDTH)
        sys.stderr.write(f"\r\033[K{'█' * full}{'░' * (_WIDTH - full)} {words}" if self._bar else f"{words}\n")
        sys.stderr.flush()
