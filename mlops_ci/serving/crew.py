"""Processes that serve one bundle together: they begin together, and one that is killed is started again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from .counts import Memory
from .process import Process, Work
from .worker import RETIRE, Wanted, Word

_SOONEST = 1.0  # seconds between two starts of one that is killed
_LATER = 10.0  # and of one that cannot start while others are well


class Crew:
    """`count` processes that do `work`; `since` is when they were started, or told to go."""

    def __init__(self, work: Work, count: int, wanted: Wanted, memory: Memory) -> None:
        self.wanted = wanted
        self.since = time.monotonic()
        self.processes: list[Process] = []
        self.lost = False  # none answers, and at least one never could
        self._work = work
        self._memory = memory
        self._due: list[tuple[float, int]] = []  # when and in which place those are started that are missing
        self._unborn = ""  # why there are fewer
        for place in range(count):
            self._unborn = self._unborn or self._start(place)

    def look(self) -> None:
        """See which have ended."""
        for each in self.processes:
            each.look()

    @property
    def failed(self) -> str:
        """Why they cannot begin; empty while that is open."""
        failed = self._unborn or next((each.failed for each in self.processes if each.failed), "")
        if not failed and len({each.word for each in self.processes if each.word is not None}) > 1:
            return f"{self.wanted.folder}: it was changed while it was read"
        return failed

    @property
    def ready(self) -> Word | None:
        """What all of them say, when all can begin."""
        words = {each.word if each.ready else None for each in self.processes}
        return words.pop() if len(words) == 1 else None

    def begin(self, word: Word) -> None:
        """Take requests. Those that are started later serve this bundle too, and no other."""
        self.wanted = self.wanted.settled(word)
        for each in self.processes:
            each.begin()

    def tend(self, say: Callable[[str], None]) -> int:
        """Start again what has ended; how many were. Where one cannot be started, `say` why."""
        self.lost = False
        for each in self._ended():
            if each.broken:
                say(each.failed)
                self.lost = not any(other.up for other in self.processes)
            self._due.append((each.began + (_LATER if each.broken else _SOONEST), each.place))
        for each in self.processes:
            if each.ready and not each.up:
                each.begin()
        now = time.monotonic()
        due = [place for moment, place in self._due if moment <= now]
        self._due = [(moment, place) for moment, place in self._due if moment > now]
        for place in due:
            if unborn := self._start(place):
                say(unborn)
                self._due.append((now + _LATER, place))
        return len(due)

    @property
    def answers(self) -> bool:
        """Whether new requests may come to any of them."""
        return any(each.answers for each in self.processes)

    def gone(self) -> bool:
        """Whether all have ended."""
        self._ended()
        return not self.processes

    def signal(self, number: int) -> None:
        for each in self.processes:
            each.signal(number)

    def retire(self) -> None:
        """Others answer in their place from here on."""
        self.since = time.monotonic()
        for each in self.processes:
            each.signal(RETIRE if each.up else signal.SIGKILL)

    def _ended(self) -> list[Process]:
        """Those that have ended since it was last asked; they are no part of it any more."""
        ended = [each for each in self.processes if each.look()]
        self.processes = [each for each in self.processes if each not in ended]
        return ended

    def _start(self, place: int) -> str:
        """Why there is no more process; empty where there is."""
        try:
            self.processes.append(Process(self._work, place, self.wanted, self._memory))
        except OSError as error:
            return f"a worker cannot be started: {error.strerror or error}"
        return ""
