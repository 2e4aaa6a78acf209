"""Runs the runtime's batch half: a bundle's own environment with pyarrow beside it, files in and files out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import beside, runtime
from mlops_ci.edge.files import temporary
from mlops_ci.edge.processes import user_environment
from mlops_ci.errors import InputError, MlopsCiError, OutsideError
from mlops_ci.records.scoring import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

_KIT = "batch"
_SIZE = "about 165 MB"
_OUTSIDE = ("bundle", "disk", "in_use")
_ADVICE = {
    "exists": "Name another place, or add --overwrite.",
    "missing_column": "Name the columns as the model was trained with them; mlops-ci serve lists them at /metadata.",
    "name_taken": "Leave out --keep, or rename it.",
    "no_such_file": "Name files that end in .csv or .parquet, a folder of them, or a pattern in quotes.",
    "other_columns": "Write into a folder: one file for each.",
    "other_type": "Write into a folder: one file for each.",
}
_ROWS = "Mend the rows, or collect what cannot be answered: --bad-rows bad.csv"


class _Problem(msgspec.Struct, frozen=True):
    code: str
    message: str
    where: str


class _Failed(msgspec.Struct, frozen=True):
    error: _Problem


def score(
    bundle: Path, options: tuple[str, ...], *, folder: Path, say: Callable[[str], None], trust: Path | None = None
) -> Scored:
    """Score files. options: of the runtime, with paths from `folder`; its progress goes to stderr.

    trust: the public key whose signature the bundle must have.

    InputError for files and rows that it refuses, OutsideError where it cannot run or write.
    """
    environment = runtime.environment_for(bundle, say)
    kit = beside.lay(runtime.kit(_KIT), _KIT, environment, lambda: say(f"installing what reads files, {_SIZE}, once"))
    with temporary() as scratch:
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        variables = user_environment(scratch, python=environment.python, threads=processors)
        demanded = runtime.trusting(environment, trust, say)
        paths = [str(bundle / "serve"), str(kit), *filter(None, [demanded.pop("PYTHONPATH", "")])]
        variables |= demanded | {"PYTHONPATH": os.pathsep.join(paths)}
        command = [str(environment.python), "-s", "-m", f"{runtime.PACKAGE}.{_KIT}"]
        answer = _run([*command, "--parent", str(os.getpid()), *options], folder, variables)
    last = answer.strip().rpartition(b"\n")[2]
    try:
        if last.startswith(b'{"error"'):
            raise _error(msgspec.json.decode(last, type=_Failed).error)
        return msgspec.json.decode(last, type=Scored)
    except msgspec.DecodeError:
        raise OutsideError("scoring ended before it was done", "What it said last is above.") from None


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> bytes:
    """What it prints; it is told of an interruption and waited for, since it has files to take back."""
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        try:
            return process.communicate()[0]
        except BaseException:
            process.terminate()
            process.wait()
            raise


def _error(problem: _Problem) -> MlopsCiError:
    if problem.code in _OUTSIDE:
        return OutsideError(problem.message, _ADVICE.get(problem.code, ""), where=problem.where)
    advice = _ADVICE.get(problem.code, _ROWS if ": row " in problem.where else "")
    return InputError(problem.code, problem.message, advice, where=problem.where)
