"""A process that answers, as its parent sees it: forked, so that it runs the code that the server was started with,
whatever lies in the bundle's folder by then.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence

import msgspec

from . import metrics
from .counts import Memory
from .worker import RETIRE, Line, Seat, Wanted, Word

Work = Callable[[Seat, Wanted], int]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LARGEST_WORD = 2**16


class Process:
    """A worker in one of the places of a server.

    `word`: what it said; `up`: it takes requests; `ended`: its exit code, negative for a signal.
    """

    def __init__(self, work: Work, place: int, wanted: Wanted, memory: Memory) -> None:
        """Raises OSError where there can be no more processes."""
        self.place = place
        self.began = time.monotonic()
        self.word: Word | None = None
        self.up = False
        self.ended: int | None = None
        self._memory = memory
        self._line, end = socket.socketpair()
        self._line.setblocking(False)
        # A signal between the fork and the handlers of the worker would be one that nobody heard.
        waiting = signal.pthread_sigmask(signal.SIG_BLOCK, {*SIGNALS, RETIRE})
        parent = os.getpid()
        self._part = memory.take()
        try:
            self._pid = os.fork()
            if self._pid == 0:
                _live(lambda: work(Seat(place, memory.counts(self._part), Line(end, parent)), wanted), waiting)
        except OSError:
            self._line.close()
            memory.give(self._part)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            end.close()

    @property
    def ready(self) -> bool:
        """Whether it could answer, or does."""
        return self.ended is None and self.word is not None and not self.word.error

    @property
    def failed(self) -> str:
        """Why it never answered anything; empty while that is open, and where it did."""
        if self.word is not None and self.word.error:
            return self.word.error
        if self.ended is None or self.up:
            return ""
        how = f"with code {self.ended}" if self.ended >= 0 else f"by signal {-self.ended}"
        return f"a worker ended {how} before it was ready"

    @property
    def broken(self) -> bool:
        """Whether it ended because it could not begin, and not because somebody killed it."""
        return self.ended is not None and self.ended >= 0 and bool(self.failed)

    @property
    def answers(self) -> bool:
        """Whether new requests may come to it, as far as it says."""
        return self._memory.counts(self._part)[metrics.READY] > 0

    def fileno(self) -> int:
        """Of its line; -1 where nothing more comes from it."""
        return self._line.fileno()

    def hear(self) -> None:
        """Read its word, if there is one."""
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            self.word = msgspec.json.decode(self._line.recv(_LARGEST_WORD), type=Word)
        if not self.ready:
            self._line.close()

    def look(self) -> bool:
        """Whether it has ended; then nothing of it is counted as being there."""
        if self.ended is not None:
            return True
        found, status = os.waitpid(self._pid, os.WNOHANG)
        if not found:
            return False
        if self.word is None:
            self.hear()
        self._line.close()
        self.ended = os.waitstatus_to_exitcode(status)
        metrics.left(self._memory.counts(self._part))
        self._memory.give(self._part)
        return True

    def begin(self) -> None:
        """It is ready: let it take requests."""
        with contextlib.suppress(OSError):  # it has just ended
            self._line.send(b"!")
            self.up = True
        self._line.close()

    def signal(self, number: int) -> None:
        """Not after it has ended: until it is waited for, its number is its own."""
        if self.ended is None:
            os.kill(self._pid, number)


def _live(work: Callable[[], int], waiting: set[int | signal.Signals]) -> None:
    """In the new process; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal sends it to all
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
        code = work()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
        traceback.print_exc()
    finally:
        os._exit(code)


def heard(processes: Sequence[Process], seconds: float) -> None:
    """Wait at most so long for the words of those that have said none, and read them."""
    silent = [each for each in processes if each.word is None and each.fileno() >= 0]
    for process in select.select(silent, [], [], seconds)[0]:
        process.hear()
