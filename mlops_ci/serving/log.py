"""The prediction log: whatever was answered is in the kernel's hands before the answer goes out.

A write to a file costs a few microseconds and survives `kill -9`. Where the disk stalls, lines go through a bounded
queue and a thread until a write is quick again. Where it is full, or the queue is, they are dropped and counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from . import metrics
from .counts import Counts
from .segments import Segment, sweep

_STALLED = 0.05  # seconds for one write
_QUIET = 1.0  # seconds without a record, after which a disk that stalled is tried again
_LAST_CHANCE = 5.0  # seconds for the queue when the server stops


class Limits(NamedTuple):
    """When a segment is closed, how many requests wait for a disk that stalls, which share of requests is kept."""

    segment_bytes: int = 64 * 2**20
    segment_seconds: float = 300.0
    waiting: int = 10_000
    sample: float = 1.0


class PredictionLog:
    """Appends lines to segments in a folder. `failing` is whether the last write failed."""

    def __init__(self, folder: Path, limits: Limits = Limits(), counts: Counts | None = None) -> None:  # noqa: B008 - frozen
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        self._folder = folder
        self._limits = limits
        self._segment: Segment | None = None
        self._held = 0  # records in the segment
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._turn = threading.Condition()
        self._late = False  # while the disk stalls: the segment is the thread's
        self._thread: threading.Thread | None = None
        self._closing = False
        self.counts = counts or Counts()
        self.failing = False

    def wants(self) -> bool:
        """Whether the request at hand is in the sample."""
        return self._limits.sample >= 1 or random.random() < self._limits.sample  # noqa: S311 - no secret

    def write(self, lines: bytes, rows: int) -> None:
        """Append the lines of `rows` records. Never raises: what cannot be kept is counted."""
        if self._late and self._left_to_thread(lines, rows):
            return
        if self._stalled(lines, rows):
            self._late = True
            self._thread = threading.Thread(target=self._write_late, name="prediction log", daemon=True)
            self._thread.start()

    def tick(self) -> None:
        """Once a second: close a segment that is old."""
        if not self._late and self._segment is not None:
            old = time.time() - self._segment.began > self._limits.segment_seconds
            if old or self._segment.gone:
                self._close_segment()

    def close(self) -> None:
        """Write what waits, as far as the disk lets it, and close the segment."""
        if self._thread is not None:
            with self._turn:
                self._closing = True
                self._turn.notify()
            self._thread.join(_LAST_CHANCE)
            if self._late:
                return
        self._close_segment()

    def _left_to_thread(self, lines: bytes, rows: int) -> bool:
        """Whether they are left to the thread, which may just have caught up."""
        with self._turn:
            if self._late and len(self._waiting) < self._limits.waiting:
                self.counts.add(metrics.LATE, rows)
                self._waiting.append((lines, rows))
                self._turn.notify()
            elif self._late:
                self.counts.add(metrics.OVERFLOWED, rows)
            return self._late

    def _write_late(self) -> None:
        """The thread of a disk that stalled writes what waits, until nothing does and the last write was quick."""
        stalled = True
        while (record := self._next(wait=stalled)) is not None:
            lines, rows = record
            stalled = self._stalled(lines, rows)
            self.counts.add(metrics.SETTLED, rows)

    def _next(self, *, wait: bool) -> tuple[bytes, int] | None:
        """What has waited longest; None where nothing does, and writes are direct again."""
        with self._turn:
            if wait and not self._waiting and not self._closing:
                self._turn.wait(_QUIET)
            if self._waiting:
                return self._waiting.popleft()
            self._late = False
            return None

    def _stalled(self, lines: bytes, rows: int) -> bool:
        """Write them; whether the disk took its time."""
        began = time.perf_counter()
        self._append(lines, rows)
        return time.perf_counter() - began > _STALLED

    def _append(self, lines: bytes, rows: int) -> None:
        try:
            if self._segment is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._segment, self._held = Segment(self._folder), 0
            self._segment.append(lines)
            self._held += rows
            self.counts.add(metrics.LOGGED, rows)
            self.failing = False
        except OSError:
            self.counts.add(metrics.LOST, rows)
            self.failing = True
        if self._segment is not None and self._segment.size >= self._limits.segment_bytes:
            self._close_segment()

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        try:
            if segment is not None:
                segment.close()
        except OSError:
            self.counts.add(metrics.LOST, self._held)
            self.failing = True
