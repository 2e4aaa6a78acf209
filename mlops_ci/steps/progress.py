"""What a flow tells the person who waits for it; cli draws it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol


class Progress(Protocol):
    """Where a flow's lines go. `started` may be shown and replaced; `finished` stays."""

    def started(self, step: str, doing: str) -> None: ...

    def finished(self, step: str, found: str, seconds: float) -> None: ...

    def note(self, text: str) -> None: ...


class Silent:
    """Says nothing: for steps that were told before."""

    def started(self, step: str, doing: str) -> None: ...

    def finished(self, step: str, found: str, seconds: float) -> None: ...

    def note(self, text: str) -> None: ...


class Line:
    """What one step found, filled in while it runs."""

    def __init__(self) -> None:
        self.found = ""


class Clock:
    """Times the steps of one run and passes their lines on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.began = datetime.now(UTC)
        self.timings: dict[str, float] = {}
        self.restored: list[str] = []

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[Line]:
        """Run one step; an exception leaves no line: the error is the line."""
        self._progress.started(name, doing)
        line, start = Line(), time.perf_counter()
        yield line
        seconds = time.perf_counter() - start
        self.timings[name] = round(self.timings.get(name, 0.0) + seconds, 3)
        self._progress.finished(name, line.found, seconds)

    def note(self, text: str) -> None:
        self._progress.note(text)

    def say(self, step: str, doing: str) -> None:
        """A step that takes long says what it is doing now."""
        self._progress.started(step, doing)
