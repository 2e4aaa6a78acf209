"""record: validate a run, judge it again, append it to the ledger."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import UsageError
from mlops_ci.records.decisions import Decision
from mlops_ci.reports import document, markdown
from mlops_ci.reports.report import build
from mlops_ci.steps import ledger
from mlops_ci.steps.kept_rows import keep
from mlops_ci.steps.project import open_project
from mlops_ci.steps.promise import not_kept
from mlops_ci.steps.publish import publish
from mlops_ci.steps.rejudge import disagreements
from mlops_ci.steps.runs import entry, read_run, story
from mlops_ci.steps.waivers import unfounded


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is in the ledger now."""

    decision_id: str
    decision: Decision
    pushed: bool
    notes: tuple[str, ...] = ()
    """What could not be done, in words."""


def record(start: Path, run: Path, *, push: bool) -> Recorded:
    """Append the decision of a run's folder, to the remote's ledger too with `push`.

    UsageError when its evidence does not give its verdicts.
    """
    project = open_project(start)
    kept = read_run(run)
    if kept.decision.subject.dirty or not kept.decision.subject.commit:
        raise UsageError(
            "the run judged files that are not committed",
            "Commit them and check again; a dirty tree is never recorded.",
        )
    problems = (*disagreements(kept), *unfounded(project, kept.decision))
    if problems:
        raise UsageError(
            f"the evidence does not give the verdicts: {problems[0]}",
            "The folder was changed or made by another version; run `mlops-ci check --fresh`.",
        )
    if broken := not_kept(project, kept):
        raise UsageError(f"the test set's guarantee was not kept: {broken}", "Run `mlops-ci check` again.")
    page = build(story(project, kept, with_run=False))
    found = entry(kept, markdown.render(page), document.charts(page))
    problem = keep(project, found, lambda _: None, here=not push)
    if push:
        publish(project.repository, [found])
    else:
        ledger.record(project.repository, found)
    notes = (problem,) if problem else ()
    return Recorded(decision_id=kept.id, decision=kept.decision, pushed=push, notes=notes)
