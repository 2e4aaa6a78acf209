"""The decision that takes a model in: what it says and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.releases import Imported, Release
from mlops_ci.reports import document, markdown
from mlops_ci.reports import report as reports
from mlops_ci.reports.story import Story
from mlops_ci.steps.case import subject
from mlops_ci.steps.champion import FEATURES, feature_digests
from mlops_ci.steps.release_decision import told
from mlops_ci.steps.run_info import run_info
from mlops_ci.steps.store_items import rows_item

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.evaluation import Predictions
    from mlops_ci.steps.case import Case
    from mlops_ci.steps.imported import TakenIn
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.suites import DataFound


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was taken in, with its answers on the held-out rows."""

    case: Case
    data: DataFound
    model: TakenIn
    predictions: Predictions
    source: str
    reason: str


def story_of(asked: Asked, number: int) -> Story:
    """Taken in as release `number`: passed, as what was in production is what the next commits are compared with."""
    evidence = _evidence(asked, number)
    case, release = asked.case, f"v{number}"
    decision = Decision(
        kind=DecisionKind.IMPORT,
        project=case.head.config.project,
        outcome=Outcome.PASSED,
        trust=case.trust,
        subject=subject(case, "", asked.data.snapshot.info.digest),
        base="",
        champion=None,
        change=Change(),
        judge=msgspec.structs.replace(case.judge.ref(), differences=(), head_verdicts=(), idle_waivers=msgspec.UNSET),
        gates=(),
        metrics=(),
        checks=(),
        evidence={},
        reason=f"{asked.source} was taken in as {release}, not judged by gates: {asked.reason}",
    )
    decision = with_evidence(decision, evidence, _arrays(asked), asked.data.holdout)
    return told(case, decision, evidence)


def entry_of(asked: Asked, story: Story, clock: Clock) -> Entry:
    """What is recorded of it."""
    page = reports.build(story)
    number = story.evidence.imported.number if story.evidence.imported else 0
    return Entry(
        decision=story.decision,
        run=run_info(clock),
        evidence=story.evidence,
        report_markdown=markdown.render(page),
        charts=document.charts(page),
        arrays=_arrays(asked),
        holdout=asked.data.holdout,
        release=Release(
            version=1,
            project=story.decision.project,
            release=f"v{number}",
            bundle=asked.model.digest,
            decision=story.decision_id,
            judged="",
            commit=story.decision.subject.commit,
            imported=asked.source,
            predictions=story.evidence.rows.digest if story.evidence.rows else msgspec.UNSET,
        ),
    )


def _evidence(asked: Asked, number: int) -> Evidence:
    data, model, rows = asked.data, asked.model, asked.case.head.config.evidence.rows
    return Evidence(
        snapshot=msgspec.structs.replace(data.snapshot.info, holdout_protected=False),
        training=model.fitted.info,
        evaluation=evaluate(data.holdout, asked.predictions, None, slices=()),
        holdout=data.holdout.digest,
        predictions=asked.predictions.digest,
        rows=rows_item(_arrays(asked), data.holdout) if rows == "store" else msgspec.UNSET,
        imported=Imported(
            source=asked.source,
            reason=asked.reason,
            digest=model.digest,
            bytes=model.bytes,
            files=model.files,
            number=number,
        ),
    )


def _arrays(asked: Asked) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {"labels": asked.predictions.labels}
    if asked.predictions.scores is not None:
        arrays["scores"] = asked.predictions.scores
    features = feature_digests(asked.data.snapshot, asked.model.fitted.info.features)
    return arrays if features is None else arrays | {FEATURES: features}
