"""What a run of a branch's own code reports, taken into a judgement that is made here: rows, truth, checks of the data,
metrics and gates are computed again, and the verdicts of the run are not even read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from mlops_ci.errors import MlopsCiError, SourceError
from mlops_ci.records.decisions import Evidence
from mlops_ci.records.evaluation import Champion, Holdout, OwnMetric, Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps.case import Case
from mlops_ci.steps.champion import UNANSWERED, anchor_on, champion_on
from mlops_ci.steps.decide import Found, ModelFound, array_name, errored
from mlops_ci.steps.declared import declared
from mlops_ci.steps.deepchecks_results import NAME as DEEPCHECKS
from mlops_ci.steps.facts.measure import how, wanted
from mlops_ci.steps.judgement import Answers
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.model_tests import has_tests
from mlops_ci.steps.own_metrics import Measured
from mlops_ci.steps.promise import Use
from mlops_ci.steps.rejudge import stored_predictions
from mlops_ci.steps.runs import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.steps.suites import DataFound

replace = msgspec.structs.replace
_Record = TypeVar("_Record")
_LONGEST = 8_000
_MOST = 10_000
_KEEP = "Write `evidence: {rows: ledger}`: of a run that is judged apart from its code nothing else can be believed."
LIED = "It was not written by `mlops-ci check` of this commit: run the check again."


_NO_TESTS = errored("model tests", SourceError("the run says nothing of the model tests", LIED), Part.TESTS)


def bounded(kept: Kept) -> Kept:
    """What a run says in words, no longer than what a check says."""
    evidence, decision = kept.evidence, kept.decision
    return replace(
        kept,
        decision=replace(decision, checks=_cut(decision.checks[:_MOST], tuple[Result, ...])),
        evidence=_cut(evidence, Evidence),
    )


def _cut(value: object, kind: type[_Record]) -> _Record:
    def cut(plain: object) -> object:
        if isinstance(plain, str):
            return plain[:_LONGEST]
        if isinstance(plain, list | tuple):
            return [cut(each) for each in plain[:_MOST]]
        if isinstance(plain, dict):
            return {str(name)[:_LONGEST]: cut(each) for name, each in list(plain.items())[:_MOST]}
        return plain

    return msgspec.convert(cut(msgspec.to_builtins(value)), kind)


def with_model(case: Case, found: Found, kept: Kept) -> Found:
    """The model's answers, its tests and the measured facts; an answer that cannot be used is an errored Result."""
    data = found.data
    if data is None or found.stopped:
        return found
    reported = _results(case, kept)
    found = replace(found, results=(*found.results, *reported))
    training = kept.evidence.training
    predictions = _told(kept, "")
    if predictions is None or training is None:
        if any(one.status is Status.ERRORED and one.blocking for one in reported):
            return found
        if case.head.config.evidence.rows == "none":
            return _with(found, _no_answer("evidence: {rows: none} leaves no rows to judge by", _KEEP))
        return _with(found, _no_answer("the run left no predictions", LIED))
    if wrong := _unlike(kept.holdout, data) or _unusable(predictions, data.holdout):
        return _with(found, _no_answer(wrong, LIED))
    named = {name for name in wanted(case.judge) if how(name) is not None}
    tests = any(one.part is Part.TESTS for one in reported)
    missing = () if tests or not has_tests(case.rules, case.head) else (_NO_TESTS,)
    return replace(
        found,
        results=(*found.results, *missing),
        model=ModelFound(
            training=training,
            predictions=predictions,
            protected=kept.evidence.snapshot is not None and kept.evidence.snapshot.holdout_protected,
        ),
        facts={name: value for name, value in kept.evidence.facts.items() if name in named},
        missing_facts={
            name: why for name, why in kept.evidence.missing_facts.items() if name in named and not isinstance(why, str)
        },
        fact_notes={name: note for name, note in (kept.evidence.fact_notes or {}).items() if name in named},
    )


def answers_of(case: Case, data: DataFound, kept: Kept) -> Answers:
    """What the models answer: the champion's and the anchor's as the ledger has them, where rows pair; of the others
    what the run says they answered.
    """
    predictions = _told(kept, "")
    if predictions is None:
        raise ValueError("the run kept no predictions")
    rivals = {"champion_": kept.decision.champion, "anchor_": kept.decision.anchor or None}

    def again(stored: StoredDecision) -> Predictions:
        for prefix, ref in rivals.items():
            if ref is not None and ref.decision == stored.id and (told := _rival_answers(kept, prefix, data.holdout)):
                return told
        raise MlopsCiError("its model is not asked here")

    champion = champion_on(case, data.snapshot, data.holdout, again)
    return Answers(
        measured=_measured(case, kept, predictions, champion),
        anchor=anchor_on(case, data.snapshot, data.holdout, again),
    )


def _told(kept: Kept, prefix: str) -> Predictions | None:
    """What a model answers; the numbers of the project's own metrics are looked at one by one, and not here."""
    told = stored_predictions(kept, prefix)
    return None if told is None else replace(told, own={})


def _rival_answers(kept: Kept, prefix: str, holdout: Holdout) -> Predictions | None:
    told = _told(kept, prefix)
    return None if told is None or f"{prefix}{UNANSWERED}" in kept.arrays or _unusable(told, holdout) else told


