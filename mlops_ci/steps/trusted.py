"""One project of a commit judged by who trusts nothing of the run but its model's answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlops_ci import __version__
from mlops_ci.ledger.entries import Entry
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.decisions import RunInfo
from mlops_ci.records.results import Part
from mlops_ci.reports import document, markdown
from mlops_ci.reports.report import build
from mlops_ci.reports.story import Story
from mlops_ci.steps import verdicts
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Decided, Found, decide
from mlops_ci.steps.examine import look_at_data, why_not_judged
from mlops_ci.steps.judgement import gates_line, judge_answers
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.reported import answers_of, use_of, with_model
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.workshop import NoWorkshop
from mlops_ci.steps.write import earlier, write_folder

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_LONGEST = 100
_PREDICTIONS = "predictions"
_TESTS = "model tests"
_FACTS = "measured facts"
_METRICS = "the project's own metrics"
_ENVIRONMENT = "environment and training"


def judge_reported(case: Case, kept: Kept, clock: Clock) -> Decided:
    """Read the commit's data, take the answers of the run, and ask the base's gates."""
    workshop = NoWorkshop(case.project, case.head, lambda text: clock.say("environment", text))
    found = look_at_data(case, workshop, clock)
    if not found.stopped:
        found = with_model(case, found, kept)
    if found.data is None or found.model is None:
        found = msgspec.structs.replace(found, gates=verdicts.not_judged(case.judge.gates, why_not_judged(case, found)))
    else:
        with clock.step("gates", "judging") as line:
            found = judge_answers(case, found, answers_of(case, found.data, kept), used=use_of(case, kept))
            line.found = gates_line(found)
    decided = decide(case, found, _hex(kept.decision.subject.environment))
    decision = msgspec.structs.replace(decided.decision, reported=_as_reported(found))
    return msgspec.structs.replace(decided, decision=decision)


def write_judged(case: Case, decided: Decided, kept: Kept, into: Path) -> str:
    """The folder of the judged run below `into`, named by the decision; its name."""
    decision = decided.decision
    story = Story(
        decision=decision,
        decision_id=decision_id(decision),
        evidence=decided.evidence,
        earlier=earlier(case.project.repository, decision.project, decision.subject.commit),
        prefix=case.project.folder,
    )
    page = build(story)
    used = decided.found.use
    entry = Entry(
        decision=decision,
        run=_run(kept.run, decision.subject.commit_time),
        evidence=decided.evidence,
        report_markdown=markdown.render(page),
        charts=document.charts(page),
        arrays=decided.arrays,
        holdout=decided.holdout,
        ids=used.ids if used else None,
        shown=used.shown if used else None,
    )
    write_folder(into / story.short_id, entry)
    return story.short_id


def _as_reported(found: Found) -> tuple[str, ...]:
    """What stands in the decision as the branch's own code says it."""
    if found.model is None:
        return (_ENVIRONMENT,)
    told = [_PREDICTIONS, _ENVIRONMENT]
    told += [_TESTS] if any(one.part is not Part.DATA for one in found.results) else []
    told += [_FACTS] if found.fact_notes else []
    told += [_METRICS] if found.own else []
    return tuple(told)


def _hex(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{64}", text) else ""


def _run(run: RunInfo | None, committed: str) -> RunInfo:
    """When and how long, as the run says, within what such words can be."""
    if run is None:
        run = RunInfo(started=committed, seconds=0.0, timings={}, restored=(), host="", python="", mlops_ci=__version__)
    return msgspec.structs.replace(
        run,
        started=run.started if _TIME.fullmatch(run.started) else committed or datetime.now(UTC).strftime("%FT%TZ"),
        timings={name[:_LONGEST]: seconds for name, seconds in list(run.timings.items())[:_LONGEST]},
        restored=tuple(name[:_LONGEST] for name in run.restored[:_LONGEST]),
        host=run.host[:_LONGEST],
        python=run.python[:_LONGEST],
        mlops_ci=__version__,
        mlflow_run=run.mlflow_run[:_LONGEST],
    )
