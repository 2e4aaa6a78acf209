"""`runner.setup`: commands that make a machine ready for the check, in the job that runs the branch's code."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files
from mlops_ci.edge.processes import Finished, Limits, machine_environment, run
from mlops_ci.errors import UsageError, UserCodeError

if TYPE_CHECKING:
    from mlops_ci.config.settings import Config
    from mlops_ci.steps.progress import Progress
    from mlops_ci.steps.project import Project

_FILE = "setup.json"
_LARGEST = 1024
_SHELL = ("bash", "-euo", "pipefail", "-c")
_LONGEST = 60
"""Signs of a command that a status still has room for."""


class Stopped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The command that failed, from 0, and how: a code, a signal, or neither when its time was up.

    Numbers alone: this passes from the job that runs the branch's code to the one that judges.
    """

    at: int
    code: int | None = None
    signal: int | None = None


def run_all(project: Project, progress: Progress) -> Stopped | None:
    """Run the commands one after the other in the project's folder, up to the first that fails.

    Together they may take `runner.timeout`. They see the machine's home and PATH and the variables of
    `runner.secrets`; what they start does not outlive them.
    """
    runner = project.config.runner
    until = time.monotonic() + runner.timeout
    for at, command in enumerate(runner.setup):
        progress.note(f"$ {command}")
        with files.temporary() as folder:
            finished = run(
                [*_SHELL, command],
                cwd=project.root,
                environment=machine_environment(runner.secrets),
                log=folder / "log.txt",
                limits=Limits(seconds=max(until - time.monotonic(), 0)),
            )
        if finished.log.strip():
            progress.note(finished.log.rstrip())
        if not finished.succeeded:
            return _stopped(at, finished)
    return None


def leave(stopped: Stopped, folder: Path) -> None:
    """Write down for the judging job what failed."""
    files.write(folder / _FILE, msgspec.json.encode(stopped))


def check_left(folder: Path, config: Config) -> None:
    """UserCodeError where a run left word that a command failed, and so nothing else.

    Which command that was is read from the settings of the commit.
    """
    path = folder / _FILE
    if not path.is_file():
        return
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        stopped = msgspec.json.decode(data, type=Stopped)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{_FILE} cannot be read: {error}", "Run the check again.") from error
    raise failure(stopped, config)


def failure(stopped: Stopped, config: Config) -> UserCodeError:
    """The error for people."""
    commands = config.runner.setup
    if not 0 <= stopped.at < len(commands):
        raise UsageError(f"{_FILE} names a command that mlops.yaml does not have", "Run the check again.")
    how = "took longer than runner.timeout"
    if stopped.signal is not None:
        how = f"was ended by signal {stopped.signal}"
    elif stopped.code is not None:
        how = f"ended with code {stopped.code}"
    command = " ".join(commands[stopped.at].split())
    shown = command if len(command) <= _LONGEST else f"{command[: _LONGEST - 1]}…"
    return UserCodeError(
        f"`{shown}` {how}",
        "Its output is in the log of the job `mlops / run`, under the step that sets up.",
        where=config.place(f"runner.setup[{stopped.at}]"),
    )


def _stopped(at: int, finished: Finished) -> Stopped:
    return Stopped(
        at=at,
        code=None if finished.timed_out else finished.code,
        signal=None if finished.timed_out else finished.signal,
    )
