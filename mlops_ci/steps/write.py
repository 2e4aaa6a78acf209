"""Write a decision where people find it: the run's folder, and on a clean tree the ledger."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from mlops_ci.edge import files
from mlops_ci.edge.git import Repository
from mlops_ci.ledger import entries, statements
from mlops_ci.ledger.entries import Entry
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Decision, DecisionKind, Evidence, RunInfo, Trust
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import document, html, markdown, report
from mlops_ci.reports.story import Earlier, Story
from mlops_ci.steps import ledger
from mlops_ci.steps.case import Case, fingerprint
from mlops_ci.steps.decide import Decided
from mlops_ci.steps.kept_rows import keep
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.run_info import run_info
from mlops_ci.steps.tracking import track
from mlops_ci.steps.workshop import Workshop

_EARLIER = 5


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `check`."""

    story: Story
    folder: Path
    recorded: bool
    """In the ledger; a dirty tree is not."""

    @property
    def decision(self) -> Decision:
        return self.story.decision

    def document(self) -> dict[str, object]:
        """The answer of `check --json`."""
        decision, run = self.story.decision, self.story.run
        return {
            "outcome": decision.outcome,
            "decision": self.story.decision_id,
            "trust": decision.trust,
            "subject": decision.subject,
            "base": decision.base,
            "champion": decision.champion,
            "anchor": decision.anchor or None,
            "change": decision.change,
            "judge": decision.judge,
            "gates": decision.gates,
            "environments": decision.environments or (),
            "metrics": decision.metrics,
            "checks": decision.checks,
            "timings": run.timings if run else {},
            "reports": {
                "folder": str(self.folder),
                "markdown": str(self.folder / "report.md"),
                "html": str(self.folder / "report.html"),
                "recorded": self.recorded,
            },
        }


def write_run(case: Case, decided: Decided, clock: Clock, workshop: Workshop) -> Checked:
    """Write the run's folder; on a clean tree also record it. The same decision again changes nothing."""
    decision_id = statements.decision_id(decided.decision)
    story = Story(
        decision=decided.decision,
        decision_id=decision_id,
        evidence=decided.evidence,
        earlier=earlier(case.project.repository, case.head.config.project, case.head.commit),
        prefix=case.project.folder,
        profile_before=decided.found.data.profile_before if decided.found.data else None,
    )
    page = report.build(story)
    report_markdown = markdown.render(page)
    tracked = track(case, decided, clock, decision_id=decision_id, report_markdown=report_markdown)
    run = _run_info(decided, clock, mlflow_run=tracked)
    entry = Entry(
        decision=decided.decision,
        run=run,
        evidence=decided.evidence,
        report_markdown=report_markdown,
        charts=document.charts(page),
        arrays=decided.arrays,
        holdout=decided.holdout,
        ids=decided.found.use.ids if decided.found.use else None,
        shown=decided.found.use.shown if decided.found.use else None,
    )
    told = msgspec.structs.replace(story, run=run)
    target = case.project.state / "runs" / story.short_id
    folder = write_folder(target, entry, page=html.render(report.build(told)))
    recorded = not case.head.dirty
    if recorded:
        if case.trust is Trust.DESK and (problem := keep(case.project, entry, clock.note, here=True)):
            clock.note(problem)
        ledger.record(case.project.repository, entry)
    # What could not be found out is asked again: the network, time or memory may be there the next time.
    if decided.decision.outcome is not Outcome.ERRORED and not decided.found.unfinished:
        _remember(case, workshop, folder.name)
    return Checked(story=told, folder=folder, recorded=recorded)


def write_page(path: Path, page: str) -> None:
    """Write a rendered report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, page.encode())


def restore(case: Case, workshop: Workshop) -> Checked | None:
    """The answer given before to exactly this question, if its folder is still there."""
    pointer = _pointer(case, workshop)
    if not pointer.is_file():
        return None
    folder = case.project.state / "runs" / pointer.read_text(encoding="utf-8").strip()
    if not (folder / "report.html").is_file():
        return None
    for used in (pointer, folder):
        files.touch(used)
    (folder / "run.json").touch()  # now it is the newest run, which `report` and `rows` are about
    story = Story(
        decision=statements.parse_statement((folder / "decision.json").read_bytes()),
        decision_id=_whole_id(folder),
        evidence=msgspec.json.decode((folder / "evidence" / entries.EVIDENCE).read_bytes(), type=Evidence),
        earlier=earlier(case.project.repository, case.head.config.project, case.head.commit),
        run=msgspec.json.decode((folder / "run.json").read_bytes(), type=RunInfo),
        prefix=case.project.folder,
    )
    return Checked(story=story, folder=folder, recorded=not case.head.dirty)


def _whole_id(folder: Path) -> str:
    return hashlib.sha256((folder / "decision.json").read_bytes()).hexdigest()


def write_folder(target: Path, entry: Entry, *, page: str | None = None) -> Path:
    """Everything that is kept of a decision, whole or not at all; `page`: the report for people at this desk."""
    with files.folder(target) as fresh:
        for name, data in (entries.own_files(entry) | entries.shared_files(entry)).items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if page is not None:
            (fresh / "report.html").write_text(page, encoding="utf-8")
    return target


def _pointer(case: Case, workshop: Workshop) -> Path:
    return case.project.state / "cache" / "answers" / digest(fingerprint(case, workshop))[:32]


def _remember(case: Case, workshop: Workshop, run: str) -> None:
    files.write(_pointer(case, workshop), run.encode())


_MOVES = (DecisionKind.PROMOTION, DecisionKind.ROLLBACK)
"""They judge no commit."""


def earlier(repository: Repository, project: str, commit: str) -> tuple[Earlier, ...]:
    """The decisions recorded for other commits, newest first."""
    rows = ledger.history(repository, project=project, limit=4 * _EARLIER)
    return tuple(
        Earlier(id=row.id, commit=row.commit, outcome=Outcome(row.outcome), sentence=row.verdict)
        for row in rows
        if row.commit != commit and row.kind not in _MOVES and row.outcome in set(Outcome)
    )[:_EARLIER]


def _run_info(decided: Decided, clock: Clock, *, mlflow_run: str) -> RunInfo:
    fitted = decided.found.model.fitted if decided.found.model else None
    return msgspec.structs.replace(
        run_info(clock),
        mlflow_run=mlflow_run,
        training_seconds=fitted.seconds if fitted else None,
        peak_memory_bytes=fitted.peak_memory if fitted else None,
    )
