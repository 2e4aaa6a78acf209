"""Several processes on one port: the kernel deals connections out, the parent starts again what was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from . import counts
from .metrics import READY, RESTARTS

_LONGEST_GOODBYE = 60.0
_TOO_SHORT = 10.0  # a worker that fails within so many seconds would fail again
_SOONEST = 1.0  # seconds between two starts of one that is killed


class _Worker:
    def __init__(self, command: Sequence[str], place: int, shared: int) -> None:
        self.began = time.monotonic()
        own = ["--worker", str(os.getpid()), str(shared), str(place)]
        self.process = subprocess.Popen([*command, *own], pass_fds=[shared])

    @property
    def since(self) -> float:
        return time.monotonic() - self.began

    @property
    def well(self) -> bool:
        return self.process.poll() is None and self.since >= _TOO_SHORT


def supervise(arguments: Sequence[str], count: int, bound: socket.socket, shared: int) -> int:
    """Run `count` servers with these arguments on the port of `bound` until a signal says otherwise; the exit code.

    `bound` is never listened on: it keeps the port while no worker has it. `shared` is the file of the counts, with
    a part more than there are servers. One that cannot start ends all, but not those that are well: then it is tried
    again from time to time.
    """
    own = counts.of(shared, count)
    command = [sys.executable, "-m", str(__package__), *arguments]
    command += ["--workers", "1", "--port", str(bound.getsockname()[1])]
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    workers = [_Worker(command, place, shared) for place in range(count)]
    code = 0
    while not stopping and not code:
        time.sleep(0.1)
        for place, worker in enumerate(workers):
            ended = worker.process.poll()
            if ended is None:
                continue
            counts.of(shared, place)[READY] = 0.0
            if ended > 0 and worker.since < _TOO_SHORT and not any(each.well for each in workers):
                code = ended
            elif worker.since >= (_TOO_SHORT if ended > 0 else _SOONEST):
                own.add(RESTARTS)
                workers[place] = _Worker(command, place, shared)
    _stop([worker.process for worker in workers])
    return code


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    until = time.monotonic() + _LONGEST_GOODBYE
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
