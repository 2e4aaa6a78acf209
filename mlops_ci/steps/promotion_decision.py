"""The decision on a move of an environment: what it says and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.errors import MlopsCiError
from mlops_ci.ledger import statements
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence, JudgeRef, Subject, Trust
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import markdown
from mlops_ci.reports import report as reports
from mlops_ci.reports.story import Story
from mlops_ci.steps import runs
from mlops_ci.steps.judge import as_gates
from mlops_ci.steps.promotion import move_of
from mlops_ci.steps.rejudge import question_of
from mlops_ci.steps.release_before import between, change_between, side_of
from mlops_ci.steps.releases import releases
from mlops_ci.steps.run_info import run_info
from mlops_ci.steps.verdicts import ask_environments

if TYPE_CHECKING:
    from mlops_ci.gates.gate import Gate
    from mlops_ci.records.releases import Comparison
    from mlops_ci.records.results import Result
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.promotion import Settled


def gates(settled: Settled) -> tuple[Verdict, ...]:
    """The gates that the environment has now, asked of what was kept of the release's decision.

    Where they were written otherwise then, its old verdicts count for nothing: new gates revoke them.
    """
    site = settled.site
    asked = as_gates(site.config, f"environments.{site.name}.gates", site.rules.gates)
    if not asked or settled.release.imported or settled.judged is None:
        return ()
    try:
        question = question_of(runs.recorded(settled.project.repository, settled.project, settled.judged))
    except MlopsCiError as error:
        return tuple(_unknown(gate, site.name, error.message) for gate in asked)
    return ask_environments({site.name: asked}, question)


def _unknown(gate: Gate, environment: str, reason: str) -> Verdict:
    return Verdict(
        gate=gate.text,
        name=gate.name,
        verdict=Status.ERRORED,
        reason=reason,
        where=gate.where,
        environment=environment,
    )


def story_of(settled: Settled, verdicts: tuple[Verdict, ...], results: tuple[Result, ...]) -> Story:
    """The decision with its evidence."""
    made = settled.made.evidence if settled.made else None
    comparison, change = _since(settled)
    evidence = Evidence(
        move=move_of(settled),
        comparison=comparison,
        bundle=made.bundle if made else msgspec.UNSET,
        snapshot=made.snapshot if made else None,
        training=made.training if made else None,
    )
    outcome = outcome_of(verdicts, results)
    decision = Decision(
        kind=DecisionKind.ROLLBACK if settled.wish.back else DecisionKind.PROMOTION,
        project=settled.site.config.project,
        outcome=outcome,
        trust=Trust.DESK,
        subject=_subject(settled),
        base=settled.site.commit,
        champion=None,
        change=change,
        judge=_judge(settled),
        gates=verdicts,
        metrics=(),
        checks=results,
        evidence={},
        reason=reason(settled, outcome, verdicts, results),
    )
    decision = with_evidence(decision, evidence)
    return Story(
        decision=decision,
        decision_id=statements.decision_id(decision),
        evidence=evidence,
        prefix=settled.project.folder,
    )


def entry_of(story: Story, clock: Clock) -> Entry:
    """What is recorded of it."""
    return Entry(
        decision=story.decision,
        run=run_info(clock),
        evidence=story.evidence,
        report_markdown=markdown.render(reports.build(story)),
    )


def _since(settled: Settled) -> tuple[Comparison | msgspec.UnsetType, Change]:
    """What differs from what runs there now; nothing for a first release, or where one of them cannot be read.

    Going back is not held up by writing out the files of two commits.
    """
    project, runs_now = settled.project, settled.site.state.runs
    known = releases(project.repository, settled.site.config.project)
    last = known.get(int(runs_now.release[1:])) if runs_now else None
    if last is None or settled.made is None:
        return msgspec.UNSET, Change()
    try:
        comparison = between(project, side_of(project, last), side_of(project, settled.release))
        back = settled.wish.back
        return comparison, Change() if back else change_between(project, last.commit, settled.release.commit)
    except MlopsCiError:
        return msgspec.UNSET, Change()


def _subject(settled: Settled) -> Subject:
    """What the release was made of; of one that nothing is known of, the commit that was asked on."""
    if settled.made is not None:
        return settled.made.decision.subject
    info = settled.project.repository.commit_info(settled.site.commit)
    return Subject(
        commit=info.sha,
        tree="",
        data="",
        params="",
        environment="",
        commit_time=info.committed,
        commit_title=info.title,
    )


def _judge(settled: Settled) -> JudgeRef:
    rules = msgspec.to_builtins(settled.site.rules)
    return JudgeRef(commit=settled.site.commit, digest=digest(rules), version=__version__, source="base")


def outcome_of(verdicts: tuple[Verdict, ...], results: tuple[Result, ...]) -> Outcome:
    """What all that blocks comes to."""
    return combine([one.status for one in results if one.blocking] + [one.verdict for one in verdicts if one.blocking])


def reason(settled: Settled, outcome: Outcome, verdicts: tuple[Verdict, ...], results: tuple[Result, ...]) -> str:
    """The outcome in a sentence."""
    name, environment = settled.release.release, settled.site.name
    before = settled.site.state.runs
    if outcome is Outcome.PASSED:
        told = f"{environment} goes back to {name}" if settled.wish.back else f"{name} goes to {environment}"
        left = f", after {before.release}" if before else ""
        return f"{told}{left}{': ' + settled.wish.reason if settled.wish.reason else ''}"
    wrong = next((one for one in results if one.blocking and one.status.value == outcome.value), None)
    if wrong is not None:
        return f"{name} does not go to {environment}: {wrong.check}: {wrong.message}"
    against = next(one for one in verdicts if one.blocking and one.verdict.value == outcome.value)
    return f"{name} does not go to {environment}: {against.gate}: {against.reason or against.verdict}"
