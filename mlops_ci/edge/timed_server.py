"""A bundle's own server on 127.0.0.1, asked again and again: processor time and time by the clock of its answers."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge.files import temporary
from mlops_ci.edge.processes import user_environment
from mlops_ci.edge.runtime import PACKAGE
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HOST = "127.0.0.1"
_STARTS = 120.0
_ENDS = 20.0
_WARM = 50
"""Requests before the first that counts."""
_PROC = Path("/proc")


class Limits(NamedTuple):
    """Of the requests that count: how many at most, and for how long."""

    requests: int = 1_000
    seconds: float = 10.0


class Times(NamedTuple):
    """cpu: seconds of processor time of the server, all its processes, for all requests. wall: seconds of each."""

    cpu: float
    wall: tuple[float, ...]


def can_count() -> bool:
    """Whether this machine tells how much processor time a process took."""
    return (_PROC / "self/stat").is_file()


def ask(bundle: Path, python: Path, bodies: Sequence[bytes], limits: Limits) -> Times:
    """Ask one body after the other on one connection. OutsideError where the server does not start, or refuses one."""
    with _running(bundle, python) as (process, port):
        connection = http.client.HTTPConnection(_HOST, port, timeout=30)
        try:
            for turn in range(_WARM):
                _one(connection, bodies[turn % len(bodies)])
            before, end, wall = _cpu(process.pid), time.monotonic() + limits.seconds, list[float]()
            while len(wall) < limits.requests and time.monotonic() < end:
                began = time.perf_counter()
                _one(connection, bodies[len(wall) % len(bodies)])
                wall.append(time.perf_counter() - began)
            return Times(cpu=_cpu(process.pid) - before, wall=tuple(wall))
        except (OSError, http.client.HTTPException) as error:
            raise OutsideError(f"the bundle's server does not answer: {type(error).__name__}") from error
        finally:
            connection.close()


@contextmanager
def _running(bundle: Path, python: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with temporary() as scratch, socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
        free.close()
        variables = user_environment(scratch, python=python, threads=1)
        variables |= {"PYTHONPATH": str(bundle / "serve"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(python), "-s", "-m", PACKAGE, str(bundle), "--host", _HOST, "--port", str(port), "--drain", "0"]
        with (scratch / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=scratch,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _ready(process, port)
            yield process, port
        finally:
            process.terminate()
            try:
                process.wait(_ENDS)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.wait()


def _ready(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _STARTS
    while process.poll() is None and time.monotonic() < end:
        connection = http.client.HTTPConnection(_HOST, port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/ready")
            if connection.getresponse().status == http.client.OK:
                connection.close()
                return
        connection.close()
        time.sleep(0.05)
    raise OutsideError("the bundle's server does not start")


def _one(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise OutsideError(f"the bundle's server answers a golden request with {answer.status}")


def _cpu(session: int) -> float:
    """Seconds of user and system time of all processes of a session (man 5 proc_pid_stat: fields 6, 14, 15)."""
    ticks = 0
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
