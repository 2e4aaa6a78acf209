"""What was decided, told where people look: the comment, the page of the run, and last the status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import actions
from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.ledger.names import decision_folder
from mlops_ci.records.judged import JudgedProject
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import comment, document, gate_status, markdown
from mlops_ci.reports.comment import Mark, Part
from mlops_ci.reports.gate_status import GateStatus
from mlops_ci.reports.report import build
from mlops_ci.reports.sections import commands
from mlops_ci.reports.story import Story
from mlops_ci.steps import runs
from mlops_ci.steps.comment import upsert
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.write import earlier

if TYPE_CHECKING:
    from mlops_ci.edge.actions import Job, Run
    from mlops_ci.edge.git import Repository
    from mlops_ci.edge.github.client import GitHub
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.steps.hub import Subject


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One project and its decision, where there is one."""

    project: JudgedProject
    kept: Kept | None = None


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The status that was set, the address of the comment, and what could not be done."""

    status: GateStatus
    comment: str
    notes: tuple[str, ...]


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Whose run is told of, to whom."""

    hub: GitHub
    job: Job
    run: Run
    subject: Subject

    @property
    def run_address(self) -> str:
        return self.run.html_url or self.job.run_address

    @property
    def blob(self) -> str:
        """Where files of the repository are shown, followed by a commit and a path."""
        return f"{self.job.server}/{self.job.repository}/blob"


def entry_of(repository: Repository, told: Told) -> Entry:
    """As the ledger keeps it, with the report and the charts that are drawn here."""
    if told.kept is None:
        raise ValueError(f"there is no decision of {told.project.name}")
    kept = told.kept
    story = _story(kept, told.project.folder)
    before = earlier(repository, kept.decision.project, kept.decision.subject.commit)
    page = build(msgspec.structs.replace(story, earlier=before))
    return runs.entry(kept, markdown.render(page), document.charts(page))


def announce(
    occasion: Occasion, told: tuple[Told, ...], *, ledger: str, reason: str, notes: tuple[str, ...]
) -> Announced:
    """Comment, then set the status, so that who sees the status finds the report.

    `ledger`: its commit, or empty; `reason`: why nothing holds of the commit, or empty.
    """
    parts = tuple(_part(occasion, one, ledger) for one in told)
    status = gate_status.errored(reason) if reason else gate_status.of_parts(parts)
    mark = _mark(occasion, status, parts)
    address = ""
    if occasion.subject.pull is not None:
        try:
            address = upsert(
                occasion.hub,
                occasion.subject.pull.number,
                mark,
                lambda of: comment.body(of, parts, run_address=occasion.run_address, notes=notes, reason=reason),
            )
        except GitHubError as error:
            notes = (*notes, f"the comment could not be written: {error.message}. {error.advice}")
    page = comment.body(mark, parts, run_address=occasion.run_address, notes=notes, reason=reason)
    actions.summarise(occasion.job, page)
    occasion.hub.set_status(
        occasion.subject.commit,
        status.state,
        context=gate_status.CONTEXT,
        description=status.description,
        target_url=address or _report_address(parts) or occasion.run_address,
    )
    return Announced(status=status, comment=address, notes=notes)


def _mark(occasion: Occasion, status: GateStatus, parts: tuple[Part, ...]) -> Mark:
    return Mark(
        run=occasion.run.id,
        attempt=occasion.run.run_attempt,
        commit=occasion.subject.commit,
        outcome=status.outcome,
        decisions=tuple(part.decision for part in parts if part.decision),
    )


def _part(occasion: Occasion, told: Told, ledger: str) -> Part:
    project, kept = told.project, told.kept
    if kept is None:
        agreed = f"; opened by {' and '.join(project.opened)}" if project.opened else ""
        return Part(
            name=project.name,
            state=project.state,
            reason=f"{project.reason}{agreed}",
            decided=Outcome.PASSED if project.opened else project.outcome,
        )
    prefix = f"{project.folder}/" if project.folder else ""
    story = _story(kept, project.folder)
    return Part(
        name=project.name,
        state=project.state,
        decided=kept.decision.outcome,
        decision=kept.id,
        document=build(story),
        report=f"{occasion.blob}/{ledger}/{_folder(kept)}/report.md" if ledger else "",
        command=commands.reads(story),
        files=f"{occasion.blob}/{occasion.subject.commit}/{prefix}",
        charts=f"{occasion.blob}/{ledger}/{_folder(kept)}/%s.svg?raw=true" if ledger else None,
    )


def _report_address(parts: tuple[Part, ...]) -> str:
    """The report in the ledger, where there is one decision."""
    kept = [part.report for part in parts if part.report]
    return kept[0] if len(kept) == 1 else ""


def _folder(kept: Kept) -> str:
    return decision_folder(kept.id, kept.decision.subject.commit_time)


def _story(kept: Kept, folder: str) -> Story:
    return Story(decision=kept.decision, decision_id=kept.id, evidence=kept.evidence, run=kept.run, prefix=folder)
