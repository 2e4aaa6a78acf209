"""One server that runs: started, asked, weighed, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_START = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """The processes of one server; `seconds`: from its start to the first answer to a request for a prediction."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, path: str, seconds: float) -> None:
        self.process, self.port, self.path, self.seconds = process, port, path, seconds

    def megabytes(self) -> float:
        """Proportional set size of all its processes."""
        return sum(_kilobytes(pid) for pid in _family(self.process.pid)) / 1e3

    def processor(self) -> float:
        """Seconds of processor time of all its processes so far."""
        return sum(_ticks(pid) for pid in _family(self.process.pid)) / _TICKS

    def ask(self, connection: http.client.HTTPConnection, body: bytes) -> bytes:
        connection.request("POST", self.path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")
        return content


@contextmanager
def running(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], path: str, port: int, body: bytes
) -> Iterator[Server]:
    """Start it in `folder` and wait for its first answer; its output goes to a file there."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**inherited, **threads, **variables}
    with (folder / "server.log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            server = Server(process, port, path, 0.0)
            _wait(server, body, began, folder)
            server.seconds = time.perf_counter() - began
            yield server
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def _wait(server: Server, body: bytes, began: float, folder: Path) -> None:
    while True:
        connection = connect(server.port)
        try:
            server.ask(connection, body)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            if server.process.poll() is not None or time.perf_counter() - began > _START:
                said = (folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{' '.join(server.process.args)} gave no answer ({error}):\n{said}") from error  # type: ignore[arg-type]
            time.sleep(0.01)
        else:
            return
        finally:
            connection.close()


def _family(parent: int) -> list[int]:
    children = [
        int(name) for task in Path(f"/proc/{parent}/task").glob("*/children") for name in task.read_text().split()
    ]
    return [parent, *(pid for child in children for pid in _family(child))]


def _kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
