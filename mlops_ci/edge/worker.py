"""The tool's side of the worker: runs the project's code in the project's environment, files in and files out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import worker
from mlops_ci.edge import answers
from mlops_ci.edge.processes import Finished, Limits, user_environment
from mlops_ci.edge.processes import run as run_program
from mlops_ci.errors import ConfigError, MlopsCiError, OutsideError, UserCodeError

_MAIN = Path(worker.__file__).resolve().parent / "main.py"
_DOING = {
    "prepare": "preparing the data",
    "fit": "training",
    "predict": "predicting",
    "test": "the model tests",
    "time": "timing the model",
    "metric": "a metric",
    "export": "exporting the model",
    "libraries": "looking at what the model imports",
    "command": "the training command",
}
_LEAST_SPACE = 1024 * 1024
_ROOM = "Free some space there, or set TMPDIR to a folder on another disk."
_SHELL = re.compile(r"&&|\|\||[|;<>&]|`|\$\(")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a job answered and what it used."""

    value: answers.Value
    seconds: float
    cpu_seconds: float
    peak_memory: int
    """Bytes."""
    log: str
    """The tail of what the project's code printed."""


def run(
    job: str,
    request: dict[str, Any],
    *,
    python: Path,
    workspace: Path,
    scratch: Path,
    limits: Limits,
    secrets: tuple[str, ...] = (),
) -> Answer:
    """Run `job`: one of answers.JOBS; docs/worker.md says what each asks and answers.

    Paths in `request` are absolute. Raises UserCodeError when the project's code gives no usable answer,
    OutsideError when Python cannot be started or the disk is full.
    """
    finished = launch(job, request, python=python, workspace=workspace, scratch=scratch, limits=limits, secrets=secrets)
    envelope = answers.envelope(scratch / "answer.json")
    if envelope is None and shutil.disk_usage(scratch).free < _LEAST_SPACE:
        raise OutsideError(f"{_DOING[job]} ended without an answer: the disk of {scratch.parent.parent} is full", _ROOM)
    if envelope is None or not finished.succeeded:
        raise unanswered(job, finished, limits)
    if envelope.failure is not None or not envelope.ok:
        raise failure(envelope.failure, finished, limits)
    return Answer(
        value=answers.decode(envelope.value, answers.JOBS[job]),
        seconds=finished.seconds,
        cpu_seconds=finished.cpu_seconds,
        peak_memory=finished.peak_memory,
        log=finished.log,
    )


def launch(
    job: str,
    request: dict[str, Any],
    *,
    python: Path,
    workspace: Path,
    scratch: Path,
    limits: Limits,
    secrets: tuple[str, ...] = (),
) -> Finished:
    """Write the request and run the worker on it; the answer, if there is one, is `answer.json` in `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "answer.json").unlink(missing_ok=True)
    request_file = scratch / "request.json"
    request_file.write_bytes(msgspec.json.encode({**request, "job": job}))
    finished = run_program(
        [str(python), "-s", str(_MAIN), str(request_file)],
        cwd=workspace,
        environment=user_environment(scratch, python=python, threads=limits.threads, secrets=secrets),
        log=scratch / "log.txt",
        limits=limits,
    )
    return msgspec.structs.replace(finished, log=_own(finished.log, workspace))


def _own(log: str, workspace: Path) -> str:
    """What the project's code printed, without our frames in a dump of faulthandler and without places of this run."""
    for folder in (workspace.resolve(), workspace):
        log = log.replace(f"{folder}{os.sep}", "")
    lines = re.sub(r"^((?:Current t|T)hread) 0x[0-9a-f]+", r"\1", log, flags=re.MULTILINE).splitlines()
    ours = (f'  File "{_MAIN.parent}{os.sep}', "Extension modules: ")
    return "\n".join(line for line in lines if not line.startswith(ours))


def command(
    text: str,
    *,
    python: Path,
    workspace: Path,
    scratch: Path,
    limits: Limits,
    secrets: tuple[str, ...] = (),
) -> Finished:
    """Run the project's own training command in `workspace`, split into words and without a shell.

    `python` comes first on its PATH. Raises ConfigError for a text that needs a shell or names no program,
    UserCodeError when it fails.
    """
    words = _words(text)
    scratch.mkdir(parents=True, exist_ok=True)
    environment = user_environment(scratch, python=python, threads=limits.threads, secrets=secrets)
    finished = run_program(
        ["/usr/bin/env", *words], cwd=workspace, environment=environment, log=scratch / "log.txt", limits=limits
    )
    finished = msgspec.structs.replace(finished, log=_own(finished.log, workspace))
    if finished.code == 127:
        raise ConfigError(
            f"there is no program {words[0]!r}", "the project's environment comes first on PATH", where="train.command"
        )
    if not finished.succeeded:
        raise unanswered("command", finished, limits)
    return finished


def _words(text: str) -> list[str]:
    advice = "it runs without a shell: put it into a script, and name that: bash train.sh"
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} cannot be split into words: {error}", advice, where="train.command") from error
    shell = [word for word in words if _SHELL.fullmatch(word) or word.startswith(("`", "$("))]
    if shell or not words or "=" in words[0]:
        found = shell[0] if shell else text
        raise ConfigError(f"{found!r} needs a shell", advice, where="train.command")
    return words


def unanswered(job: str, finished: Finished, limits: Limits) -> UserCodeError:
    """The error for a process that ended without an answer."""
    doing, details = _DOING[job], finished.log
    if finished.timed_out:
        advice = "raise runner.timeout in mlops.yaml, or let it do less"
        return UserCodeError(
            f"{doing} was not done within {limits.seconds:g} s and was stopped", advice, details=details
        )
    if finished.signal is not None:
        name = signal.Signals(finished.signal).name if finished.signal in set(signal.Signals) else str(finished.signal)
        return UserCodeError(f"{doing} was killed by {name}", _hint(finished, limits), details=details)
    if job == "command":
        return UserCodeError(f"{doing} exited with {finished.code}", where="train.command", details=details)
    return UserCodeError(
        f"{doing} ended the interpreter with code {finished.code} before it answered",
        "the code must return, and leave os._exit and the files beside it alone",
        details=details,
    )


def _hint(finished: Finished, limits: Limits) -> str:
    if finished.signal == signal.SIGKILL:
        return "most likely the machine ran out of memory: use less, or a larger runner"
    allowed = limits.memory_bytes
    if allowed is not None and finished.peak_memory > allowed * 0.7:
        return f"it was close to the {_megabytes(allowed)} it may use: use less memory, or a larger runner"
    return "a native library crashed; the traceback shows where"


def failure(failed: answers.Failed | None, finished: Finished, limits: Limits) -> MlopsCiError:
    if failed is None:
        return UserCodeError(
            "the answer of the project's environment says neither yes nor why not", details=finished.log
        )
    if failed.kind == "bug":
        return MlopsCiError(f"the worker failed: {failed.message}", failed.details)
    if failed.kind == "outside":
        return OutsideError(failed.message, "is the disk full, or not writable?")
    advice = failed.advice
    if failed.kind == "memory" and limits.memory_bytes is not None:
        advice = f"out of memory: it may use {_megabytes(limits.memory_bytes)}; use less, or a larger runner"
    return UserCodeError(failed.message, advice, where=failed.where, details=failed.details or finished.log)


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"
