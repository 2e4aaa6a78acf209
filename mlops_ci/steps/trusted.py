"""One project of a commit judged by who trusts nothing of the run but its model's answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlops_ci import __version__
from mlops_ci.errors import SourceError
from mlops_ci.ledger.entries import Entry
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.decisions import RunInfo, Trust
from mlops_ci.records.results import Part
from mlops_ci.reports import document, markdown
from mlops_ci.reports.report import build
from mlops_ci.reports.story import Story
from mlops_ci.steps import verdicts
from mlops_ci.steps.agreement import Owners
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Decided, Found, decide, errored, to_agree_on
from mlops_ci.steps.examine import look_at_data, why_not_judged
from mlops_ci.steps.judgement import gates_line, judge_answers
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.redefined import way_files
from mlops_ci.steps.reported import LIED, answers_of, bounded, use_of, with_model
from mlops_ci.steps.reported_rows import rows_reported, unreadable
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
_ONE_ANSWER = "the one answer about the rows that are kept for verdicts"
replace = msgspec.structs.replace


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Who may agree to what changes the judge; `outdated`: why the rules of the base are not those that hold now.

    `until`: when the SQL of all projects has to be done, by the monotonic clock.
    """

    owners: Owners
    outdated: str = ""
    until: float


def judge_reported(case: Case, kept: Kept, clock: Clock, standing: Standing) -> Decided:
    """Read the commit's data, take the answers of the run, and ask the base's gates."""
    kept = bounded(kept)
    if wrong := _about_another(case, kept):
        found = Found(results=(errored("evidence", SourceError(wrong, LIED), Part.MODEL),))
    else:
        found = _rows(case, kept, clock, standing.until)
    if not found.stopped:
        found = with_model(case, found, kept)
    if found.data is None or found.model is None:
        found = replace(found, gates=verdicts.not_judged(case.judge.gates, why_not_judged(case, found)))
    else:
        found = _judged(case, found, kept, clock)
    found = replace(found, outdated=standing.outdated)
    if to_agree_on(case, found) and not found.outdated:
        found = replace(found, opened=standing.owners.agree(_to_own(case, found)))
    decided = decide(case, found, _hex(kept.decision.subject.environment))
    return replace(decided, decision=replace(decided.decision, reported=_as_reported(found)))


def _about_another(case: Case, kept: Kept) -> str:
    told = kept.decision
    if (told.subject.commit, told.subject.dirty, told.project) == (case.head.commit, False, case.head.config.project):
        return ""
    return "the evidence is about another commit or project"


def _rows(case: Case, kept: Kept, clock: Clock, until: float) -> Found:
    """The data as git has it; where it cannot be read from there, as the run tells it."""
    why = unreadable(case.head)
    if why:
        with clock.step("data", "taking the rows as they are reported") as line:
            found = rows_reported(case, kept, why)
            line.found = f"as reported: {why}"
        return found
    workshop = NoWorkshop(case.project, case.head, lambda text: clock.say("environment", text), until=until)
    return look_at_data(case, workshop, clock)


def _judged(case: Case, found: Found, kept: Kept, clock: Clock) -> Found:
    if found.data is None:
        raise ValueError("there are no rows to judge on")
    with clock.step("gates", "judging") as line:
        used = use_of(case, kept)
        found = judge_answers(case, found, answers_of(case, found.data, kept), used=used)
        line.found = gates_line(found)
    alone = used is not None and case.trust is not Trust.DEFAULT_BRANCH
    return replace(found, unproved=_ONE_ANSWER) if alone else found


def _to_own(case: Case, found: Found) -> tuple[str, ...]:
    """The files, from the root of the repository, whose owners have to agree."""
    paths = [*case.change.judge] if case.judge.changes else []
    if found.changes:
        paths += [*case.change.judge, *way_files(case), *case.change.data]
    return tuple(case.project.path(path) for path in dict.fromkeys(paths or ["mlops.yaml"]))


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
    rows = found.data.reported if found.data else ()
    if found.model is None:
        return (*rows, _ENVIRONMENT)
    told = [*rows, _PREDICTIONS, _ENVIRONMENT]
    told += _of_rivals(found)
    told += [_TESTS] if any(one.part is not Part.DATA for one in found.results) else []
    told += [_FACTS] if found.fact_notes else []
    told += [_METRICS] if found.own else []
    told += [_ONE_ANSWER] if found.unproved else []
    return tuple(told)


def _of_rivals(found: Found) -> list[str]:
    """Their models are not asked here."""
    rivals = {"champion": found.champion, "anchor": found.anchor}
    return [
        f"what the {name} answers on new or changed rows"
        for name, rival in rivals.items()
        if rival is not None and rival.predictions is not None and rival.unpaired > 0
    ]


def _hex(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{64}", text) else ""


def _run(run: RunInfo | None, committed: str) -> RunInfo:
    """When and how long, as the run says, within what such words can be."""
    if run is None:
        run = RunInfo(started=committed, seconds=0.0, timings={}, restored=(), host="", python="", mlops_ci=__version__)
    return replace(
        run,
        started=run.started if _TIME.fullmatch(run.started) else committed or datetime.now(UTC).strftime("%FT%TZ"),
        timings={name[:_LONGEST]: seconds for name, seconds in list(run.timings.items())[:_LONGEST]},
        restored=tuple(name[:_LONGEST] for name in run.restored[:_LONGEST]),
        host=run.host[:_LONGEST],
        python=run.python[:_LONGEST],
        mlops_ci=__version__,
        mlflow_run=run.mlflow_run[:_LONGEST],
    )
