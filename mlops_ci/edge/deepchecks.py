"""Runs deepchecks: an environment of its own, made once for the machine, and the worker in it; JSON out.

deepchecks is never imported here: it is AGPL, and its pins would decide about everybody else's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mlops_ci import deepchecks_worker
from mlops_ci.edge import answers, environment
from mlops_ci.edge.processes import Finished, Limits, user_environment
from mlops_ci.edge.processes import run as run_program
from mlops_ci.errors import OutsideError, UserCodeError

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = Path(deepchecks_worker.__file__).resolve().parent
_READS = ("requirements.lock", ".python-version", "main.py", "suites.py")
_SIZE = "about 800 MB"
_LARGEST_ANSWER = 1024 * 1024
_CLOSED = "http://127.0.0.1:9"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What one condition of a check says. `side`: train, holdout, or empty where a check looks at both or at one."""

    check: str
    side: Literal["train", "holdout", ""]
    category: Literal["PASS", "WARN", "FAIL", "ERROR", "NOT_RUN"]
    text: str
    allowed: str


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    conditions: tuple[Condition, ...] = ()
    failure: str = ""
    details: str = ""


def digest() -> str:
    """What the answer depends on besides the data: the lock, the Python and the worker's code, 64 hex digits."""
    total = hashlib.sha256()
    for name in _READS:
        content = (_FOLDER / name).read_bytes()
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def install(say: Callable[[str], None]) -> Path:
    """The Python of deepchecks' environment, made when it is not there; `say` is told when that is done.

    It lies in the user's cache folder and serves every project. Raises OutsideError when it cannot be made.
    """
    into = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci" / "deepchecks"
    try:
        made = environment.resolve(_FOLDER, into, say=lambda _: say(f"installing deepchecks, {_SIZE}, once"))
    except OSError as error:
        raise OutsideError(f"{into} cannot be written: {error.strerror or error}", "Set XDG_CACHE_HOME.") from error
    return made.python


def run(request: dict[str, Any], *, python: Path, scratch: Path, stop: Path, limits: Limits) -> tuple[Condition, ...]:
    """What the conditions of one part say; docs/deepchecks.md says what a request holds.

    Without network; ended early when the file `stop` appears. Raises UserCodeError when there is no usable answer.
    """
    answer, asked = scratch / "answer.json", scratch / "request.json"
    asked.write_bytes(msgspec.json.encode({**request, "answer": str(answer), "stop": str(stop)}))
    variables = user_environment(scratch, python=python, threads=limits.threads)
    variables |= dict.fromkeys(_PROXIES, _CLOSED)
    variables |= {"DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "1", "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore"}
    finished = run_program(
        [str(python), "-s", str(_FOLDER / "main.py"), str(asked)],
        cwd=scratch,
        environment=variables,
        log=scratch / "log.txt",
        limits=limits,
    )
    return _read(answer, finished, limits)


def _read(path: Path, finished: Finished, limits: Limits) -> tuple[Condition, ...]:
    content = answers.regular_file(path, largest=_LARGEST_ANSWER)
    if finished.timed_out:
        raise UserCodeError(
            f"deepchecks was not done within {limits.seconds:g} s and was stopped", details=finished.log
        )
    if content is None or not finished.succeeded:
        how = f"signal {finished.signal}" if finished.signal is not None else f"code {finished.code}"
        raise UserCodeError(f"deepchecks ended with {how} before it answered", details=finished.log)
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except msgspec.DecodeError as error:
        raise UserCodeError(f"the answer of deepchecks cannot be read: {error}", details=finished.log) from error
    if answer.failure or not answer.conditions:
        raise UserCodeError(answer.failure or "deepchecks answered nothing", details=answer.details)
    return answer.conditions
