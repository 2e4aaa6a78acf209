"""Runs programs other than git: in a session of their own, with limits, and nothing left behind.

Output goes into a file, never a pipe, so a grandchild that keeps it open cannot hang the run.
Linux and macOS; the memory limit and the hunt for processes that left the group are Linux only.
"""

from __future__ import annotations

import os
import resource
import secrets as tokens
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from mlops_ci.errors import OutsideError

_TAIL = 64 * 1024
_LOG_LIMIT = 16 * 1024 * 1024
_LOG_KEPT = 1024 * 1024
_MARK = "MLOPS_CI_RUN"
_HEADROOM = 512 * 1024 * 1024

_KEPT = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "LD_LIBRARY_PATH",  # where actions/setup-python puts libpython
    "CUDA_VISIBLE_DEVICES",
)
_OF_THE_MACHINE = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "CI"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR"),
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may use. `memory_bytes` is per process: all writable private memory it maps."""

    seconds: float
    memory_bytes: int | None = None
    threads: int = 1


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended. `code` is None when a signal ended it; `log` is the tail of what it printed."""

    code: int | None
    signal: int | None
    timed_out: bool
    seconds: float
    cpu_seconds: float
    peak_memory: int
    """Bytes: the largest resident size of the program or of one of its children."""
    log: str

    @property
    def succeeded(self) -> bool:
        return self.code == 0 and not self.timed_out


def default_memory() -> int:
    """Bytes a program may use: what the machine has, or the container or `ulimit -d` allows, less some headroom."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    allowed, _ = resource.getrlimit(resource.RLIMIT_DATA)
    total = total if allowed == resource.RLIM_INFINITY else min(total, allowed)
    return max(total - max(_HEADROOM, total // 10), total // 2)


def user_environment(
    scratch: Path, *, python: Path | None, threads: int, secrets: tuple[str, ...] = ()
) -> dict[str, str]:
    """The environment variables for code that is not ours: an allow-list, a home of its own, nothing that varies.

    `secrets` names variables that are handed on as they are.
    """
    home, temporary = scratch / "home", scratch / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    values = {name: os.environ[name] for name in (*_KEPT, *secrets) if name in os.environ}
    values |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
    values |= {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUTF8": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning OpenMP threads starve each other where processors are shared
    }
    if python is not None:
        values |= _activated(python, values["PATH"])
    return values


def machine_environment(secrets: tuple[str, ...]) -> dict[str, str]:
    """The environment variables for commands that make the machine itself ready: an allow-list, with its own home.

    `secrets` names variables that are handed on as they are.
    """
    names = {*_KEPT, *_OF_THE_MACHINE, *secrets}
    return {name: value for name, value in os.environ.items() if name in names or name.lower() in _PROXIES}


def _activated(python: Path, path: str) -> dict[str, str]:
    """What activating the environment of `python` would set, so that `python train.py` is that Python."""
    values = {"PATH": f"{python.parent}{os.pathsep}{path}"}
    if (python.parent.parent / "pyvenv.cfg").is_file():
        values["VIRTUAL_ENV"] = str(python.parent.parent)
    return values


def run(command: list[str], *, cwd: Path, environment: dict[str, str], log: Path, limits: Limits) -> Finished:
    """Run `command` (no shell) until it ends or its time is up; then end whatever it started.

    Raises OutsideError when it cannot be started. KeyboardInterrupt ends the program too.
    """
    token = tokens.token_hex(16)
    started = time.monotonic()
    log.unlink(missing_ok=True)
    # Appending, so that the log can be shortened under a program that goes on printing.
    with log.open("a+b", buffering=0) as output:
        process = _start(command, cwd=cwd, environment={**environment, _MARK: token}, output=output)
        try:
            _limit(process.pid, limits)
            status, usage, seen = _wait(process, output, until=started + limits.seconds)
        except BaseException:
            _end_all(process.pid, token)
            process.wait()
            raise
        timed_out = status is None
        _end_all(process.pid, token)
        if status is None:
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = _peak_memory(usage, seen)
        return _finished(process.returncode, usage, peak, timed_out=timed_out, started=started, output=output)


def _finished(
    returncode: int, usage: resource.struct_rusage, peak: int, *, timed_out: bool, started: float, output: IO[bytes]
) -> Finished:
    return Finished(
        code=returncode if returncode >= 0 else None,
        signal=-returncode if returncode < 0 else None,
        timed_out=timed_out,
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
        peak_memory=peak,
        log=_tail(output, _TAIL).decode("utf-8", "replace"),
    )


def _start(command: list[str], *, cwd: Path, environment: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise OutsideError(f"{command[0]} cannot be started: {error.strerror or error}") from error


def _limit(pid: int, limits: Limits) -> None:
    # RLIMIT_DATA and not RLIMIT_AS: thread stacks, allocator arenas and GPU libraries reserve address
    # space many times over what they use (man 2 setrlimit). Set from outside: no Python runs after fork.
    if not hasattr(resource, "prlimit"):
        return
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if limits.memory_bytes is not None:
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            most = limits.memory_bytes if hard == resource.RLIM_INFINITY else min(limits.memory_bytes, hard)
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def _wait(
    process: subprocess.Popen[bytes], output: IO[bytes], *, until: float
) -> tuple[int | None, resource.struct_rusage, int]:
    """The wait status, or None when the time is up, with what was used and the largest resident size seen."""
    pause, seen = 0.002, 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return status, usage, seen
        left = until - time.monotonic()
        if left <= 0:
            return None, usage, seen
        seen = _resident(process.pid) or seen
        _shorten(output)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.05)


def _resident(pid: int) -> int:
    """Bytes: the largest resident size of a running program so far, 0 where it is not to be had."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_bytes().splitlines():
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _peak_memory(usage: resource.struct_rusage, seen: int) -> int:
    # What the kernel counts starts at the size of the process that forked, us: it only tells what is beyond that.
    unit = 1 if sys.platform == "darwin" else 1024
    counted, ours = usage.ru_maxrss * unit, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return counted if counted > ours or not seen else seen


def _end_all(group: int, token: str) -> None:
    """Kill the program's group, and those of its descendants that left the group but kept its environment."""
    for _ in range(5):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        strays = _strays(token)
        if not strays:
            return
        for pid in strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _strays(token: str) -> list[int]:
    found = []
    wanted = f"{_MARK}={token}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes() and _alive(folder):
                found.append(int(folder.name))
    return found


def _alive(folder: Path) -> bool:
    state = (folder / "stat").read_bytes().rpartition(b") ")[2][:1]
    return state not in (b"Z", b"X")


def _shorten(output: IO[bytes]) -> None:
    if os.fstat(output.fileno()).st_size > _LOG_LIMIT:
        kept = _tail(output, _LOG_KEPT)
        os.ftruncate(output.fileno(), 0)
        output.write(b"[the beginning was cut off]\n" + kept)


def _tail(output: IO[bytes], size: int) -> bytes:
    output.seek(max(0, os.fstat(output.fileno()).st_size - size))
    return output.read(size)
