"""The release decision: does the bundle, by itself, answer as the judged model did; its number, its place."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlops_ci import __version__
from mlops_ci.edge import runtime, store
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import statements
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence, RunInfo
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import BundleInfo, Release
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import document, markdown, numbers
from mlops_ci.reports import report as reports
from mlops_ci.reports.story import Story
from mlops_ci.steps import ledger
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.case import Case
from mlops_ci.steps.export import Exported
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.releases import of_bundle, record_release
from mlops_ci.steps.write import Checked


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `release`."""

    decision: Decision
    decision_id: str
    bundle: BundleInfo
    place: Path
    """Of the bundle: in the store, or where it was made when it did not become a release."""
    already: bool = False

    def document(self) -> dict[str, object]:
        """The answer of `release --json`."""
        return {
            "release": self.bundle.release or None,
            "digest": self.bundle.digest,
            "bundle": str(self.place),
            "image": None,
            "decision": self.decision_id,
            "outcome": self.decision.outcome,
        }


def answers_as_judged(bundle: Bundle, clock: Clock) -> tuple[Result, ...]:
    """The bundle in an environment and a process of its own, made from nothing but what lies in it."""
    python = runtime.python_for(bundle.folder, lambda text: clock.say("load", text))
    found = runtime.conforms(bundle.folder, python)
    good = f"loaded in a process of its own it gives the judged answers to {found.golden} golden requests"
    agrees = found.error is None and found.fingerprint == bundle.golden.fingerprint
    behaves, judged = (one[:12] for one in (found.fingerprint, bundle.golden.fingerprint))
    bad = found.error.message if found.error else f"its fingerprint is {behaves}, the judged model's {judged}"
    return (
        Result(
            check="bundle_answers",
            part=Part.MODEL,
            status=Status.PASSED if agrees else Status.FAILED,
            message=good if agrees else bad,
        ),
    )


def describe(bundle: Bundle, exported: Exported, checked: Checked) -> BundleInfo:
    """What is recorded of a bundle."""
    return BundleInfo(
        digest=bundle.digest,
        format=exported.answer.format,
        bytes=bundle.bytes,
        files=bundle.files,
        fingerprint=bundle.golden.fingerprint,
        tried=exported.answer.tried,
        parity=exported.answer.parity,
        decision=checked.story.decision_id,
    )


def write_release(
    case: Case, checked: Checked, bundle: Bundle, info: BundleInfo, results: tuple[Result, ...], clock: Clock
) -> Released:
    """Into the store and the ledger, under the next number; the same bundle again is the release it was."""
    project, repository, name = case.project, case.project.repository, case.head.config.project
    if any(result.status is not Status.PASSED for result in results):
        refused = _entry(case, checked, info, results, clock)
        ledger.record(repository, refused)
        return _released(refused, bundle.folder)
    with clock.step("store", "putting the bundle into the store") as line:
        place = store.put(project.root / case.head.config.store, bundle.folder, bundle.digest)
        line.found = f"{numbers.size(bundle.bytes)}, read back"
    if before := of_bundle(repository, name, bundle.digest):
        return _again(ledger.find(repository, before[1].decision), place)

    def entry(number: int) -> Entry:
        return _entry(case, checked, msgspec.structs.replace(info, number=number), results, clock)

    return _released(record_release(repository, name, entry), place)


def _released(entry: Entry, place: Path) -> Released:
    return Released(
        decision=entry.decision,
        decision_id=statements.decision_id(entry.decision),
        bundle=_bundle(entry.evidence),
        place=place,
    )


def _again(stored: StoredDecision, place: Path) -> Released:
    return Released(
        decision=stored.decision,
        decision_id=stored.id,
        bundle=_bundle(stored.evidence),
        place=place,
        already=True,
    )


def _bundle(evidence: Evidence) -> BundleInfo:
    if evidence.bundle is msgspec.UNSET:
        raise OutsideError("the ledger names a decision that made no release", "Was the branch edited by hand?")
    return evidence.bundle


def _entry(case: Case, checked: Checked, info: BundleInfo, results: tuple[Result, ...], clock: Clock) -> Entry:
    judged, passed = checked.decision, bool(info.number)
    evidence = Evidence(snapshot=checked.story.evidence.snapshot, training=checked.story.evidence.training, bundle=info)
    decision = with_evidence(
        Decision(
            kind=DecisionKind.RELEASE,
            project=judged.project,
            outcome=Outcome.PASSED if passed else Outcome.FAILED,
            trust=judged.trust,
            subject=judged.subject,
            base="",
            champion=None,
            change=Change(),
            judge=msgspec.structs.replace(judged.judge, differences=(), head_verdicts=(), idle_waivers=msgspec.UNSET),
            gates=(),
            metrics=(),
            checks=results,
            evidence={},
            reason=_reason(info, results),
        ),
        evidence,
    )
    story = Story(
        decision=decision,
        decision_id=statements.decision_id(decision),
        evidence=evidence,
        prefix=case.project.folder,
    )
    page = reports.build(story)
    release = Release(
        version=1,
        project=judged.project,
        release=info.release,
        bundle=info.digest,
        decision=statements.decision_id(decision),
        judged=info.decision,
        commit=judged.subject.commit,
    )
    return Entry(
        decision=decision,
        run=_run(clock),
        evidence=evidence,
        report_markdown=markdown.render(page),
        charts=document.charts(page),
        release=release if passed else None,
    )


def _reason(info: BundleInfo, results: tuple[Result, ...]) -> str:
    wrong = next((result for result in results if result.status is not Status.PASSED), None)
    if wrong is not None:
        return f"{wrong.check}: {wrong.message}"
    judged = numbers.short(info.decision)
    return f"{info.release} is the model of decision {judged} as {info.format}, {numbers.size(info.bytes)}"


def _run(clock: Clock) -> RunInfo:
    return RunInfo(
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=round(sum(clock.timings.values()), 3),
        timings=clock.timings,
        restored=tuple(clock.restored),
        host=platform.node(),
        python=platform.python_version(),
        mlops_ci=__version__,
    )