def _results(case: Case, kept: Kept) -> tuple[Result, ...]:
    """Of the tests and suites, which only the branch's own environment can run. What blocks is not for it to say."""

    def told(one: Result) -> Result:
        if one.check.partition("/")[0] == DEEPCHECKS:
            return replace(one, blocking=case.rules.config.checks.deepchecks == "gate")
        name = one.check.removeprefix("metric ")
        return replace(one, blocking=one.check == name or name in case.rules.config.metrics)

    ran = tuple(
        told(one)
        for one in kept.decision.checks
        if one.part is not Part.DATA or one.check.partition("/")[0] == DEEPCHECKS
    )
    asked = case.rules.config.checks.deepchecks == "gate"
    if asked and not any(one.check.partition("/")[0] == DEEPCHECKS for one in ran):
        lacking = SourceError("deepchecks has to run and the run says nothing of it", LIED)
        return (*ran, errored(DEEPCHECKS, lacking, Part.MODEL))
    return ran


def _unlike(told: Holdout | None, data: DataFound) -> str:
    """How the rows of the run are others than those of the commit; empty: they are the same."""
    if told is None or not np.array_equal(told.ids, data.holdout.ids):
        return "the run is about other rows than the commit holds out"
    if told.classes != data.holdout.classes:
        return "the run has other classes than the data"
    return ""


def _unusable(predictions: Predictions, holdout: Holdout) -> str:
    """Why these cannot be answers on the holdout; empty: they can."""
    labels, scores, classes = predictions.labels, predictions.scores, len(holdout.classes)
    wanted_kind = "i" if classes else "f"
    if labels.shape != (holdout.rows,) or labels.dtype.kind != wanted_kind or not np.isfinite(labels).all():
        return "the labels of the run are no answers on its rows"
    if classes and holdout.rows and not -1 <= int(labels.min()) <= int(labels.max()) < classes:
        return "the labels of the run are no classes"
    shape = (holdout.rows,) if classes <= 2 else (holdout.rows, classes)
    if scores is not None and (not classes or scores.shape != shape or not np.isfinite(scores).all()):
        return "the scores of the run are no answers on its rows"
    return ""


def _measured(case: Case, kept: Kept, predictions: Predictions, champion: Champion | None) -> Measured:
    """The project's own metrics, whose functions are not run here: as declared, with the numbers of the run."""
    numbers = {one.name: one for one in kept.evidence.own_metrics}
    known = {one.name: one for one in (*declared(case.head), *declared(case.rules))}
    own, results, ours, theirs = [], [], dict[str, "NDArray[np.float32]"](), dict[str, "NDArray[np.float32]"]()
    rows = len(predictions.labels)
    rival = champion.predictions if champion else None
    for metric in known.values():
        told = numbers.get(metric.name, metric)
        value = _number(kept, metric, told, prefix="", rows=rows)
        other = _number(kept, metric, told, prefix="champion_", rows=rows) if rival else None
        if value is not None:
            ours[metric.name] = value
        elif not told.reason:
            lacking = SourceError(f"the run has no usable numbers of {metric.function}", LIED)
            result = errored(f"metric {metric.name}", lacking, Part.MODEL)
            results.append(replace(result, blocking=metric.name in case.rules.config.metrics))
        if value is not None and other is not None and value.ndim == other.ndim:
            theirs[metric.name] = other
        own.append(_declared_with(metric, told, value, other))
    return Measured(
        own=tuple(own),
        candidate=replace(predictions, own=ours),
        champion=champion
        if champion is None or rival is None
        else replace(champion, predictions=replace(rival, own=theirs)),
        results=tuple(results),
    )


def _number(kept: Kept, metric: OwnMetric, told: OwnMetric, *, prefix: str, rows: int) -> NDArray[np.float32] | None:
    """What the run says a metric is; None where it says nothing that could be."""
    if not told.by_row:
        value = told.champion if prefix else told.value
        return None if value is None else np.asarray(value)
    found = kept.arrays.get(array_name(metric.name, prefix))
    if found is None or found.shape != (rows,) or found.dtype.kind != "f" or not np.isfinite(found).all():
        return None
    by_row = found.astype(np.float32)
    low, high = (None if end is None else np.float32(end) for end in (metric.low, metric.high))
    outside = (low is not None and (by_row < low).any()) or (high is not None and (by_row > high).any())
    return None if outside else by_row


def _declared_with(
    metric: OwnMetric, told: OwnMetric, value: NDArray[np.float32] | None, other: NDArray[np.float32] | None
) -> OwnMetric:
    single = value is not None and value.ndim == 0
    return replace(
        metric,
        by_row=not single,
        value=float(value) if value is not None and single else None,
        champion=float(other) if other is not None and single and other.ndim == 0 else None,
        reason=told.reason,
        champion_reason=told.champion_reason,
    )


def use_of(case: Case, kept: Kept) -> Use | None:
    """The use of a gate part, whose rows are not kept: its one answer is the word of the run. None: settle it here."""
    look = kept.evidence.look
    if not case.apart or look is None or kept.ids is None:
        return None
    return Use(
        look=look, number=kept.evidence.looks, promise=kept.evidence.promise, wear=None, ids=kept.ids, shown=kept.shown
    )


def _no_answer(what: str, advice: str) -> Result:
    return errored("predictions", SourceError(what, advice), Part.MODEL)


def _with(found: Found, result: Result) -> Found:
    return replace(found, results=(*found.results, result))
