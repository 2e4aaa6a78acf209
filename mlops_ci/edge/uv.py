"""Runs uv, which makes environments from locks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from mlops_ci.edge.files import temporary
from mlops_ci.edge.processes import Finished, Limits
from mlops_ci.edge.processes import run as run_program
from mlops_ci.errors import OutsideError

_MINUTES = 60


def install(lock: Path, place: Path, *, making: str) -> Path:
    """Make an environment at `place` from a lock with hashes, of the Python this runs on; its Python."""
    python = place / "bin" / "python"
    options = ("--quiet", "--require-hashes", "--python", str(python))
    with temporary() as folder:
        log = folder / "log.txt"
        call(["venv", "--quiet", "--no-project", "--python", sys.executable, str(place)], folder, log, making=making)
        call(["pip", "sync", *options, str(lock)], folder, log, making=making)
    return python


def call(
    arguments: list[str], root: Path, log: Path, *, making: str = "the project's environment", **extra: str
) -> None:
    """Run uv in `root`; `extra`: variables. OutsideError with its last lines where it fails."""
    environment = {name: value for name, value in os.environ.items() if _for_uv(name)} | extra
    limits = Limits(seconds=_MINUTES * 60.0)
    finished = run_program([_uv_program(), *arguments], cwd=root, environment=environment, log=log, limits=limits)
    if not finished.succeeded:
        raise _refused(finished, making)


def _for_uv(name: str) -> bool:
    """What uv may see: packages that have to be built run code of strangers, so no tokens but the indexes' own."""
    kept = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NETRC", "CC", "CXX", "CFLAGS", "LDFLAGS", "LD_LIBRARY_PATH"}
    prefixes = ("UV_", "XDG_", "SSL_CERT_")
    return (
        name in kept
        or name.startswith(prefixes)
        or name.lower() in ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    )


def _uv_program() -> str:
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found is None:
            raise OutsideError("uv is not there", "install it: pip install uv") from None
        return found


_ADVICE = (
    ("hash mismatch", "the index gives another file than the one that was locked: find out why before you lock again"),
    ("no interpreter found", "install that Python, or change .python-version"),
    ("invalid version request", "write a version of Python that is still supported"),
    ("python interpreter", "install that Python, or change .python-version"),
    ("failed to fetch", "the package index cannot be reached: is the network there?"),
    ("dns error", "the package index cannot be reached: is the network there?"),
    ("no solution found", "the lock does not fit this Python or platform, or the index lacks a version: lock again"),
    ("not found in the package registry", "the index lacks what was locked: lock again"),
    ("no space left", "make room on the disk"),
)


def _refused(finished: Finished, making: str) -> OutsideError:
    last = "\n".join(line for line in finished.log.strip().splitlines()[-12:])
    said = last.lower()
    advice = next((advice for sign, advice in _ADVICE if sign in said), "try the same with uv by hand")
    if finished.timed_out:
        return OutsideError(f"uv was not done within {_MINUTES} minutes:\n{last}", advice)
    return OutsideError(f"uv cannot make {making}:\n{last}", advice)
