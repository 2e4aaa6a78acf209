"""Several processes on one port: the kernel deals connections out, the parent starts again what was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

_LONGEST_GOODBYE = 60.0
_TOO_SHORT = 10.0  # a worker that fails within so many seconds would fail again


class _Worker:
    def __init__(self, command: Sequence[str]) -> None:
        self.began = time.monotonic()
        self.process = subprocess.Popen(command)


def supervise(arguments: Sequence[str], count: int, bound: socket.socket) -> int:
    """Run `count` servers with these arguments on the port of `bound` until a signal says otherwise; the exit code.

    `bound` is never listened on: it keeps the port while no worker has it.
    """
    command = [sys.executable, "-m", str(__package__), *arguments]
    command += ["--workers", "1", "--port", str(bound.getsockname()[1]), "--parent", str(os.getpid())]
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    workers = [_Worker(command) for _ in range(count)]
    code = 0
    while not stopping and not code:
        time.sleep(0.1)
        for place, worker in enumerate(workers):
            ended, lived = worker.process.poll(), time.monotonic() - worker.began
            if ended is None or (ended < 0 and lived < 1):  # killed at once: not more than one start a second
                continue
            if ended > 0 and lived < _TOO_SHORT:
                code = ended
            else:
                workers[place] = _Worker(command)
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
