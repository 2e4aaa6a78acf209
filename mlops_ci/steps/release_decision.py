"""The decision that makes a bundle a release, or refuses to: what it says and what is kept of it."""

from __future__ import annotations

import msgspec

from mlops_ci.ledger import statements
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence, FactNote
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.releases import BundleInfo, Comparison, ImageInfo, Release
from mlops_ci.records.results import Part, Result
from mlops_ci.records.stores import StoredItem
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import document, markdown, numbers
from mlops_ci.reports import report as reports
from mlops_ci.reports.story import Story
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.case import Case
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.run_info import run_info
from mlops_ci.steps.signatures import Signed
from mlops_ci.steps.store_items import Laid

replace = msgspec.structs.replace
_FINE = (Status.PASSED, Status.SKIPPED)


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """The decision that passed the model."""

    decision: Decision
    decision_id: str
    evidence: Evidence


def passed_by(stored: StoredDecision) -> Passed:
    """As the ledger has it."""
    return Passed(decision=stored.decision, decision_id=stored.id, evidence=stored.evidence)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that asks to become a release."""

    case: Case
    passed: Passed
    bundle: Bundle
    info: BundleInfo
    results: tuple[Result, ...]
    """What was found out about it."""
    image: ImageInfo | msgspec.UnsetType = msgspec.UNSET
    images: dict[str, ImageInfo] | msgspec.UnsetType = msgspec.UNSET
    """Of targets other than the server."""
    signed: Signed | None = None
    reported: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """What of it is the word of the job that made it, in words."""

    rows: StoredItem | msgspec.UnsetType = msgspec.UNSET
    """What its model was judged on, once that is in the store."""
    cost: Cost = Cost()
    """What a request costs, where a gate asks."""
    table: Laid | None = None
    """Its prepared table, where that is to be kept."""

    gates: tuple[Verdict, ...] = ()
    """Of the gates over what only a release has."""
    facts: dict[str, float] = {}
    fact_notes: dict[str, FactNote] = {}

    change: Change = Change()
    """Since the release before."""
    comparison: Comparison | msgspec.UnsetType = msgspec.UNSET

    @property
    def refused(self) -> bool:
        return any(result.status not in _FINE for result in self.results) or self.against is not None

    @property
    def against(self) -> Verdict | None:
        """The first gate that does not let it through."""
        return next((one for one in self.gates if one.blocking and one.verdict not in _FINE), None)

    def signed_as(self, signed: Signed | None) -> Candidate:
        """The same with a signature, or without: what the record brings along is not looked at."""
        record = signed.record if signed else msgspec.UNSET
        return replace(self, signed=signed, info=replace(self.info, signature=record))

    def numbered(self, number: int) -> Candidate:
        """The same under a number."""
        return replace(self, info=replace(self.info, number=number))


def story_of(candidate: Candidate) -> Story:
    """The decision with its evidence: passed where the candidate has a number."""
    evidence = _evidence(candidate)
    return told(candidate.case, _decision(candidate, evidence), evidence)


def errored_story(case: Case, passed: Passed, reason: str) -> Story:
    """The decision where no bundle came to be."""
    evidence = Evidence(snapshot=passed.evidence.snapshot, training=passed.evidence.training)
    lacking = Result(check="bundle", part=Part.MODEL, status=Status.ERRORED, message=reason)
    decision = replace(
        _about(case, passed),
        outcome=Outcome.ERRORED,
        checks=(lacking,),
        reason=f"the bundle could not be made: {reason}",
    )
    return told(case, with_evidence(decision, evidence), evidence)


def told(case: Case, decision: Decision, evidence: Evidence) -> Story:
    """What its report is told from."""
    return Story(
        decision=decision, decision_id=statements.decision_id(decision), evidence=evidence, prefix=case.project.folder
    )


def entry_of(story: Story, clock: Clock) -> Entry:
    """What is recorded of it."""
    page = reports.build(story)
    bundle = story.evidence.bundle or None
    return Entry(
        decision=story.decision,
        run=run_info(clock),
        evidence=story.evidence,
        report_markdown=markdown.render(page),
        charts=document.charts(page),
        release=_release(story, bundle) if bundle and bundle.number else None,
    )


def _evidence(candidate: Candidate) -> Evidence:
    judged = candidate.passed.evidence
    return Evidence(
        snapshot=judged.snapshot,
        training=judged.training,
        bundle=candidate.info,
        image=candidate.image,
        images=candidate.images,
        rows=candidate.rows,
        table=candidate.table.item if candidate.table else msgspec.UNSET,
        facts=candidate.facts,
        fact_notes=candidate.fact_notes or msgspec.UNSET,
        comparison=candidate.comparison,
    )


def _decision(candidate: Candidate, evidence: Evidence) -> Decision:
    decision = replace(
        _about(candidate.case, candidate.passed),
        outcome=_outcome(candidate),
        base=candidate.comparison.commit if candidate.comparison else "",
        change=candidate.change,
        gates=candidate.gates,
        checks=candidate.results,
        reason=_reason(candidate),
        reported=candidate.reported,
    )
    return with_evidence(decision, evidence)


def _about(case: Case, passed: Passed) -> Decision:
    judged = passed.decision
    return Decision(
        kind=DecisionKind.RELEASE,
        project=judged.project,
        outcome=Outcome.FAILED,
        trust=case.trust,
        subject=judged.subject,
        base="",
        champion=None,
        change=Change(),
        judge=replace(judged.judge, differences=(), head_verdicts=(), idle_waivers=msgspec.UNSET),
        gates=(),
        metrics=(),
        checks=(),
        evidence={},
    )


def _outcome(candidate: Candidate) -> Outcome:
    """A bundle that answers otherwise is refused, whatever its gates say; an undecided gate is no verdict."""
    if candidate.info.number:
        return Outcome.PASSED
    if candidate.against is None or any(result.status not in _FINE for result in candidate.results):
        return Outcome.FAILED
    return combine([one.verdict for one in candidate.gates if one.blocking])


def _reason(candidate: Candidate) -> str:
    wrong = next((result for result in candidate.results if result.status not in _FINE), None)
    if wrong is not None:
        return f"{wrong.check}: {wrong.message}"
    if candidate.against is not None:
        return f"{candidate.against.gate}: {candidate.against.reason}"
    info = candidate.info
    judged = numbers.short(info.decision)
    return f"{info.release} is the model of decision {judged} as {info.format}, {numbers.size(info.bytes)}"


def _release(story: Story, bundle: BundleInfo) -> Release:
    pushed = references(story.evidence)
    return Release(
        version=1,
        project=story.decision.project,
        release=bundle.release,
        bundle=bundle.digest,
        decision=story.decision_id,
        judged=bundle.decision,
        commit=story.decision.subject.commit,
        image=pushed.get("docker", msgspec.UNSET),
        images=pushed or msgspec.UNSET,
        signature=bundle.signature,
        predictions=story.evidence.rows.digest if story.evidence.rows else msgspec.UNSET,
        snapshot=story.evidence.table.digest if story.evidence.table else msgspec.UNSET,
    )


def references(evidence: Evidence) -> dict[str, str]:
    """Target -> `repository@sha256:…` of the images that were pushed, the server's first."""
    server = {"docker": evidence.image} if evidence.image else {}
    made = server | (evidence.images or {})
    return {target: image.reference for target, image in made.items() if image.reference}
