"""The parent of the processes that answer: puts others in their place on a reload, and ends them when it is asked to.

The parent holds a socket for each of them, so that no connection is refused while they come and go.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from . import server
from .counts import Memory
from .crew import Crew
from .errors import BundleError
from .metrics import NOT_RELOADED, RELOADED, RESTARTS
from .process import SIGNALS, Work, heard
from .worker import Wanted, Word

_TICK = 0.1
_LONGEST_GOODBYE = 60.0
_LONGEST_LOAD = 300.0  # seconds for a bundle that is to take the place of another


def parts(count: int) -> int:
    """How many parts the memory has that so many workers count in: twice as many during a reload, and their parent."""
    return 2 * count + 1


class Workers:
    """`count` processes that do `work`, over and over. `say` is called with lines for people."""

    def __init__(self, work: Work, count: int, memory: Memory, say: Callable[[str], None]) -> None:
        self._work = work
        self._count = count
        self._memory = memory
        self._say = say
        self._own = memory.counts(memory.take())
        self._own[RELOADED] = self._own[NOT_RELOADED] = 0.0
        self._now: Crew | None = None
        self._next: Crew | None = None
        self._leaving: Crew | None = None
        self._terminal = os.isatty(2)
        self._ends: list[int] = []
        self._asked = False
        self._news = ""  # of a reload, said when no request comes to the old ones any more

    def run(self, path: Path, first: Wanted, bound: Sequence[socket.socket]) -> int:
        """Serve the bundle at `path`, and what is there at each SIGHUP, until a signal ends it; the exit code.

        1: no worker can be started any more. Raises BundleError where none could from the first.
        """
        gc.freeze()  # no worker's collector writes to the pages that all share
        for number in SIGNALS:
            signal.signal(number, self._hear)
        self._next = self._crew(first._replace(folder=_real(path)))
        try:
            while not self._ends:
                heard([each for crew in (self._now, self._next) if crew for each in crew.processes], _TICK)
                if self._now is not None:
                    self._own.add(RESTARTS, self._now.tend(self._say))
                    if self._now.lost and self._next is None:
                        return 1
                if self._leaving is not None:
                    self._see_off(self._leaving)
                if self._next is not None:
                    self._settle(self._next, bound)
                elif self._asked and self._now is not None and self._leaving is None:
                    self._asked = False
                    self._next = self._crew(self._now.wanted._replace(folder=_real(path), digest=first.digest))
            return 0
        finally:
            for each in bound:
                each.close()  # from here on connections are refused as soon as the last worker takes none
            self._stop()

    def sums(self) -> dict[str, float]:
        """What all of them counted, name -> sum."""
        return self._own.sums()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        """SIGHUP asks for a reload. Where it says that the terminal is gone, it is an end like any other."""
        if number == signal.SIGHUP and os.isatty(2) == self._terminal:
            self._asked = True
        else:
            self._ends.append(number)

    def _crew(self, wanted: Wanted) -> Crew:
        return Crew(self._work, self._count, wanted, self._memory)

    def _settle(self, crew: Crew, bound: Sequence[socket.socket]) -> None:
        """Let the next take the place of those that answer: all at once, or not at all."""
        crew.look()
        late = self._now is not None and time.monotonic() - crew.since > _LONGEST_LOAD
        failed = crew.failed or (f"{crew.wanted.folder}: not ready within {_LONGEST_LOAD:.0f} seconds" if late else "")
        if failed:
            self._give_up(crew, failed)
        elif word := crew.ready:
            self._switch(crew, word, bound)

    def _switch(self, crew: Crew, word: Word, bound: Sequence[socket.socket]) -> None:
        name = f"{word.name} ({word.digest})"
        if self._now is None:
            where = server.listen(bound)
            crew.begin(word)
            self._say(f"{name} on {where}")
        else:
            crew.begin(word)
            self._now.retire()
            self._news = f"reloaded: {name}"
        self._now, self._next, self._leaving = crew, None, self._now

    def _give_up(self, crew: Crew, why: str) -> None:
        if self._now is None:
            raise BundleError(why)
        crew.retire()
        self._next, self._leaving = None, crew
        self._own.add(NOT_RELOADED)
        self._say(f"not reloaded: {' '.join(why.split())}")

    def _see_off(self, crew: Crew) -> None:
        gone = crew.gone()
        if self._news and not crew.answers:
            self._own.add(RELOADED)
            self._say(self._news)
            self._news = ""
        if gone:
            self._leaving = None
        elif time.monotonic() - crew.since > _LONGEST_GOODBYE:
            crew.signal(signal.SIGKILL)

    def _stop(self) -> None:
        """End all; a second signal is handed on, as it does not wait."""
        crews = [crew for crew in (self._now, self._next, self._leaving) if crew is not None]
        until = time.monotonic() + _LONGEST_GOODBYE
        told = -1
        while crews := [crew for crew in crews if not crew.gone()]:
            if told < len(self._ends):
                told = len(self._ends)
                for crew in crews:
                    crew.signal(signal.SIGTERM)
            if time.monotonic() > until:
                for crew in crews:
                    crew.signal(signal.SIGKILL)
            time.sleep(_TICK)


def _real(path: Path) -> Path:
    """Without links: a link that is moved meanwhile shall not give each worker another bundle."""
    return Path(os.path.realpath(path))
