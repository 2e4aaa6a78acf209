"""ci record: what was judged, written to the ledger, to the comment and to the status that a merge waits for."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import MlopsCiError
from mlops_ci.records.judged import Judged, JudgedProject, State
from mlops_ci.reports.gate_status import GateStatus
from mlops_ci.steps import ci_job, hub
from mlops_ci.steps.announce import Occasion, Told, announce, entry_of
from mlops_ci.steps.hand_over import read_decision, read_list
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.project import repository_around
from mlops_ci.steps.publish import publish
from mlops_ci.steps.recorded_rows import keep_recorded


class RecordedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run: `notes` are what could not be done, in words; without `status` nobody waits for it."""

    status: GateStatus | None
    decisions: tuple[str, ...] = ()
    comment: str = ""
    notes: tuple[str, ...] = ()


def record_in_job(start: Path, folder: Path, progress: Progress) -> RecordedRun:
    """Write down what the judging job found; where it found nothing the commit could not be judged."""
    job = ci_job.this_job()
    run, repository, github = ci_job.judged_run(job), repository_around(start), hub.github()
    subject = hub.subject_of(github, run)
    if subject is None:
        return RecordedRun(status=None)
    told, reason = _decisions(folder, subject, run.id)
    entries = [(one, entry_of(repository, one)) for one in told if one.kept]
    ledger, notes = (
        "",
        [
            problem
            for one, entry in entries
            if (problem := keep_recorded(repository, one.project.folder, entry, progress.note))
        ],
    )
    try:
        ledger = publish(repository, [entry for _, entry in entries])
    except MlopsCiError as error:
        reason = f"nothing was recorded: {error.message}"
        notes.append(f"{error.message}. {error.advice}")
    if ledger:
        progress.note(f"ledger    {sum(bool(one.kept) for one in told)} recorded at {ledger[:7]}")
    occasion = Occasion(hub=github, job=job, run=run, subject=subject)
    announced = announce(occasion, told, ledger=ledger, reason=reason, notes=tuple(notes))
    return RecordedRun(
        status=announced.status,
        decisions=tuple(one.kept.id for one in told if one.kept),
        comment=announced.comment,
        notes=announced.notes,
    )


def _decisions(folder: Path, subject: hub.Subject, run: int) -> tuple[tuple[Told, ...], str]:
    """What there is to tell of each project, and why there is nothing to tell of the commit; empty: there is."""
    try:
        judged = read_list(folder)
    except MlopsCiError as error:
        return (), error.message
    if judged is None:
        return (), "the job that judges left no answer"
    if (judged.commit, judged.run, judged.trust) != (subject.commit, run, subject.trust):
        return (), "what was judged is about another commit or run"
    return tuple(_told(folder, judged, project) for project in judged.projects), ""


def _told(folder: Path, judged: Judged, project: JudgedProject) -> Told:
    if project.state is not State.JUDGED:
        return Told(project=project)
    try:
        return Told(project=project, kept=read_decision(folder, judged, project))
    except MlopsCiError as error:
        lost = msgspec.structs.replace(project, state=State.NO_EVIDENCE, reason=error.message)
        return Told(project=lost)
