"""Reads a request, runs its job, writes the answer."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import export, fit, libraries, metrics, model_tests, predict, prepare, timing
from .failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "prepare": prepare.run,
    "fit": fit.run,
    "predict": predict.run,
    "test": model_tests.run,
    "time": timing.run,
    "metric": metrics.run,
    "export": export.run,
    "libraries": libraries.run,
}
ANSWER = "answer.json"
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG)


def run(request_path: str) -> None:
    """Run the job named in the request file and leave without waiting for the project's threads and exit hooks."""
    path = Path(request_path)
    request = json.loads(path.read_text(encoding="utf-8"))
    answer = attempt(request)
    write(path.parent / ANSWER, answer)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(0)


def attempt(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the job: `{"ok": true, "value": …}` or `{"ok": false, "failure": …}`."""
    try:
        return {"ok": True, "value": JOBS[request["job"]](request)}
    except Failure as failure:
        return {"ok": False, "failure": failure.fields()}
    except OSError as error:
        kind = "outside" if error.errno in _DISK else "bug"
        return {"ok": False, "failure": _unexpected(kind, error)}
    except MemoryError as error:
        return {"ok": False, "failure": Failure("memory", f"there was not enough memory: {error}").fields()}
    except Exception as error:  # noqa: BLE001 - the other side turns it into a message
        return {"ok": False, "failure": _unexpected("bug", error)}


def write(path: Path, answer: dict[str, Any]) -> None:
    """Write `answer` whole or not at all, even where the project's code deleted the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(answer), encoding="utf-8")
    beside.replace(path)


def _unexpected(kind: str, error: BaseException) -> dict[str, str]:
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Failure(kind, f"{type(error).__name__}: {error}", details=details).fields()
