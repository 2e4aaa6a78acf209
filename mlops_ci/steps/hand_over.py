"""What passes from the judging job to the recording job: a list, and a folder for each decision in it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.edge import files
from mlops_ci.errors import UsageError
from mlops_ci.ledger.names import plain
from mlops_ci.records.judged import Judged, JudgedProject
from mlops_ci.steps.rejudge import disagreements
from mlops_ci.steps.runs import Kept, read_run

_LIST = "judged.json"
_LARGEST = 1024 * 1024
_AGAIN = "Run the job `mlops / judge` again."


def write_list(into: Path, judged: Judged) -> None:
    """The list of what was judged."""
    into.mkdir(parents=True, exist_ok=True)
    files.write(into / _LIST, msgspec.json.encode(judged))


def read_list(folder: Path) -> Judged | None:
    """The list; None where the judging job left none. UsageError where it cannot be one."""
    path = folder / _LIST
    if not path.is_file():
        return None
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        return msgspec.json.decode(data, type=Judged)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{_LIST} cannot be read: {error}", _AGAIN) from error


def read_decision(folder: Path, judged: Judged, project: JudgedProject) -> Kept:
    """One decision of the list. UsageError where it is about something else than the list says."""
    kept = read_run(folder / _name(project))
    subject = kept.decision.subject
    said = (subject.commit, subject.dirty, kept.decision.trust, kept.decision.project)
    if said != (judged.commit, False, judged.trust, project.name):
        raise UsageError(f"the decision of {project.name} is about another commit or run", _AGAIN)
    if problems := disagreements(kept):
        raise UsageError(f"the evidence does not give the verdicts: {problems[0]}", _AGAIN)
    return kept


def _name(project: JudgedProject) -> str:
    try:
        return plain(project.run)
    except ValueError as error:
        raise UsageError(f"the decision of {project.name} lies nowhere in what was handed over", _AGAIN) from error
